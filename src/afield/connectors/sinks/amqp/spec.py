"""How the AMQP sink is declared in a use case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from afield.connectors.logs import driver
from afield.connectors.sources.amqp.spec import PORTS
from afield.connectors.spool.broker import Broker
from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.connectors.sinks.amqp.sink import AmqpSink


class Amqp(Broker, Component):
    """Answers as messages to RabbitMQ, each a JSON object; an answer given again has the same message id."""

    summary: ClassVar[str] = "JSON objects as persistent messages to RabbitMQ, confirmed, at least once."
    ports: ClassVar[Mapping[str, int]] = PORTS

    exchange: str = Field(
        default="",
        max_length=255,
        description="Exchange that they are published to; the default one, which goes by the name of the queue, where "
        "it is left out.",
        examples=["answers"],
    )
    routing_key: str = Field(
        max_length=255,
        description="Where the exchange sends them; of the default exchange the name of a queue.",
        examples=["boiler"],
    )
    timeout: float = Field(
        default=30.0, gt=0, description="Seconds in which the broker must confirm a batch.", examples=[5]
    )

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say, found without a broker."""
        return list(self.broker_problems())

    def open(self, base: Path) -> AmqpSink:
        """The sink; `base` is the folder of the use case, for certificates.

        Raises:
            UseCaseError: a certificate cannot be read.
            StateError: pika is not installed.
        """
        driver("pika", "sink.amqp", "amqp")
        from afield.connectors.sinks.amqp.sink import AmqpSink

        return AmqpSink(self, base)
