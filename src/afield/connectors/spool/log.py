"""Tells a torn end of SQLite's write-ahead log, which is cut off, from damage in its middle, which is not."""

from __future__ import annotations

import struct
from pathlib import Path

HEADER_BYTES, FRAME_BYTES = 32, 24


def damaged_at(log: Path) -> int | None:
    """The byte of the first damage that has whole transactions behind it, or None.

    SQLite itself ends its reading silently at the first frame whose checksum is wrong. After a crash that is the
    transaction that was being written, which nobody has been told of. Where more than one end of a transaction of the
    same log follows, some had been finished.

    Args:
        log: the file, as left by a crash; after an orderly end there is none.
    """
    if not log.exists():
        return None
    data = log.read_bytes()
    if len(data) < HEADER_BYTES:
        return None
    magic, _, page, _, salts = struct.unpack_from(">4I8s", data)
    order = ">" if magic & 1 else "<"
    sums = _checksum(data[:24], order, (0, 0))
    frame = FRAME_BYTES + page
    starts = range(HEADER_BYTES, len(data) - frame + 1, frame)
    if magic & ~1 != 0x377F0682 or sums != struct.unpack_from(">2I", data, 24):
        # The page size is not to be trusted; a header is written once, before the first frame.
        return 0 if len(data) > HEADER_BYTES + FRAME_BYTES else None
    for start in starts:
        if data[start + 8 : start + 16] != salts:
            return None
        sums = _checksum(data[start : start + 8], order, sums)
        sums = _checksum(data[start + FRAME_BYTES : start + frame], order, sums)
        if sums != struct.unpack_from(">2I", data, start + 16):
            finished = [later for later in starts if later >= start and _ends_one(data, later, salts)]
            return start if len(finished) > 1 else None
    return None


def _ends_one(data: bytes, start: int, salts: bytes) -> bool:
    (pages,) = struct.unpack_from(">I", data, start + 4)
    return pages != 0 and data[start + 8 : start + 16] == salts


def _checksum(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    # As of https://www.sqlite.org/fileformat2.html#checksum_algorithm
    first, second = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
