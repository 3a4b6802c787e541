"""What a use case says of Redis and NATS, and what is wrong with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from afield.connectors.logs import address_of
from afield.connectors.sinks.kafka.spec import Kafka as KafkaOut
from afield.connectors.sinks.nats.spec import Nats as NatsOut
from afield.connectors.sinks.recent import Recent
from afield.connectors.sinks.redis.spec import Redis as RedisOut
from afield.connectors.sources.kafka.spec import Kafka
from afield.connectors.sources.nats.spec import Nats
from afield.connectors.sources.redis.spec import Redis
from afield.errors import StateError, UseCaseError

NO_PASSWORD = "expected no password in the address; set password: {env: NAME} or {file: PATH}"


@pytest.mark.parametrize("kind", [Redis, RedisOut, Nats, NatsOut, Kafka, KafkaOut])
def test_each_field_says_what_it_is(kind: Any) -> None:
    assert kind.summary
    for name, field in kind.model_fields.items():
        assert field.description, name
        assert field.examples or field.default is not None, name


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        (Redis(url="redis://u:pw@h", stream="x"), "url", NO_PASSWORD),
        (RedisOut(url="redis://:pw@h", stream="x"), "url", NO_PASSWORD),
        (Nats(url="nats://u:pw@h", stream="x"), "url", NO_PASSWORD),
        (NatsOut(url="nats://u:pw@h", subject="x"), "url", NO_PASSWORD),
        (
            NatsOut(url="nats://token@h", subject="x"),
            "url",
            "expected no user or token in the address; set user: and password:, or token:",
        ),
        (
            Redis(url="localhost:6379", stream="x"),
            "url",
            "expected an address that begins with redis:// or rediss:// or unix://, found localhost://",
        ),
        (Redis(url="redis://", stream="x"), "url", "expected a host, as in redis://localhost, found none"),
        (
            Nats(url="nats://h:many", stream="x"),
            "url",
            "expected an address such as nats://localhost: Port could not be cast to integer value as 'many'",
        ),
        (
            Redis(stream="x", format="json"),
            "format",
            "json is read from one field of an entry; set field: to its name",
        ),
        (Redis(stream=["x", "x"]), "stream", "expected keys that differ, found 'x' more than once"),
        (Kafka(topic="x", user="u"), "user", "expected user: and password: together, found one of them"),
        (
            KafkaOut(topic="x", password={"env": "P"}),
            "user",
            "expected user: and password: together, found one of them",
        ),
        (Kafka(topic=["x", "x"]), "topic", "expected names that differ, found 'x' more than once"),
        (Nats(stream="x", user="u"), "user", "expected user: and password: together, found one of them"),
        (
            Nats(stream="x", user="u", password={"env": "P"}, token={"env": "T"}),
            "token",
            "expected user: and password:, or token:, found both",
        ),
    ],
)
def test_problems(spec: Any, path: str, message: str) -> None:
    (problem,) = spec.lint()
    assert (problem.path, problem.message) == ((path,), message)


def test_columns_of_redis_need_no_json() -> None:
    assert Redis(stream="x", columns=["a"], label="b").lint() == []
    (problem,) = Redis(stream="x", field="f", label="b").lint()
    assert problem.message == "label is of JSON, and format is text; remove it, or set format: json"


def test_addresses_are_shown_without_who_asks() -> None:
    assert address_of("redis://user:secret@host:6379/2?x=1") == "redis://host:6379/2"


@pytest.mark.parametrize(
    ("kind", "module", "source", "sink"),
    [
        ("redis", "redis", Redis(stream="x"), RedisOut(stream="x")),
        ("nats", "nats", Nats(stream="x"), NatsOut(subject="x")),
        ("kafka", "confluent_kafka", Kafka(topic="x"), KafkaOut(topic="x")),
    ],
)
def test_without_the_driver(kind: str, module: str, source: Any, sink: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    message = f"needs {module}, which is not installed: run `pip install 'afield[{kind}]'`"
    with pytest.raises(StateError) as error:
        source.open(base=Path(), follow=False, labelled=False)
    assert str(error.value) == f"source.{kind}: {message}"
    with pytest.raises(StateError) as error:
        sink.open(Path())
    assert str(error.value) == f"sink.{kind}: {message}"


@pytest.mark.parametrize("source", [Redis(stream="x"), Nats(stream="x"), Kafka(topic="x")])
def test_training_without_a_label(source: Any) -> None:
    with pytest.raises(
        UseCaseError, match=r"source\.(redis|nats|kafka): training needs the known answer of each record"
    ):
        source.open(base=Path(), follow=False, labelled=True)


def test_ids_that_were_written_last_are_known() -> None:
    known = Recent(3)
    known.find(["a", "b"])
    assert not known.settled
    assert known.new(["a", "x", "x"], [b"1", b"2", b"3"]) == [("x", b"3")]
    assert not known.settled
    known.give(["x"])
    assert known.new(["b"], [b"4"]) == []
    assert known.settled
    known.give(["y", "z"])
    assert known.new(["b", "x"], [b"5", b"6"]) == [("b", b"5")]


def test_ids_that_never_come_again_are_not_waited_for() -> None:
    known = Recent(3)
    known.find(["a", "b"])
    known.give(["x", "y"])
    assert not known.settled
    known.give(["z"])
    assert known.settled
    known.find(["of another"])
    assert known.settled
