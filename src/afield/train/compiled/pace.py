"""How many steps run at a time: as many as a person would wait for, before the program is left for a moment."""

from __future__ import annotations

import time
from collections.abc import Iterator

FIRST = 16
"""Steps that are timed first; a step before them is not counted, as it may have to be compiled."""


class Pace:
    """Cuts the steps of an epoch into spans of about equal time.

    Between two spans the program can be interrupted, and progress is shown. An epoch that is short runs as one span.

    Args:
        seconds: that a span should last.
        every: steps of each span, whatever their time; None leaves it to the clock.
    """

    def __init__(self, seconds: float, every: int | None = None) -> None:
        self._seconds = seconds
        self._every = every
        self._step_seconds: float | None = None
        self._warm = False

    def spans(self, count: int) -> Iterator[tuple[int, int]]:
        """(first step, step after the last one) of each span; the caller finishes one before it asks for the next."""
        first = 0
        while first < count:
            last = min(first + self._length(), count)
            started = time.perf_counter()
            yield first, last
            if self._warm:
                self._step_seconds = (time.perf_counter() - started) / (last - first)
            self._warm = True
            first = last

    def _length(self) -> int:
        if self._every is not None:
            return self._every
        if self._step_seconds is None:
            return FIRST if self._warm else 1
        return max(int(self._seconds / self._step_seconds), 1)
