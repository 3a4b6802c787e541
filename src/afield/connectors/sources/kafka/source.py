"""Kafka topics as a source: partitions are assigned by the source itself, and the position is its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event
from typing import Any, ClassVar

from afield.connectors.base import Batch, Position
from afield.connectors.decoder import Decoder
from afield.connectors.logs import IDLE_SECONDS, LossReport
from afield.connectors.sources.kafka.server import SECONDS, Silent, configuration, is_final, said
from afield.connectors.sources.kafka.spec import Kafka
from afield.errors import AfieldError, DataError, StateError

WHERE = "source.kafka"
MOST_WAIT = 0.1
"""Seconds that a question to the brokers waits for messages."""
LOOK_SECONDS = 60.0
"""Between two looks for partitions that were added."""

Part = tuple[str, int]


class KafkaSource:
    """Messages of all partitions of some topics.

    STREAM is `topic/partition`, OFFSET the offset of the message there; a cursor is the offset of the next one.

    Args:
        spec: what is declared.
        follow: goes on for ever with what is added.
        labelled: adds the column LABEL.
        poll: seconds that one question to the brokers waits for messages.
    """

    replayable: ClassVar[bool] = True
    splittable: ClassVar[bool] = False

    def __init__(self, spec: Kafka, *, follow: bool, labelled: bool, poll: float) -> None:
        self.report = LossReport()
        self._spec = spec
        self._follow = follow
        self._decoder = Decoder(spec, labelled)
        self._poll = poll
        self._closed = Event()
        self._trouble: AfieldError | None = None

    def batches(self, position: Position) -> Iterator[Batch]:
        """Records after the position.

        Raises:
            DataError: there is no such topic, it was made anew, or messages were removed before they were read.
            StateError: the position belongs to another source.
            TransientError: the brokers are not there.
            UseCaseError: they refuse the user or the password.
        """
        import confluent_kafka as kafka

        self._trouble = None
        consumer = kafka.Consumer(self._configuration(), logger=Silent())
        try:
            yield from self._read(kafka, consumer, position)
        except kafka.KafkaException as error:
            consumer.poll(0)
            raise self._trouble or self._said(error.args[0]) from None
        finally:
            consumer.close()

    def acknowledge(self, position: Position) -> None:
        """A topic is limited by who owns it."""

    def close(self) -> None:
        """Ends `batches` within `poll` seconds, also from another thread."""
        self._closed.set()

    def _read(self, kafka: Any, consumer: Any, position: Position) -> Iterator[Batch]:
        ends = self._assign(kafka, consumer, position, set())
        done: set[Part] = set()
        last_batch = last_look = time.monotonic()
        while not self._closed.is_set() and (self._follow or done != set(ends)):
            arrived: dict[Part, list[Any]] = {}
            # The driver waits that long for a whole batch, though part of it is there.
            for message in consumer.consume(self._spec.batch, min(self._poll, MOST_WAIT)):
                part = message.topic(), message.partition()
                if message.error() is None:
                    if self._follow or message.offset() < ends[part]:
                        arrived.setdefault(part, []).append(message)
                    if message.offset() >= ends[part] - 1:
                        done.add(part)
                elif message.error().code() == kafka.KafkaError._PARTITION_EOF:
                    done.add(part)
                else:
                    self._trouble = self._said(message.error())
            if self._trouble is not None:
                raise self._trouble
            for part, messages in arrived.items():
                yield self._batch(part, messages)
            now = time.monotonic()
            if arrived:
                last_batch = now
            elif self._follow and now - last_batch >= IDLE_SECONDS:
                last_batch = now
                yield self._decoder.empty()
            if self._follow and now - last_look >= LOOK_SECONDS:
                last_look = now
                ends |= self._assign(kafka, consumer, {}, set(ends))

    def _assign(self, kafka: Any, consumer: Any, position: Position, there: set[Part]) -> dict[Part, int]:
        """Begins to read the partitions that are not read yet; returns where each ends now."""
        ends: dict[Part, int] = {}
        starts: dict[Part, int] = {}
        for topic in self._spec.topics:
            found = consumer.list_topics(topic, timeout=SECONDS).topics[topic]
            if found.error is not None or not found.partitions:
                if found.error is not None and found.error.code() != kafka.KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise self._said(found.error)
                raise DataError(
                    f"{WHERE}: expected a topic {topic!r} at {self._spec.brokers}, found none; correct topic:, or "
                    "create it"
                )
            for part in ((topic, number) for number in found.partitions):
                if part not in there:
                    low, ends[part] = consumer.get_watermark_offsets(kafka.TopicPartition(*part), timeout=SECONDS)
                    starts[part] = self._start(part, position, low, ends[part])
        if ends:
            consumer.incremental_assign([kafka.TopicPartition(*part, start) for part, start in starts.items()])
        return ends

    def _start(self, part: Part, position: Position, low: int, high: int) -> int:
        stream = f"{part[0]}/{part[1]}"
        cursor = position.get(stream)
        if cursor is None:
            return low
        if not cursor.isdecimal():
            raise StateError(f"{WHERE}: expected a position of a Kafka topic, found {cursor!r} of another source")
        if int(cursor) > high:
            raise DataError(
                f"{WHERE}: {stream} was made anew after it was read up to {cursor}, and now ends at {high}: answers "
                "would bear ids that were given before; read it under another use case, or name another topic"
            )
        if low > int(cursor):
            what = f"up to {low - int(cursor)} messages were removed before they were read"
            self.report.lose(self._spec, WHERE, f"{stream} from {cursor}", what)
        return max(low, int(cursor))

    def _batch(self, part: Part, messages: list[Any]) -> Batch:
        offsets = [message.offset() for message in messages]
        contents = [message.value() or b"" for message in messages]
        return self._decoder.batch(f"{part[0]}/{part[1]}", offsets, contents, str(offsets[-1] + 1))

    def _configuration(self) -> dict[str, Any]:
        return {
            **configuration(self._spec, WHERE),
            # The driver wants a group; nothing is ever committed to it.
            "group.id": "afield",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "error_cb": self._noted,
        }

    def _noted(self, error: Any) -> None:
        if is_final(error):
            self._trouble = self._said(error)

    def _said(self, error: Any) -> AfieldError:
        return said(error, self._spec, WHERE)
