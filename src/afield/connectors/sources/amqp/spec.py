"""What a use case says about a queue of an AMQP 0-9-1 broker as a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from afield.connectors.logs import driver
from afield.connectors.messages import Messages
from afield.connectors.spool.broker import Broker
from afield.connectors.spool.spec import SpooledFields
from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.connectors.spool.spooled import Spooled

PORTS = {"amqp": 5672, "amqps": 5671}


class Amqp(Messages, Broker, SpooledFields, Component):
    """Records from a queue of RabbitMQ: each message is one, spooled before it is acknowledged."""

    summary: ClassVar[str] = "Messages of a RabbitMQ queue; none twice that has a message id."
    ports: ClassVar[Mapping[str, int]] = PORTS

    queue: str = Field(
        min_length=1,
        max_length=255,
        description="Name of the queue; it is there already, bound to what it gets.",
        examples=["readings"],
    )
    prefetch: int = Field(
        default=1000,
        ge=1,
        le=65535,
        description="Messages that the broker sends ahead of their acknowledgement.",
        examples=[200],
    )

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say, found without a broker."""
        return [*Messages.lint(self), *self.broker_problems()]

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
            StateError: pika is not installed.
        """
        self.require_label(labelled, "source.amqp")
        driver("pika", "source.amqp", "amqp")
        from afield.connectors.sources.amqp.receiver import AmqpReceiver
        from afield.connectors.spool.records import Records

        receiver = AmqpReceiver(self, base)
        return self.spooled("amqp", receiver, Records(self, labelled), base=base, follow=follow)
