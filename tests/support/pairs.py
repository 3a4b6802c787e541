"""Places that records come from and answers go to, on real servers: for runs that are killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nats
import redis
from nats.js.api import StreamConfig
from sqlalchemy import create_engine, text

REDIS = "redis://127.0.0.1:6379"
NATS = "nats://127.0.0.1:4222"
POSTGRESQL = "postgresql://postgres@127.0.0.1/test"


def name() -> str:
    """One that no other test has."""
    return f"afield_{uuid.uuid4().hex[:12]}"


class Origin(ABC):
    """Where records come from."""

    @property
    @abstractmethod
    def source(self) -> dict[str, Any]:
        """As a use case declares it."""

    @abstractmethod
    def publish(self, texts: Sequence[str]) -> None:
        """Adds records."""

    @abstractmethod
    def remove(self) -> None:
        """Takes away what was made for the test."""


class Goal(ABC):
    """Where answers go."""

    @property
    @abstractmethod
    def sink(self) -> dict[str, Any]:
        """As a use case declares it."""

    @abstractmethod
    def ids(self) -> list[str]:
        """Of all answers that are there."""

    @abstractmethod
    def remove(self) -> None:
        """Takes away what was made for the test."""


class RedisStream(Origin, Goal):
    """A Redis stream."""

    def __init__(self, folder: Path) -> None:
        self._key, self._client = name(), redis.Redis.from_url(REDIS)

    @property
    def source(self) -> dict[str, Any]:
        return {"redis": {"url": REDIS, "stream": self._key, "field": "line"}}

    @property
    def sink(self) -> dict[str, Any]:
        return {"redis": {"url": REDIS, "stream": self._key}}

    def publish(self, texts: Sequence[str]) -> None:
        with self._client.pipeline(transaction=False) as pipe:
            for one in texts:
                pipe.xadd(self._key, {"line": one})
            pipe.execute()

    def ids(self) -> list[str]:
        found: Any = self._client.xrange(self._key)
        return [fields[b"id"].decode() for _, fields in found]

    def remove(self) -> None:
        self._client.delete(self._key)
        self._client.close()


class NatsStream(Origin, Goal):
    """A stream of NATS JetStream."""

    def __init__(self, folder: Path) -> None:
        self._name = name()
        self._on_server(lambda stream: stream.add_stream(StreamConfig(name=self._name, subjects=[self._name])))

    @property
    def source(self) -> dict[str, Any]:
        return {"nats": {"url": NATS, "stream": self._name}}

    @property
    def sink(self) -> dict[str, Any]:
        return {"nats": {"url": NATS, "subject": self._name}}

    def publish(self, texts: Sequence[str]) -> None:
        async def all_of(stream: Any) -> None:
            for one in texts:
                await stream.publish(self._name, one.encode())

        self._on_server(all_of)

    def ids(self) -> list[str]:
        async def read(stream: Any) -> list[str]:
            count = (await stream.stream_info(self._name)).state.messages
            found = [await stream.get_msg(self._name, seq=place + 1) for place in range(count)]
            return [json.loads(one.data)["id"] for one in found]

        return self._on_server(read)

    def remove(self) -> None:
        self._on_server(lambda stream: stream.delete_stream(self._name))

    def _on_server(self, work: Any) -> Any:
        async def connected() -> Any:
            client = await nats.connect(NATS)
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(connected())


class PostgresTable(Origin, Goal):
    """A table of PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        self._table = name()
        self._engine = create_engine(POSTGRESQL.replace("postgresql:", "postgresql+psycopg:"))

    @property
    def source(self) -> dict[str, Any]:
        with self._engine.begin() as connection:
            made = f"CREATE TABLE IF NOT EXISTS {self._table} (number bigserial PRIMARY KEY, text text)"
            connection.execute(text(made))
        return {"sql": {"url": POSTGRESQL, "table": self._table, "cursor": "number", "lag": "50ms", "poll": "100ms"}}

    @property
    def sink(self) -> dict[str, Any]:
        return {"sql": {"url": POSTGRESQL, "table": self._table}}

    def publish(self, texts: Sequence[str]) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(f"INSERT INTO {self._table} (text) VALUES (:t)"), [{"t": one} for one in texts])

    def ids(self) -> list[str]:
        with self._engine.connect() as connection:
            if not self._engine.dialect.has_table(connection, self._table):
                return []
            return list(connection.execute(text(f"SELECT id FROM {self._table}")).scalars())

    def remove(self) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(f"DROP TABLE IF EXISTS {self._table}"))
        self._engine.dispose()


class Lines(Origin):
    """A file that grows."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "lines" / "growing.log"
        self._file.parent.mkdir()
        self._file.touch()

    @property
    def source(self) -> dict[str, Any]:
        return {"files": {"path": str(self._file.parent), "format": "lines"}}

    def publish(self, texts: Sequence[str]) -> None:
        with self._file.open("a") as file:
            file.writelines(f"{one}\n" for one in texts)

    def remove(self) -> None:
        """pytest removes the folder."""


class JsonLines(Goal):
    """Files of JSON lines."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "out"

    @property
    def sink(self) -> dict[str, Any]:
        return {"jsonl": {"path": str(self._folder)}}

    def ids(self) -> list[str]:
        files = sorted(self._folder.glob("*.jsonl"))
        # The last line of a file may be half written still.
        return [json.loads(line)["id"] for file in files for line in file.read_text().split("\n")[:-1]]

    def remove(self) -> None:
        """pytest removes the folder."""


@contextlib.contextmanager
def made(kind: Any, folder: Path) -> Iterator[Any]:
    """An origin or a goal, taken away afterwards."""
    one = kind(folder)
    try:
        yield one
    finally:
        one.remove()


ORIGINS: tuple[type[Origin], ...] = (RedisStream, NatsStream, PostgresTable, Lines)
GOALS: tuple[type[Goal], ...] = (RedisStream, NatsStream, PostgresTable, JsonLines)
