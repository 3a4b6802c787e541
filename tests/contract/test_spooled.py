"""MQTT and AMQP, as sources and sinks, against real brokers, with kills."""

from __future__ import annotations

import json
import os
import random
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import publishing
import pytest
import spooling
from brokers import Broker
from mosquitto import mosquitto
from publishing import numbered, to_queue, to_topic

from afield.checks.sink import COMMON_CHECKS, REPEATING_CHECKS, SinkCase, answers
from afield.checks.source import SOURCE_CHECKS, Open, check_waits_with_empty_batches, records_of
from afield.connectors.base import TEXT, Source
from afield.connectors.sinks.amqp.spec import Amqp as AmqpOut
from afield.connectors.sinks.mqtt.spec import Mqtt as MqttOut
from afield.connectors.sources.amqp.spec import Amqp
from afield.connectors.sources.mqtt.spec import Mqtt
from afield.connectors.spool.spooled import Spooled
from afield.errors import DataError, TransientError, UseCaseError

COUNT = 20_000
RABBIT = "amqp://localhost:5672"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    (tmp_path / "broker").mkdir()
    broker = mosquitto(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def queue() -> Iterator[str]:
    name = f"afield-test-{secrets.token_hex(6)}"
    with pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1")) as connection:
        connection.channel().queue_declare(name, durable=True)
    yield name
    with pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1")) as connection:
        connection.channel().queue_delete(name)


def mqtt_in(broker: Broker, folder: Path, *, follow: bool = False, **fields: Any) -> Spooled:
    spec = Mqtt.model_validate({"url": f"mqtt://localhost:{broker.port}", "topic": "t/#", "idle_end": 0.5, **fields})
    assert not spec.lint()
    return spec.open(base=folder, follow=follow, labelled=False)


def amqp_in(queue: str, folder: Path, *, follow: bool = False, **fields: Any) -> Spooled:
    spec = Amqp.model_validate({"url": RABBIT, "queue": queue, "idle_end": 0.5, **fields})
    assert not spec.lint()
    return spec.open(base=folder, follow=follow, labelled=False)


def texts(source: Source) -> list[Any]:
    try:
        return [record[TEXT] for record in records_of(source.batches({}))]
    finally:
        source.close()


def expected(count: int) -> list[str]:
    return [payload.decode() for _, payload in numbered(0, count)]


@pytest.mark.parametrize("check", SOURCE_CHECKS)
def test_mqtt_source(check: Callable[[Open], None], broker: Broker, tmp_path: Path) -> None:
    texts(mqtt_in(broker, tmp_path))
    to_topic(broker.port, "t/1", [payload for _, payload in numbered(0, 1500)])
    check(lambda: mqtt_in(broker, tmp_path, topic_column="topic"))


@pytest.mark.parametrize("check", SOURCE_CHECKS)
def test_amqp_source(check: Callable[[Open], None], queue: str, tmp_path: Path) -> None:
    to_queue(queue, numbered(0, 1500))
    check(lambda: amqp_in(queue, tmp_path))


def test_they_wait(broker: Broker, queue: str, tmp_path: Path) -> None:
    check_waits_with_empty_batches(lambda: mqtt_in(broker, tmp_path, follow=True))
    check_waits_with_empty_batches(lambda: amqp_in(queue, tmp_path, follow=True))


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_the_broker_keeps_what_comes_while_nobody_runs(version: str, broker: Broker, tmp_path: Path) -> None:
    assert texts(mqtt_in(broker, tmp_path, version=version)) == []
    to_topic(broker.port, "t/a", [b"one"])
    to_topic(broker.port, "other", [b"not asked for"])
    to_topic(broker.port, "t/b", [b"two"])
    source = mqtt_in(broker, tmp_path, version=version, topic_column="topic")
    rows = records_of(source.batches({}))
    source.close()
    assert [(row["topic"], row[TEXT]) for row in rows] == [("t/a", "one"), ("t/b", "two")]


def test_a_message_of_amqp_that_comes_twice_is_kept_once(queue: str, tmp_path: Path) -> None:
    to_queue(queue, [("1", b"a"), ("1", b"a"), ("1", b"another"), (None, b"a"), (None, b"a")])
    assert texts(amqp_in(queue, tmp_path)) == ["a", "another", "a", "a"]
    to_queue(queue, [("1", b"a"), ("2", b"b")])
    assert texts(amqp_in(queue, tmp_path)) == ["a", "another", "a", "a", "b"]


def killed_again_and_again(kind: str, folder: Path, fields: dict[str, Any], publish: list[str]) -> list[str]:
    """Texts that were kept over 20 kills of the reader while a process publishes."""
    command = [sys.executable, str(Path(spooling.__file__)), kind, str(folder), json.dumps(fields)]
    publisher = subprocess.Popen([sys.executable, str(Path(publishing.__file__)), *publish, str(COUNT)])
    chance = random.Random(5)
    for _ in range(20):
        reader = subprocess.Popen(command)
        time.sleep(0.5 + chance.random())
        reader.kill()
        reader.wait()
    assert publisher.wait(60) == 0
    reader = subprocess.Popen(command)
    kept, last, end = spooling.kept(folder), -1, time.monotonic() + 60
    while last != (last := kept.execute("SELECT count(DISTINCT text) FROM record").fetchone()[0]) or last < COUNT:
        time.sleep(1.5)
        assert reader.poll() is None
        assert time.monotonic() < end, f"{last} of {COUNT} messages were kept"
    reader.kill()
    reader.wait()
    found = [text for (text,) in kept.execute("SELECT text FROM record")]
    kept.close()
    return found


def test_20_kills_lose_nothing_of_mqtt(broker: Broker, tmp_path: Path) -> None:
    texts(mqtt_in(broker, tmp_path))
    fields = {"url": f"mqtt://localhost:{broker.port}", "topic": "t/#"}
    found = killed_again_and_again("mqtt", tmp_path, fields, ["mqtt", str(broker.port), "t/1"])
    assert set(found) == set(expected(COUNT))
    print(f"doubled: {len(found) - COUNT}")


def test_20_kills_lose_and_double_nothing_of_amqp(queue: str, tmp_path: Path) -> None:
    found = killed_again_and_again("amqp", tmp_path, {"url": RABBIT, "queue": queue}, ["amqp", "", queue])
    assert sorted(found) == sorted(expected(COUNT))


def test_a_broker_that_is_killed_and_started_again(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    broker = mosquitto(tmp_path / "broker", durable=True)
    broker.start()
    assert texts(mqtt_in(broker, tmp_path)) == []
    to_topic(broker.port, "t/1", [payload for _, payload in numbered(0, 20)])
    # Mosquitto confirms a message a moment before it has saved it.
    time.sleep(0.5)
    broker.stop()
    broker.start()
    source = mqtt_in(broker, tmp_path, follow=True)
    found: list[Any] = []

    def read() -> None:
        for batch in source.batches({}):
            found.extend(batch.records.column(TEXT).to_pylist())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for part in (1, 2):
            wait_for(lambda: set(found) >= set(expected(20 * part)))  # noqa: B023
            broker.stop()
            broker.start()
            to_topic(broker.port, "t/1", [payload for _, payload in numbered(20 * part, 20)])
        wait_for(lambda: set(found) >= set(expected(60)))
        assert set(found) == set(expected(60))
    finally:
        source.close()
        reader.join()
        broker.stop()


def wait_for(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_full_spool_leaves_the_rest_to_the_broker(queue: str, tmp_path: Path) -> None:
    to_queue(queue, [(str(number), os.urandom(500).hex().encode()) for number in range(3000)])
    source = amqp_in(queue, tmp_path, follow=True, spool={"limit": 1_000_000}, prefetch=100)
    batches = source.batches({})
    held = []
    while not held or held[-1].records.num_rows:
        held.append(next(batches))
    rows = sum(batch.records.num_rows for batch in held)
    assert 300 < rows < 1200
    assert "the spool is full" in next(iter(source.report.damaged.values()))
    for batch in held:
        source.acknowledge(batch.position)
    while rows < 3000:
        batch = next(batches)
        rows += batch.records.num_rows
        source.acknowledge(batch.position)
    source.close()
    with pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1")) as connection:
        assert connection.channel().queue_declare(queue, passive=True).method.message_count == 0


def test_what_the_broker_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG", "hush-hush")
    login = {"username": "nobody", "password": {"env": "WRONG"}}
    with pytest.raises(UseCaseError, match=r"source.amqp: amqp://localhost:5672 refuses the connection; check") as told:
        texts(amqp_in("q", tmp_path, **login))
    assert "hush" not in str(told.value)
    with pytest.raises(DataError, match=r"source.amqp: amqp://localhost:5672: NOT_FOUND - no queue 'not-there-9'"):
        texts(amqp_in("not-there-9", tmp_path))
    with pytest.raises(UseCaseError, match="refuses the virtual host"):
        texts(amqp_in("q", tmp_path, url=f"{RABBIT}/nowhere"))
    (tmp_path / "broker").mkdir()
    (tmp_path / "nobody").write_text("")
    broker = mosquitto(tmp_path / "broker", f"password_file {tmp_path}/nobody", "allow_anonymous false")
    broker.start()
    try:
        with pytest.raises(UseCaseError, match="refuses the connection: Not authorized; check `username`"):
            texts(mqtt_in(broker, tmp_path, **login))
    finally:
        broker.stop()


def test_a_broker_that_is_not_there(tmp_path: Path) -> None:
    for source in (
        mqtt_in(Broker([], 1), tmp_path),
        amqp_in("q", tmp_path, url="amqp://localhost:1"),
    ):
        source._patience = 0.2
        with pytest.raises(TransientError, match=r"is out of reach: Connection refused"):
            texts(source)


def read_queue(queue: str) -> list[bytes]:
    found: list[bytes] = []
    with pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1")) as connection:
        channel = connection.channel()
        while (got := channel.basic_get(queue))[0]:
            properties: Any = got[1]
            assert properties.delivery_mode == 2
            assert properties.message_id == str(json.loads(got[2])["id"])
            found.append(got[2])
    return found


@pytest.mark.parametrize("check", COMMON_CHECKS + REPEATING_CHECKS)
def test_amqp_sink(check: Callable[[SinkCase], None], queue: str) -> None:
    raw: list[bytes] = []

    def read() -> list[dict[str, Any]]:
        raw.extend(read_queue(queue))
        return [json.loads(row) for row in raw]

    spec = AmqpOut(url=RABBIT, routing_key=queue)
    check(SinkCase(lambda: spec.open(Path()), read, lambda: raw))


@pytest.mark.parametrize("check", COMMON_CHECKS + REPEATING_CHECKS)
def test_mqtt_sink(check: Callable[[SinkCase], None], broker: Broker, tmp_path: Path) -> None:
    texts(mqtt_in(broker, tmp_path))
    spec = MqttOut(url=f"mqtt://localhost:{broker.port}", topic="t/answers")

    def raw() -> list[bytes]:
        return [text.encode() for text in texts(mqtt_in(broker, tmp_path))]

    check(SinkCase(lambda: spec.open(tmp_path), lambda: [json.loads(row) for row in raw()], raw))


def test_sinks_say_what_is_wrong(broker: Broker, queue: str, tmp_path: Path) -> None:
    sink: Any = AmqpOut(url=RABBIT, routing_key="not-there-9").open(tmp_path)
    with pytest.raises(DataError, match=r"sink.amqp: .* no queue gets what is published .*not-there-9.*NO_ROUTE"):
        sink.write(answers(0, 3))
    sink = AmqpOut(url=RABBIT, exchange="not-there-9", routing_key="x").open(tmp_path)
    with pytest.raises(DataError, match=r"sink.amqp: .*no exchange 'not-there-9'"):
        sink.write(answers(0, 3))
    sink = AmqpOut(url="amqp://localhost:1", routing_key=queue).open(tmp_path)
    with pytest.raises(TransientError, match=r"sink.amqp: amqp://localhost:1 is out of reach"):
        sink.write(answers(0, 3))
    sink.close()
    sink = MqttOut(url=f"mqtt://localhost:{broker.port}", topic="t").open(tmp_path)
    sink.write(answers(0, 3))
    broker.stop()
    with pytest.raises(TransientError, match=r"sink.mqtt: mqtt://localhost:\d+"):
        sink.write(answers(0, 3))
    broker.start()
    sink.write(answers(0, 3))
    sink.close()
