"""Trouble that may pass is waited out: tried again, ever less often, until it passes or the run is to end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from afield.errors import TransientError

Result = TypeVar("Result")

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0


class Persistent:
    """Repeats what fails with a `TransientError`.

    Args:
        stop: ends the waiting; the error is raised then.
        warned: told of each failure, and when to expect the next try.
    """

    def __init__(self, stop: threading.Event, warned: Callable[[str], None]) -> None:
        self._stop = stop
        self._warned = warned

    def __call__(self, action: Callable[[], Result]) -> Result:
        """Does the action until it succeeds, and returns its result.

        Raises:
            TransientError: the run is to end before the trouble has.
        """
        seconds = FIRST_SECONDS
        while True:
            began = time.monotonic()
            try:
                return action()
            except TransientError as trouble:
                if time.monotonic() - began > LONGEST_SECONDS:
                    seconds = FIRST_SECONDS  # it went well for a while: this is other trouble
                self._warned(f"{trouble}; trying again in {seconds:.0f} s")
                if self._stop.wait(seconds):
                    raise
                seconds = min(2 * seconds, LONGEST_SECONDS)


def once(action: Callable[[], Result]) -> Result:
    """Does the action, once."""
    return action()
