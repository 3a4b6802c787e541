"""How the source of NATS JetStream is declared in a use case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from afield.connectors.logs import Log, driver
from afield.connectors.sources.nats.server import Server
from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.connectors.sources.nats.source import NatsSource


class Nats(Log, Server, Component):
    """Records from a stream of NATS JetStream: each message is one."""

    summary: ClassVar[str] = "Messages of a NATS JetStream stream; read from any place again."

    stream: str = Field(min_length=1, pattern=r"^[^\s.*>/\\]+$", description="Name of the stream.", examples=["LOGS"])
    subject: str | None = Field(
        default=None,
        min_length=1,
        description="Only messages of this subject, which may have the wildcards * and >; all without it.",
        examples=["logs.*.error"],
    )

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say, found without reading data."""
        return [*super().lint(), *self.lint_server()]

    def open(self, *, base: Path, follow: bool, labelled: bool, poll: float = 0.5) -> NatsSource:
        """Opens the stream for reading; connects with the first batch.

        Args:
            base: unused; of sources that read files.
            follow: goes on for ever with what is added; otherwise ends with what is there.
            labelled: adds the column LABEL.
            poll: seconds that one question to the server waits for a message, when following.

        Raises:
            UseCaseError: a label is asked for and none is declared.
            StateError: the driver is not installed.
        """
        self.require_label(labelled, "source.nats")
        driver("nats", "source.nats", "nats")
        from afield.connectors.sources.nats.source import NatsSource

        return NatsSource(self, follow=follow, labelled=labelled, poll=poll)
