"""How the sink to a Redis stream is declared in a use case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from afield.connectors.logs import driver
from afield.connectors.sources.redis.server import Server
from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.connectors.sinks.redis.sink import RedisSink


class Redis(Server, Component):
    """Answers as entries of a Redis stream, with the fields `id` and `answer` (a JSON object)."""

    summary: ClassVar[str] = "Entries of a Redis stream, each once by its id."

    stream: str = Field(min_length=1, description="Key of the stream.", examples=["answers"])
    maxlen: int | None = Field(
        default=None,
        ge=1000,
        description="About how many entries the stream keeps; older ones are removed. All are kept without it.",
        examples=[1_000_000],
    )

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say."""
        return self.lint_url()

    def open(self, base: Path) -> RedisSink:
        """The sink; it connects when it is restored. `base` is of sinks that write files.

        Raises:
            StateError: the driver is not installed.
        """
        driver("redis", "sink.redis", "redis")
        from afield.connectors.sinks.redis.sink import RedisSink

        return RedisSink(self)
