"""One line that says how far a run is: rewritten on a terminal, written now and then where it is piped."""

from __future__ import annotations

import time
from typing import Self, TextIO

from afield.runtime.loop import Tally

TERMINAL_SECONDS = 0.2
PIPED_SECONDS = 60.0


class Status:
    """Shows a tally. Use as a context.

    Args:
        stream: where.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._shown = time.monotonic()
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal and self._width:
            print(file=self._stream)

    def warn(self, text: str) -> None:
        """Puts a line of its own beside the tally."""
        print(f"\r{text:<{self._width}}" if self._terminal else text, file=self._stream, flush=True)

    def show(self, tally: Tally) -> None:
        """Shows it, unless it was shown just now."""
        now = time.monotonic()
        if now - self._shown < (TERMINAL_SECONDS if self._terminal else PIPED_SECONDS):
            return
        self._shown = now
        rate = tally.answered / tally.seconds if tally.seconds else 0.0
        line = f"answered {tally.answered:,} records, {rate:,.0f} a second"
        self._width = max(self._width, len(line))
        print(
            f"\r{line:<{self._width}}" if self._terminal else line,
            end="" if self._terminal else "\n",
            file=self._stream,
        )
        self._stream.flush()
