"""How the MQTT sink is declared in a use case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from afield.connectors.logs import driver
from afield.connectors.sources.mqtt.spec import PORTS, Version, filter_problem
from afield.connectors.spool.broker import Broker
from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.connectors.sinks.mqtt.sink import MqttSink


class Mqtt(Broker, Component):
    """Answers as messages of an MQTT topic, each a JSON object; an answer given again is published again."""

    summary: ClassVar[str] = "JSON objects published to an MQTT topic, at least once."
    ports: ClassVar[Mapping[str, int]] = PORTS

    topic: str = Field(description="Topic that they are published to.", examples=["answers/boiler"])
    version: Version = Field(default="5", description="Version of MQTT.", examples=["3.1.1"])
    timeout: float = Field(
        default=30.0, gt=0, description="Seconds in which the broker must confirm a batch.", examples=[5]
    )

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say, found without a broker."""
        problems = list(self.broker_problems())
        if "+" in self.topic or "#" in self.topic:
            problems.append(Problem(("topic",), f"expected one topic, without + and #; found {self.topic!r}"))
        elif message := filter_problem(self.topic):
            problems.append(Problem(("topic",), message))
        return problems

    def open(self, base: Path) -> MqttSink:
        """The sink; `base` is the folder of the use case, for certificates.

        Raises:
            UseCaseError: a certificate cannot be read.
            StateError: paho-mqtt is not installed.
        """
        driver("paho.mqtt.client", "sink.mqtt", "mqtt")
        from afield.connectors.sinks.mqtt.sink import MqttSink

        return MqttSink(self, base)
