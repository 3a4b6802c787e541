"""Cuts what comes over TCP into messages: those that end with a newline, and those that begin with their length."""

from __future__ import annotations

import re

_LENGTH = re.compile(rb"([1-9]\d{0,9}) ")
_DIGITS = re.compile(rb"[1-9]\d{0,9}\Z")


class Frames:
    """The messages of one connection, as of RFC 6587; of one that is too long one byte more than the limit is kept.

    Args:
        limit: bytes of the longest message.
    """

    def __init__(self, limit: int) -> None:
        self._kept = limit + 1
        self._open = bytearray()
        self._drop = 0
        self._drop_line = False

    def feed(self, data: bytes) -> list[bytes]:
        """Takes the next bytes; returns the messages that they complete."""
        self._open += data
        found: list[bytes] = []
        while (message := self._next()) is not None:
            if message:
                found.append(message)
        return found

    def finish(self) -> bytes | None:
        """What the connection ended in the middle of, or None."""
        return None if self._drop or self._drop_line else bytes(self._open).rstrip(b"\r\n") or None

    def _next(self) -> bytes | None:
        """One message, b"" where something was passed over, None where more is needed."""
        if self._drop:
            dropped = min(self._drop, len(self._open))
            del self._open[:dropped]
            self._drop -= dropped
            return None if self._drop or not self._open else b""
        if self._drop_line:
            end = self._open.find(b"\n")
            del self._open[: end + 1 if end >= 0 else len(self._open)]
            self._drop_line = end < 0
            return None if self._drop_line else b""
        if not self._open or _DIGITS.match(self._open):
            return None
        length = _LENGTH.match(self._open)
        return self._line() if length is None else self._counted(length.end(), int(length[1]))

    def _counted(self, start: int, length: int) -> bytes | None:
        kept = min(length, self._kept)
        if len(self._open) < start + kept:
            return None
        message = bytes(self._open[start : start + kept])
        del self._open[: start + kept]
        self._drop = length - kept
        return message

    def _line(self) -> bytes | None:
        end = self._open.find(b"\n", 0, self._kept + 1)
        if end < 0 and len(self._open) <= self._kept:
            return None
        message = bytes(self._open[: end if end >= 0 else self._kept]).rstrip(b"\r")
        del self._open[: end + 1 if end >= 0 else self._kept]
        self._drop_line = end < 0
        return message
