"""How the sink to a Kafka topic is declared in a use case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from afield.connectors.logs import driver
from afield.connectors.sources.kafka.server import Name, Server
from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.connectors.sinks.kafka.sink import KafkaSink


class Kafka(Server, Component):
    """Answers as messages of a Kafka topic, each a JSON object, with the id as its key."""

    summary: ClassVar[str] = "Messages of a Kafka topic; one that is repeated bears the same key."

    topic: Name = Field(description="Name of the topic; it must be there.", examples=["answers"])
    partition: int | None = Field(
        default=None,
        ge=0,
        description="The one partition that takes all answers, and keeps their order; by their ids without it.",
        examples=[0],
    )

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say."""
        return self.lint_server()

    def open(self, base: Path) -> KafkaSink:
        """The sink; it connects when it is restored. `base` is of sinks that write files.

        Raises:
            StateError: the driver is not installed.
        """
        driver("confluent_kafka", "sink.kafka", "kafka")
        from afield.connectors.sinks.kafka.sink import KafkaSink

        return KafkaSink(self)
