"""Bytes that should be UTF-8: where a character ends, whether all are valid, and the repair of those that are not."""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa

REPLACEMENT = "\ufffd".encode()


def is_valid(data: np.ndarray) -> bool:
    """Whether uint8[N] is UTF-8 from its first byte to its last."""
    offsets = pa.py_buffer(np.array([0, len(data)], np.int32))
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def repair(data: bytes) -> tuple[bytes, int]:
    """The bytes with U+FFFD for what is no UTF-8, and how many there are of these."""
    repaired = data.decode("utf-8", "replace").encode()
    return repaired, repaired.count(REPLACEMENT) - data.count(REPLACEMENT)


def readable(path: str | os.PathLike[str]) -> str:
    """A path as text that can be shown and stored: each byte that is no UTF-8 as a backslash escape.

    The text only names the file; it is opened by the path itself.

    >>> readable(os.fsdecode(b"caf\\xe9.log"))
    'caf\\\\xe9.log'
    """
    return os.fspath(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def whole_characters(data: bytes, limit: int) -> int:
    """The greatest length up to `limit` that does not end inside a character, where the bytes are UTF-8."""
    if limit >= len(data):
        return len(data)
    for end in range(limit, max(limit - 4, -1), -1):
        if data[end] & 0xC0 != 0x80:
            return end
    return limit


def without_open_character(data: bytes) -> int:
    """The length of the bytes without a last character that may go on in the bytes to come."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 2 if byte & 0xE0 == 0xC0 else 3 if byte & 0xF0 == 0xE0 else 4 if byte & 0xF8 == 0xF0 else 1
        return len(data) - back if length > back else len(data)
    return len(data)
