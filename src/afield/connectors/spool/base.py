"""The seam of the spool: what receives messages that cannot be asked for again, and what makes records of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from afield.connectors.base import Batch


@dataclass(frozen=True, slots=True)
class Message:
    """What arrived.

    Args:
        payload: its bytes.
        origin: where it came from, for people: a topic, a queue, an address.
        identity: its name, where the protocol has one: of two messages with one name and one payload the first is kept.
    """

    payload: bytes
    origin: str = ""
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in the spool.

    Args:
        sequence: its number, from 1, growing.
        arrived: when it was spooled, in microseconds since 1970 UTC.
        origin: as of the message.
        payload: as of the message.
    """

    sequence: int
    arrived: int
    origin: str
    payload: bytes


class Inbox(Protocol):
    """Where a receiver puts what it receives; used from the thread of the receiver alone."""

    stream: str
    """Name of the spool, the same at every start."""

    stopped: threading.Event
    """Set when the receiver is to return."""

    def offer(self, messages: Sequence[Message]) -> bool:
        """Takes all of the messages and makes them durable, or, where the spool is full, takes none.

        Returns:
            Whether they are durable now, and may be acknowledged. Otherwise they are to be offered again later, and
            nothing more is to be taken from the origin.

        Raises:
            TransientError: the disk is full.
        """
        ...

    def connected(self) -> None:
        """The origin is reached: what failed before is over."""
        ...

    def note(self, name: str, reason: str) -> None:
        """Says what was not read, or only in part, and why."""
        ...


class Receiver(Protocol):
    """Takes messages from one origin."""

    def receive(self, inbox: Inbox) -> None:
        """Receives until `inbox.stopped` is set (looked at four times a second or more), or the origin has ended.

        Called again, with growing pauses, after a TransientError.

        Raises:
            TransientError: the origin is out of reach.
            UseCaseError: what is declared is refused: password, topic, port.
            DataError: what is asked for is not there.
        """
        ...


class Decodes(Protocol):
    """Makes records of messages."""

    def batch(self, stream: str, stored: Sequence[Stored]) -> Batch:
        """The records of the messages, and those that are none, with the position after the last."""
        ...

    def empty(self) -> Batch:
        """No records, with the columns of the others."""
        ...
