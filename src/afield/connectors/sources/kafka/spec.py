"""How the source of Kafka topics is declared in a use case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from afield.connectors.logs import Log, driver
from afield.connectors.sources.kafka.server import Name, Server
from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.connectors.sources.kafka.source import KafkaSource


class Kafka(Log, Server, Component):
    """Records from topics of Kafka: each message is one."""

    summary: ClassVar[str] = "Messages of Kafka topics; read from any place again."

    topic: Name | Annotated[list[Name], Field(min_length=1)] = Field(
        description="Name of the topic, or a list of names; all partitions are read.", examples=["logs"]
    )

    @property
    def topics(self) -> list[str]:
        """The names."""
        return [self.topic] if isinstance(self.topic, str) else self.topic

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say, found without reading data."""
        problems = [*super().lint(), *self.lint_server()]
        if twice := [name for name in self.topics if self.topics.count(name) > 1]:
            problems.append(Problem(("topic",), f"expected names that differ, found {twice[0]!r} more than once"))
        return problems

    def open(self, *, base: Path, follow: bool, labelled: bool, poll: float = 0.5) -> KafkaSource:
        """Opens the topics for reading; connects with the first batch.

        Args:
            base: unused; of sources that read files.
            follow: goes on for ever with what is added; otherwise ends with what is there.
            labelled: adds the column LABEL.
            poll: seconds that one question to the brokers waits for messages.

        Raises:
            UseCaseError: a label is asked for and none is declared.
            StateError: the driver is not installed.
        """
        self.require_label(labelled, "source.kafka")
        driver("confluent_kafka", "source.kafka", "kafka")
        from afield.connectors.sources.kafka.source import KafkaSource

        return KafkaSource(self, follow=follow, labelled=labelled, poll=poll)
