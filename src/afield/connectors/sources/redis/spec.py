"""How the source of Redis streams is declared in a use case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from afield.connectors.logs import Log, driver
from afield.connectors.sources.redis.server import Server
from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.connectors.sources.redis.source import RedisSource

Name = Annotated[str, Field(min_length=1)]


class Redis(Log, Server, Component):
    """Records from Redis streams: each entry is one."""

    summary: ClassVar[str] = "Entries of Redis streams; read from any place again."

    stream: Name | Annotated[list[Name], Field(min_length=1)] = Field(
        description="Key of the stream, or a list of keys.", examples=["logs", ["logs:a", "logs:b"]]
    )
    field: str | None = Field(
        default=None,
        min_length=1,
        description="Field of an entry that holds the message; where it is left out, the fields are columns of text.",
        examples=["answer"],
    )

    @property
    def has_columns(self) -> bool:
        """Whether a record has columns of its own names, rather than one text."""
        return self.field is None or self.format == "json"

    @property
    def streams(self) -> list[str]:
        """The keys."""
        return [self.stream] if isinstance(self.stream, str) else self.stream

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say, found without reading data."""
        problems = [*super().lint(), *self.lint_url()]
        if self.field is None and self.format == "json":
            problems.append(Problem(("format",), "json is read from one field of an entry; set field: to its name"))
        if twice := [name for name in self.streams if self.streams.count(name) > 1]:
            problems.append(Problem(("stream",), f"expected keys that differ, found {twice[0]!r} more than once"))
        return problems

    def open(self, *, base: Path, follow: bool, labelled: bool, poll: float = 0.5) -> RedisSource:
        """Opens the streams for reading; connects with the first batch.

        Args:
            base: unused; of sources that read files.
            follow: goes on for ever with what is added; otherwise ends with what is there.
            labelled: adds the column LABEL.
            poll: seconds that one question to the server waits for an entry, when following.

        Raises:
            UseCaseError: a label is asked for and none is declared.
            StateError: the driver is not installed.
        """
        self.require_label(labelled, "source.redis")
        driver("redis", "source.redis", "redis")
        from afield.connectors.sources.redis.source import RedisSource

        return RedisSource(self, follow=follow, labelled=labelled, poll=poll)
