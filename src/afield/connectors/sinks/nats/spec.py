"""How the sink to NATS JetStream is declared in a use case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from afield.connectors.logs import driver
from afield.connectors.sources.nats.server import Server
from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.connectors.sinks.nats.sink import NatsSink


class Nats(Server, Component):
    """Answers as messages of NATS JetStream, each a JSON object, with the id in the header `Nats-Msg-Id`."""

    summary: ClassVar[str] = "Messages of a NATS JetStream stream, each once by its id."

    subject: str = Field(
        min_length=1,
        pattern=r"^[^\s*>]+$",
        description="Subject of the messages; a stream on the server must take it.",
        examples=["answers.syslog"],
    )

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say."""
        return self.lint_server()

    def open(self, base: Path) -> NatsSink:
        """The sink; it connects when it is restored. `base` is of sinks that write files.

        Raises:
            StateError: the driver is not installed.
        """
        driver("nats", "sink.nats", "nats")
        from afield.connectors.sinks.nats.sink import NatsSink

        return NatsSink(self)
