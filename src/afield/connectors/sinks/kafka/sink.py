"""Answers to a Kafka topic: confirmed by all replicas; after a restart, what was not committed comes again."""

from __future__ import annotations

from typing import Any, ClassVar

import pyarrow as pa

from afield.connectors.sinks.jsonl import written
from afield.connectors.sinks.kafka.spec import Kafka
from afield.connectors.sources.kafka.server import SECONDS, Silent, configuration, is_final, said
from afield.errors import AfieldError, DataError

WHERE = "sink.kafka"


class KafkaSink:
    """Messages of one topic.

    The producer is idempotent: what it sends again because a confirmation was lost is stored once. A process that
    starts again sends what was not committed once more, with the same key and the same bytes.

    Args:
        spec: what is declared.
    """

    idempotent: ClassVar[bool] = False

    def __init__(self, spec: Kafka) -> None:
        self._spec = spec
        self._producer: Any = None
        self._trouble: AfieldError | None = None

    def restore(self, mark: str | None) -> None:
        """Connects; nothing is taken back.

        Raises:
            DataError: there is no such topic or partition.
            TransientError: the brokers are not there.
            UseCaseError: they refuse the user or the password.
        """
        import confluent_kafka as kafka

        producer = self._connected()
        try:
            found = producer.list_topics(self._spec.topic, timeout=SECONDS).topics[self._spec.topic]
        except kafka.KafkaException as error:
            producer.poll(0)
            raise self._trouble or said(error.args[0], self._spec, WHERE) from None
        if found.error is not None and found.error.code() != kafka.KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise said(found.error, self._spec, WHERE)
        if not found.partitions:
            raise DataError(
                f"{WHERE}: expected a topic {self._spec.topic!r} at {self._spec.brokers}, found none; correct topic:, "
                "or create it"
            )
        if self._spec.partition is not None and self._spec.partition not in found.partitions:
            raise DataError(
                f"{WHERE}: expected a partition {self._spec.partition} of {self._spec.topic!r}, found "
                f"{len(found.partitions)} of them, from 0; correct partition:"
            )

    def write(self, answers: pa.RecordBatch) -> str:
        """Sends the answers, and waits until all replicas have stored them.

        Raises:
            DataError: a message is too long.
            TransientError: the brokers are not there; some of the answers may be stored.
            UseCaseError: they refuse the user or the password.
        """
        from confluent_kafka import KafkaError

        producer, failed = self._connected(), []
        self._trouble = None

        def confirmed(error: Any, _: Any) -> None:
            if error is not None:
                failed.append(error)

        where = {} if self._spec.partition is None else {"partition": self._spec.partition}
        for name, content in zip(*written(answers), strict=True):
            while True:
                try:
                    producer.produce(self._spec.topic, content, name, on_delivery=confirmed, **where)
                    break
                except BufferError:
                    producer.poll(0.1)
        left = producer.flush(3 * SECONDS)
        if not left and not failed:
            return ""
        self.close()
        if failed and failed[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
            raise DataError(f"{WHERE}: {self._spec.topic}: a message is longer than the brokers allow")
        raise self._trouble or said(failed[0] if failed else KafkaError(KafkaError._TIMED_OUT), self._spec, WHERE)

    def close(self) -> None:
        """Ends the connection; what was not confirmed is given up."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(0)
            self._producer = None

    def _connected(self) -> Any:
        if self._producer is None:
            from confluent_kafka import Producer

            self._producer = Producer(
                {
                    **configuration(self._spec, WHERE),
                    "enable.idempotence": True,
                    "linger.ms": 5,
                    "message.timeout.ms": int(2 * SECONDS * 1000),
                    "error_cb": self._noted,
                },
                logger=Silent(),
            )
        return self._producer

    def _noted(self, error: Any) -> None:
        if is_final(error):
            self._trouble = said(error, self._spec, WHERE)
