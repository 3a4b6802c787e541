"""Kafka topics, from the brokers that librdkafka has for tests."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brokers
import kafka_brokers
import pytest
from confluent_kafka import Producer

from afield.checks.sink import COMMON_CHECKS, REPEATING_CHECKS, SinkCase, answers, expected
from afield.checks.source import SOURCE_CHECKS, Open, check_waits_with_empty_batches, records_of
from afield.connectors.sinks.kafka.spec import Kafka as KafkaOut
from afield.connectors.sources.kafka.source import KafkaSource
from afield.connectors.sources.kafka.spec import Kafka
from afield.errors import DataError, StateError, TransientError


@pytest.fixture(scope="module")
def mock() -> tuple[Producer, str]:
    return kafka_brokers.started()


@pytest.fixture
def topic() -> str:
    return f"afield-{uuid.uuid4().hex}"


def filled(producer: Producer, topic: str, count: int, first: int = 0, partition: int | None = None) -> None:
    for number in range(first, first + count):
        content = json.dumps({"number": number, "line": f"line {number} é", "kind": f"k{number % 3}"})
        producer.produce(topic, content, partition=number % 4 if partition is None else partition)
    assert producer.flush(10) == 0


def opened(topic: Any, at: str, *, follow: bool = False, labelled: bool = False, **fields: Any) -> KafkaSource:
    spec = Kafka(brokers=at, topic=topic, **fields)
    assert not spec.lint()
    return spec.open(base=Path(), follow=follow, labelled=labelled, poll=0.05)


KINDS: dict[str, dict[str, Any]] = {
    "text": {},
    "labelled": {"format": "json", "label": "kind", "columns": ["line"], "labelled": True},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("check", SOURCE_CHECKS)
def test_source(check: Callable[[Open], None], kind: str, mock: tuple[Producer, str], topic: str) -> None:
    producer, at = mock
    filled(producer, topic, 20)
    filled(producer, f"{topic}.2", 5, partition=1)
    check(lambda: opened([topic, f"{topic}.2"], at, batch=8, **KINDS[kind]))


def test_it_waits(mock: tuple[Producer, str], topic: str) -> None:
    producer, at = mock
    filled(producer, topic, 3)
    check_waits_with_empty_batches(lambda: opened(topic, at, follow=True))


def test_records_are_named_by_partition_and_offset(mock: tuple[Producer, str], topic: str) -> None:
    producer, at = mock
    filled(producer, topic, 3, partition=2)
    (batch,) = opened(topic, at, format="json", columns=["number"]).batches({})
    assert batch.records.to_pylist() == [
        {"number": float(number), "_stream": f"{topic}/2", "_offset": number} for number in range(3)
    ]
    assert batch.position == {f"{topic}/2": "3"}


def test_what_is_no_record_is_refused(mock: tuple[Producer, str], topic: str) -> None:
    producer, at = mock
    for content in (b"\xff", b"{}", None):
        producer.produce(topic, content, partition=0)
    producer.flush(10)
    (batch,) = opened(topic, at, format="json").batches({})
    assert batch.records.num_rows == 1
    assert [(one.offset, one.reason.split(":")[0]) for one in batch.refused] == [
        (0, "expected JSON"),
        (2, "expected JSON"),
    ]


def test_what_follows_comes_as_it_arrives(mock: tuple[Producer, str], topic: str) -> None:
    producer, at = mock
    filled(producer, topic, 1)
    source = opened(topic, at, follow=True, format="json")
    got: list[int] = []
    reading = source.batches({})
    for start in range(1, 61, 20):
        filled(producer, topic, 20, first=start)
        while len(got) < start + 20:
            batch = next(reading)
            got += batch.records.column("number").to_pylist() if batch.records.num_rows else []
    assert sorted(got) == list(range(61))
    source.close()
    assert list(reading) == []


def test_a_reading_that_does_not_follow_ends_with_what_was_there(mock: tuple[Producer, str], topic: str) -> None:
    producer, at = mock
    filled(producer, topic, 40)
    reading = opened(topic, at, batch=8).batches({})
    first = next(reading)
    filled(producer, topic, 40)
    assert len(records_of(iter([first, *reading]))) == 40


def test_a_topic_that_was_made_anew_is_said(mock: tuple[Producer, str], topic: str) -> None:
    producer, at = mock
    filled(producer, topic, 3, partition=0)
    with pytest.raises(DataError, match=f"{topic}/0 was made anew after it was read up to 5, and now ends at 3"):
        list(opened(topic, at).batches({f"{topic}/0": "5"}))


def test_what_was_removed_before_it_was_read_is_said(topic: str) -> None:
    part = (topic, 0)
    with pytest.raises(DataError) as error:
        opened(topic, "h:1")._start(part, {f"{topic}/0": "5"}, 8, 20)
    assert str(error.value) == (
        f"source.kafka: {topic}/0 from 5: up to 3 messages were removed before they were read; they cannot be "
        "read any more. Let the server keep messages longer, and set lost: skip to go on with what is left"
    )
    source = opened(topic, "h:1", lost="skip")
    assert source._start(part, {f"{topic}/0": "5"}, 8, 20) == 8
    assert source.report.damaged == {f"{topic}/0 from 5": "up to 3 messages were removed before they were read"}
    assert source._start(part, {f"{topic}/0": "8"}, 8, 8) == 8


def test_a_position_of_another_source(mock: tuple[Producer, str], topic: str) -> None:
    producer, at = mock
    filled(producer, topic, 1, partition=0)
    with pytest.raises(StateError, match="expected a position of a Kafka topic, found '1 2' of another source"):
        list(opened(topic, at).batches({f"{topic}/0": "1 2"}))


def test_no_topic(mock: tuple[Producer, str], topic: str) -> None:
    with pytest.raises(DataError) as error:
        list(opened(topic, mock[1]).batches({}))
    assert str(error.value) == (
        f"source.kafka: expected a topic '{topic}' at {mock[1]}, found none; correct topic:, or create it"
    )


def test_no_broker(topic: str) -> None:
    at = f"localhost:{brokers.free_port()}"
    with pytest.raises(TransientError, match=f"source.kafka: {at}: no connection to the brokers"):
        list(opened(topic, at).batches({}))


def test_a_broker_that_dies_is_noticed(topic: str) -> None:
    command = [sys.executable, kafka_brokers.__file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        at = process.stdout.readline().strip()
        filled(Producer({"bootstrap.servers": at}), topic, 20)
        reading = opened(topic, at, follow=True).batches({})
        next(reading)
        process.kill()
        with pytest.raises(TransientError, match=f"source.kafka: {at}: no connection to the brokers"):
            list(reading)


def test_close_ends_a_reading_that_waits(mock: tuple[Producer, str], topic: str) -> None:
    producer, at = mock
    filled(producer, topic, 1)
    source = opened(topic, at, follow=True)
    thread = threading.Thread(target=lambda: list(source.batches({})))
    thread.start()
    time.sleep(0.5)
    source.close()
    thread.join(2)
    assert not thread.is_alive()


def stored(topic: str, at: str) -> list[bytes]:
    source = opened(topic, at)
    return [str(record["text"]).encode() for record in records_of(source.batches({}))]


def sink_case(topic: str, at: str) -> SinkCase:
    def raw() -> list[bytes]:
        return stored(topic, at)

    return SinkCase(
        lambda: KafkaOut(brokers=at, topic=topic, partition=0).open(Path()),
        lambda: [json.loads(content) for content in raw()],
        raw,
    )


@pytest.mark.parametrize("check", [*COMMON_CHECKS, *REPEATING_CHECKS])
def test_sink(check: Callable[[SinkCase], None], mock: tuple[Producer, str], topic: str) -> None:
    producer, at = mock
    producer.list_topics(topic)  # brings it into being
    check(sink_case(topic, at))


def test_answers_are_spread_by_their_ids(mock: tuple[Producer, str], topic: str) -> None:
    producer, at = mock
    producer.list_topics(topic)
    sink = KafkaOut(brokers=at, topic=topic).open(Path())
    sink.restore(None)
    sink.write(answers(0, 2000))
    sink.close()
    batches = list(opened(topic, at).batches({}))
    assert len({stream for batch in batches for stream in batch.position}) == 4
    found = [json.loads(str(record["text"])) for record in records_of(iter(batches))]
    assert sorted(found, key=lambda answer: answer["id"]) == expected(0, 2000)


def test_no_broker_and_no_partition_for_a_sink(mock: tuple[Producer, str], topic: str) -> None:
    at = f"localhost:{brokers.free_port()}"
    with pytest.raises(TransientError, match=f"sink.kafka: {at}: no connection to the brokers"):
        KafkaOut(brokers=at, topic=topic).open(Path()).restore(None)
    mock[0].list_topics(topic)
    with pytest.raises(DataError) as error:
        KafkaOut(brokers=mock[1], topic=topic, partition=9).open(Path()).restore(None)
    assert str(error.value) == (
        f"sink.kafka: expected a partition 9 of '{topic}', found 4 of them, from 0; correct partition:"
    )


def test_a_sink_whose_broker_dies_says_so(topic: str) -> None:
    with subprocess.Popen([sys.executable, kafka_brokers.__file__], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        at = process.stdout.readline().strip()
        filled(Producer({"bootstrap.servers": at}), topic, 4)
        sink = KafkaOut(brokers=at, topic=topic).open(Path())
        sink.restore(None)
        sink.write(answers(0, 5))
        process.kill()
        process.wait()
        with pytest.raises(TransientError, match=f"sink.kafka: {at}: no connection to the brokers"):
            sink.write(answers(5, 5))
        sink.close()
