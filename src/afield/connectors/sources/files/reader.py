"""Bytes to Arrow strings: splits chunks into lines without a Python string a line, in memory bounded by one chunk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from afield.connectors.sources.files import utf8

NEWLINE, RETURN = 10, 13


@dataclass(frozen=True)
class Lines:
    """Lines, or records made of lines, in the order of their file.

    Args:
        text: string[N], without line ends.
        offsets: int64[N]; the byte of the uncompressed file where each starts.
        numbers: int64[N]; the line of the file where each starts, from 1.
        next_offset: where the record after the last one starts.
        next_number: its line.
    """

    text: pa.StringArray
    offsets: np.ndarray
    numbers: np.ndarray
    next_offset: int
    next_number: int

    def __len__(self) -> int:
        return len(self.text)

    def pieces(self, size: int) -> Iterator[Lines]:
        """The same in pieces of at most `size`, each knowing where the next one starts."""
        for start in range(0, len(self), size):
            end = start + size
            last = end >= len(self)
            yield Lines(
                self.text.slice(start, size),
                self.offsets[start:end],
                self.numbers[start:end],
                self.next_offset if last else int(self.offsets[end]),
                self.next_number if last else int(self.numbers[end]),
            )


class Splitter:
    """Splits the bytes of one file into lines, chunk by chunk, wherever the chunks are cut.

    A line ends with a newline, before which one carriage return is dropped. What is no UTF-8 becomes U+FFFD. Of a line
    that is longer than the limit only the beginning is kept, so that memory stays flat.

    Args:
        offset: byte of the file where the first chunk starts.
        number: its line, from 1.
        limit: longest line in bytes.
    """

    def __init__(self, *, offset: int = 0, number: int = 1, limit: int = 2**20) -> None:
        self.offset = offset
        self.number = number
        self.replaced = 0
        self.cut = 0
        self._limit = limit
        self._open = bytearray()
        self._dropped = 0

    @property
    def holds(self) -> bool:
        """Whether a line has begun whose end has not been seen."""
        return bool(self._open)

    def feed(self, chunk: bytes) -> Lines | None:
        """Takes the next bytes; returns the lines they complete, None where they complete none."""
        end = chunk.rfind(b"\n") + 1
        if end == 0:
            self._hold(chunk)
            return None
        # What was dropped of an endless line is dropped to its newline, so that its kept part stands before that.
        skip = chunk.find(b"\n") if self._dropped else 0
        complete = self._open + chunk[skip:end] if self._open else memoryview(chunk)[:end]
        lines = self._split(np.frombuffer(complete, np.uint8), self._dropped + skip)
        self._open, self._dropped = bytearray(), 0
        self._hold(chunk[end:])
        return lines

    def finish(self) -> Lines | None:
        """The last line, where the file does not end with a newline."""
        if not self._open:
            return None
        lines = self._split(np.frombuffer(self._open + b"\n", np.uint8), self._dropped)
        self.offset -= 1
        self._open, self._dropped = bytearray(), 0
        return Lines(lines.text, lines.offsets, lines.numbers, self.offset, self.number)

    def _hold(self, rest: bytes) -> None:
        # Some bytes beyond the limit are kept, to cut between two characters and to see that there is more.
        room = max(self._limit + 4 - len(self._open), 0)
        self._open += rest[:room]
        self._dropped += len(rest) - min(room, len(rest))

    def _split(self, block: np.ndarray, dropped: int) -> Lines:
        ends = np.flatnonzero(block == NEWLINE)
        count = len(ends)
        starts = np.zeros(count, np.int64)
        starts[1:] = ends[:-1] + 1
        offsets = self.offset + starts
        offsets[1:] += dropped
        numbers = np.arange(self.number, self.number + count)
        self.offset += len(block) + dropped
        self.number += count
        block, ends = self._trim(block, starts, ends)
        if not utf8.is_valid(block):
            repaired, replaced = utf8.repair(block.tobytes())
            self.replaced += replaced
            block = np.frombuffer(repaired, np.uint8)
            ends = np.flatnonzero(block == NEWLINE)
        return Lines(_strings(block, ends), offsets, numbers, self.offset, self.number)

    def _trim(self, block: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Takes out carriage returns before newlines, and what goes beyond the limit."""
        returns = (block[ends - 1] == RETURN) & (ends > starts)
        removed = returns.astype(np.int64)
        too_long = np.flatnonzero(ends - starts - removed > self._limit)
        if not returns.any() and not len(too_long):
            return block, ends
        keep = np.ones(len(block), bool)
        keep[ends[returns] - 1] = False
        for line in too_long:
            start, end = int(starts[line]), int(ends[line])
            beginning = block[start : start + self._limit + 4].tobytes()
            cut = start + utf8.whole_characters(beginning, self._limit)
            keep[cut:end] = False
            removed[line] = end - cut
        self.cut += len(too_long)
        return block[keep], ends - np.cumsum(removed)


def _strings(block: np.ndarray, ends: np.ndarray) -> pa.StringArray:
    keep = np.ones(len(block), bool)
    keep[ends] = False
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends - np.arange(len(ends))
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(block[keep]))
