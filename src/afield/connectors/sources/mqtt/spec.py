"""What a use case says about an MQTT broker as a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from afield.connectors.logs import driver
from afield.connectors.messages import RESERVED, Messages
from afield.connectors.spool.broker import Broker
from afield.connectors.spool.spec import SpooledFields
from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.connectors.spool.spooled import Spooled

PORTS = {"mqtt": 1883, "mqtts": 8883}
Version = Literal["5", "3.1.1"]


class Mqtt(Messages, Broker, SpooledFields, Component):
    """Records from an MQTT broker: each message of the topics is one, spooled before it is acknowledged."""

    summary: ClassVar[str] = "Messages of MQTT topics, at least once, spooled to the disk."
    ports: ClassVar[Mapping[str, int]] = PORTS

    topic: str | list[str] = Field(
        description="Filter of topics, or several; `+` is one level, `#` the rest.",
        examples=["plant/+/temperature", ["plant/#", "weather"]],
    )
    topic_column: str | None = Field(
        default=None,
        min_length=1,
        description="Column that gets the topic of each message; it takes the place of one of that name.",
        examples=["topic"],
    )
    client_id: str | None = Field(
        default=None,
        min_length=1,
        description="Name under which the broker keeps messages while nobody runs; made once, from the spool, where it "
        "is left out. Two clients with one name put each other out.",
        examples=["afield-boiler"],
    )
    session: int = Field(
        default=604_800,
        ge=1,
        le=2**32 - 1,
        description="Seconds for which the broker keeps messages while nobody runs (of version 5; in 3.1.1 the broker "
        "decides).",
        examples=[86_400],
    )
    version: Version = Field(default="5", description="Version of MQTT.", examples=["3.1.1"])

    @property
    def topics(self) -> list[str]:
        """The filters."""
        return [self.topic] if isinstance(self.topic, str) else self.topic

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say, found without a broker."""
        problems = [*Messages.lint(self), *self.broker_problems()]
        if not self.topics:
            problems.append(Problem(("topic",), "expected at least one topic, found an empty list"))
        problems += [Problem(("topic",), message) for topic in self.topics if (message := filter_problem(topic))]
        if self.topic_column in RESERVED:
            problems.append(
                Problem(("topic_column",), f"the name {self.topic_column} is reserved for where a record came from")
            )
        return problems

    def open(self, *, base: Path, follow: bool, labelled: bool, poll: float = 0.5) -> Spooled:
        """Opens the source; the broker is reached with `batches`.

        Args:
            base: the folder of the use case, for the spool and for certificates.
            follow: goes on for ever; otherwise ends when no message has come for `idle_end` seconds.
            labelled: adds the column LABEL.
            poll: unused: the broker sends.

        Returns:
            The source, to be closed after use.

        Raises:
            UseCaseError: a label is asked for and none is declared, or a secret or certificate cannot be read.
            StateError: paho-mqtt is not installed.
        """
        self.require_label(labelled, "source.mqtt")
        driver("paho.mqtt.client", "source.mqtt", "mqtt")
        from afield.connectors.sources.mqtt.receiver import MqttReceiver
        from afield.connectors.spool.records import Records

        receiver = MqttReceiver(self, base)
        return self.spooled("mqtt", receiver, Records(self, labelled, self.topic_column), base=base, follow=follow)


def filter_problem(topic: str) -> str | None:
    """What is wrong with a filter of topics, as of section 4.7 of MQTT 5, or None."""
    levels = topic.split("/")
    if not topic or "\0" in topic or len(topic.encode()) > 65535:
        return f"expected 1 to 65,535 bytes of text, found {topic[:40]!r}"
    for number, level in enumerate(levels, 1):
        if "#" in level and (level != "#" or number != len(levels)):
            return f"expected # alone after the last slash, found {level!r} in {topic!r}"
        if "+" in level and level != "+":
            return f"expected + alone between slashes, found {level!r} in {topic!r}"
    return None
