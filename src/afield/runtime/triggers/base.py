"""The seam of triggers: what they are told, and what they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import Field

if TYPE_CHECKING:
    import pyarrow as pa

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

Duration = Annotated[str, Field(pattern=r"^[1-9]\d{0,8}(ms|s|m|h|d)$")]
"""A time as it is written: a whole number and ms, s, m, h or d."""


def in_seconds(duration: Duration) -> float:
    """A time that is written as `60s`, as a number."""
    number, unit = re.findall(r"\d+|\D+", duration)
    return int(number) * _SECONDS[unit]


@dataclass(frozen=True)
class Waiting:
    """What a trigger decides from: the records that wait, and the time.

    Args:
        pending: how many records wait.
        records: gives those from a place on (0: all), oldest first, in batches; only for triggers that look at them.
        seen: how many of them, from the oldest on, the trigger was asked about before in this run, and left waiting.
        now: seconds on the loop's clock, which never goes back.
        since: when the oldest of them arrived, on that clock; now, where none waits.
        latest: when the last record arrived, on that clock; the start of the run, where none did.
        drained: whether the source had no more when it was asked last.
        wall: seconds since 1970; this clock may be set, forwards and back.
        mark: what this trigger gave last, also in an earlier run; None where it never gave one.
        resumed: whether the mark is of an earlier run.
        elapsed: seconds since the mark was given, or since the run began, whichever is later, on the loop's clock.
    """

    pending: int
    records: Callable[[int], Sequence[pa.RecordBatch]]
    seen: int = 0
    now: float = 0.0
    since: float = 0.0
    latest: float = 0.0
    drained: bool = False
    wall: float = 0.0
    mark: str | None = None
    resumed: bool = False
    elapsed: float = 0.0


@dataclass(frozen=True)
class Firings:
    """What a trigger wants done with the records that wait.

    Args:
        slices: (start, stop) of waiting records, ascending and apart, to be answered, those of a slice together. What
            stands before the end of the last slice is done with, in a slice or not; what stands after it goes on
            waiting.
        wake_at: seconds on the loop's clock at which to ask again though nothing arrives, None for never; the loop
            asks at least about once a second.
        mark: what the trigger wants to be told from now on, in later runs too; None leaves it as it is. It is
            committed with the answers.
        runs: scheduled runs that this stands for, whether records wait or not.
    """

    slices: Sequence[tuple[int, int]]
    wake_at: float | None = None
    mark: str | None = None
    runs: int = 0


class Trigger(Protocol):
    """Decides, from what waits and what time it is, which of the records are answered now.

    It keeps nothing between two questions: what it must remember is its mark.
    """

    def plan(self, waiting: Waiting) -> Firings: ...


def everything(waiting: Waiting) -> list[tuple[int, int]]:
    """One slice of all that waits; none where nothing does."""
    return [(0, waiting.pending)] if waiting.pending else []
