"""How many steps run at a time: as many as a person would wait for, before the program is left for a moment."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator


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
        self._warm: set[Hashable] = set()

    def spans(self, shape: Hashable, first: int, last: int) -> Iterator[tuple[int, int]]:
        """(first step, step after the last one) of each span; the caller finishes one before it asks for the next.

        Args:
            shape: what the program of these steps was compiled for.
            first: the first step.
            last: the step after the last one.
        """
        while first < last:
            until = min(first + self._length(shape), last)
            started = time.perf_counter()
            yield first, until
            # The first span may have compiled; a single step is mostly the way in and out of the program.
            if shape in self._warm and until - first > 1:
                self._step_seconds = (time.perf_counter() - started) / (until - first)
            self._warm.add(shape)
            first = until

    def _length(self, shape: Hashable) -> int:
        if self._every is not None:
            return self._every
        if shape not in self._warm:
            return 1
        return max(int(self._seconds / self._step_seconds), 1) if self._step_seconds else 2
