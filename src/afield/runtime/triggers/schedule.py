"""A schedule at work: runs that were missed, and clocks that were set back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Literal

from pydantic import Field

from afield.runtime.triggers.base import Firings, Waiting, everything
from afield.usecase.base import Component

MOST_RUNS = 10_000
"""Missed runs that are counted at most."""


class Scheduled(Component):
    """What triggers by the clock have in common."""

    catch_up: Literal["all", "last", "none"] = Field(
        default="last",
        description="What becomes of the runs that fell due while the process was down. `last`: one run makes up for "
        "all of them, as soon as what came meanwhile is read. `all`: the same, and each is counted. `none`: they are "
        "left out, and what came meanwhile waits for the next run.",
        examples=["none"],
    )


@dataclass(frozen=True)
class Schedule:
    """Answers what waits at each time of a schedule.

    Its mark is the time, in seconds since 1970, up to which no run is due any more.

    Args:
        after: seconds since 1970 -> the first time of the schedule after them.
        catch_up: what becomes of the runs that fell due while the process was down.
    """

    after: Callable[[float], float]
    catch_up: Literal["all", "last", "none"]

    def plan(self, waiting: Waiting) -> Firings:
        """All that waits, where a run is due."""
        # When the mark was given or this run began, by the clock as it is now set.
        begun = waiting.wall - waiting.elapsed
        base = self._base(begun, waiting)
        due = self.after(base)
        if waiting.resumed and due <= begun and not waiting.drained:
            # Missed: what came meanwhile is still being read, unless that takes until the next run.
            due = self.after(begun)
        if due > waiting.wall:
            return Firings([], waiting.now + due - waiting.wall)
        runs = self._runs(base, waiting.wall) if self.catch_up == "all" else 1
        return Firings(everything(waiting), None, repr(waiting.wall), runs)

    def _base(self, begun: float, waiting: Waiting) -> float:
        """The time after which the next run is due."""
        mark = begun if waiting.mark is None else float(waiting.mark)
        if mark <= begun:
            return begun if waiting.resumed and self.catch_up == "none" else mark
        # The clock was set back since. A time that comes so soon after the last run is the one that was answered.
        coming = self.after(begun)
        following = self.after(coming)
        return coming if coming - begun < (following - coming) / 2 else begun

    def _runs(self, base: float, wall: float) -> int:
        for runs in count():
            base = self.after(base)
            if base > wall or runs == MOST_RUNS:
                return runs
        raise AssertionError("count() does not end")
