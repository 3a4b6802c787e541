"""The bytes of one file as UTF-8: all of them, or pieces of a file that is larger than what is looked at."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from afield.connectors.sources.files import utf8
from afield.connectors.sources.files.stream import BINARY_PROBE, ByteStream, codec_of

PIECES = 64
"""Places of a large file that are read, evenly spread from its start to its end."""
BLOCK = 2**20
"""Bytes that are looked at together: they stay in the processor's cache."""
NEWLINE = 10
BINARY = f"binary: a NUL byte stands in its first {BINARY_PROBE // 1024} KiB"
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Content:
    """What was read of one file.

    Args:
        data: uint8; whole lines of UTF-8.
        starts: int64[P]; the line of `data`, from 0, at which each piece begins.
        lines: int64[P]; the line of the file, from 1, that stands there.
        size: bytes of the file, uncompressed as far as it was read.
        whole: whether it was read to its end.
        encoding: that it was written in.
        foreign: lines of the file, from 1, that are not of that encoding and were read as Windows-1252.
        damage: why it could be read only in part; empty where it could.
    """

    data: np.ndarray
    starts: np.ndarray
    lines: np.ndarray
    size: int
    whole: bool = True
    encoding: str = "UTF-8"
    foreign: list[int] = field(default_factory=list[int])
    damage: str = ""

    def buffer(self) -> pa.Buffer:
        """The bytes, not copied."""
        return pa.py_buffer(self.data)

    def head(self, size: int) -> str:
        """The first bytes as text."""
        return self.data[:size].tobytes().decode("utf-8", "replace")

    def line_of(self, places: np.ndarray) -> np.ndarray:
        """int64 like the lines of `data` that are given, from 0: their lines in the file, from 1."""
        piece = np.searchsorted(self.starts, places, side="right") - 1
        return self.lines[piece] + places - self.starts[piece]


class Unreadable(Exception):  # noqa: N818, as it is no error: the file is left out
    """Nothing of a file can be read; the text says why."""


def read(path: Path, budget: int) -> Content:
    """Reads a file.

    Args:
        path: the file; .gz, .bz2 and .zst are decompressed.
        budget: bytes that are read at most; of a larger file pieces are read, of a compressed one its beginning.

    Raises:
        Unreadable: it is binary.
        OSError: it cannot be opened.
    """
    if codec_of(path) is not None:
        return _decompressed(path, budget)
    if path.stat().st_size <= budget:
        # Not mapped: a log that is cut short while it is read would end the process.
        data = np.fromfile(path, np.uint8)
        return _as_utf8(data, len(data))
    with path.open("rb") as file:
        mapped = np.memmap(file, np.uint8, "r")
    if mapped[:2].tobytes() in _MARKS:
        return _as_utf8(mapped, len(mapped))
    _refuse_binary(mapped)
    data, starts, lines = _pieces(mapped, budget)
    found = _as_utf8(data, len(mapped), whole=False)
    return Content(
        found.data, starts, lines, found.size, False, found.encoding, _moved(found.foreign, starts, lines), found.damage
    )


def holds(data: np.ndarray, byte: int) -> bool:
    """Whether a byte stands anywhere in the data."""
    return any(bool((data[begin : begin + BLOCK] == byte).any()) for begin in range(0, len(data), BLOCK))


def newlines(data: np.ndarray) -> int:
    """How many newlines the data has."""
    return sum(int(np.count_nonzero(data[begin : begin + BLOCK] == NEWLINE)) for begin in range(0, len(data), BLOCK))


def line_starts(data: np.ndarray) -> np.ndarray:
    """int64[L]: where each line begins; a last newline begins none."""
    found = [np.zeros(1 if len(data) else 0, np.int64)]
    for begin in range(0, len(data), BLOCK):
        found.append(np.flatnonzero(data[begin : begin + BLOCK] == NEWLINE) + begin + 1)
    starts = np.concatenate(found)
    return starts[:-1] if len(starts) and starts[-1] == len(data) else starts


def _decompressed(path: Path, budget: int) -> Content:
    with closing(ByteStream(path)) as stream:
        data = np.frombuffer(stream.read(budget + 1), np.uint8)
        damage = stream.damage or ""
    whole = len(data) <= budget
    if not whole:
        data = data[: _line_end(data, budget)]
    return _as_utf8(data, len(data), whole=whole, damage=damage)


def _as_utf8(data: np.ndarray, size: int, *, whole: bool = True, damage: str = "") -> Content:
    one = np.zeros(1, np.int64)
    wide = _MARKS.get(data[:2].tobytes())
    if wide:
        text = data[2:].tobytes().decode(wide, "replace")
        converted = np.frombuffer(text.encode(), np.uint8)
        return Content(converted, one, one + 1, size, whole, "UTF-16", damage=damage)
    _refuse_binary(data)
    if data[:3].tobytes() == _UTF8_MARK:
        data = data[3:]
    if utf8.is_valid(data):
        return Content(data, one, one + 1, size, whole, damage=damage)
    repaired, foreign, mixed = _repaired(data)
    encoding = "UTF-8" if mixed else "Windows-1252"
    return Content(repaired, one, one + 1, size, whole, encoding, foreign if mixed else [], damage)


def _refuse_binary(data: np.ndarray) -> None:
    if not data[:BINARY_PROBE].all():
        raise Unreadable(BINARY)


def _repaired(data: np.ndarray) -> tuple[np.ndarray, list[int], bool]:
    """The bytes as UTF-8, the lines that were none, and whether others have letters beyond ASCII that are UTF-8."""
    parts: list[bytes] = []
    foreign: list[int] = []
    mixed, line, begin = False, 1, 0
    while begin < len(data):
        end = _line_end(data, begin + BLOCK)
        block = data[begin:end]
        if utf8.is_valid(block):
            mixed = mixed or bool((block >= 0x80).any())
            parts.append(block.tobytes())
        else:
            for number, text in enumerate(_lines(block)):
                try:
                    text.decode()
                    parts.append(text)
                    mixed = mixed or not text.isascii()
                except UnicodeDecodeError:
                    foreign.append(line + number)
                    parts.append(text.decode("cp1252", "replace").encode())
        line += newlines(block)
        begin = end
    return np.frombuffer(b"".join(parts), np.uint8), foreign, mixed


def _lines(block: np.ndarray) -> list[bytes]:
    """The lines of a block with their newlines: only a newline ends one."""
    *whole, last = block.tobytes().split(b"\n")
    return [*(line + b"\n" for line in whole), *([last] if last else [])]


def _line_end(data: np.ndarray, place: int) -> int:
    """The end of the line that a place stands in."""
    while place < len(data):
        found = np.flatnonzero(data[place : place + BLOCK] == NEWLINE)
        if len(found):
            return place + int(found[0]) + 1
        place += BLOCK
    return len(data)


def _pieces(data: np.ndarray, budget: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whole lines from everywhere in a file, and where the pieces begin: in what is returned, and in the file."""
    length = budget // PIECES
    parts: list[np.ndarray] = []
    starts: list[int] = []
    lines: list[int] = []
    held = 0
    passed, line = 0, 1
    for begin in np.linspace(0, len(data) - length, PIECES).astype(np.int64).tolist():
        first = max(_line_end(data, begin - 1) if begin else 0, passed)
        last = _line_end(data, begin + length)
        if last <= first:
            continue
        line += newlines(data[passed:first])
        starts.append(held)
        lines.append(line)
        parts.append(data[first:last])
        count = newlines(data[first:last])
        held, line, passed = held + count, line + count, last
    return np.concatenate(parts), np.array(starts, np.int64), np.array(lines, np.int64)


def _moved(foreign: list[int], starts: np.ndarray, lines: np.ndarray) -> list[int]:
    places = np.array(foreign, np.int64) - 1
    piece = np.searchsorted(starts, places, side="right") - 1
    return (lines[piece] + places - starts[piece]).tolist()
