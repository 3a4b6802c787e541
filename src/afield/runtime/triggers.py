"""When the model answers: the seam of triggers, and the one that answers at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from afield.usecase.base import Component


@dataclass(frozen=True)
class Firings:
    """What a trigger wants done with the records that wait.

    Args:
        slices: (start, stop) of waiting records, ascending and apart, to be answered. What stands before the end of
            the last slice is done with, in a slice or not; what stands after it goes on waiting.
        wake_at: seconds on the loop's clock at which to ask again though nothing arrives, None for never; the loop
            asks at least about once a second.
    """

    slices: Sequence[tuple[int, int]]
    wake_at: float | None = None


class Trigger(Protocol):
    """Decides, from how many records wait and what time it is, which of them are answered now."""

    def plan(self, pending: int, now: float) -> Firings: ...


class OnArrival(Component):
    """Every record is answered as soon as it is there."""

    summary: ClassVar[str] = "Answers every record as soon as it is there."

    def open(self) -> Trigger:
        """The trigger at work."""
        return self

    def plan(self, pending: int, now: float) -> Firings:
        """All that waits, now."""
        return Firings([(0, pending)] if pending else [])
