"""Records of more than one line: joins lines to what a start pattern says belongs together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from afield.connectors.sources.files import utf8
from afield.connectors.sources.files.reader import Lines


@dataclass
class _Open:
    """The record whose end has not been seen: its beginning, up to the limit."""

    text: bytes
    offset: int
    number: int


class Joiner:
    """Joins lines to records: a line that matches starts one, lines that do not match belong to the one before.

    Lines before the first match are a record of their own.

    Args:
        pattern: regular expression (RE2), matched at the start of a line.
        limit: longest record in bytes.
    """

    def __init__(self, pattern: str, limit: int) -> None:
        self.cut = 0
        self._pattern = pc.MatchSubstringOptions(rf"\A(?:{pattern})")
        self._limit = limit
        self._open: _Open | None = None

    @property
    def holds(self) -> bool:
        """Whether a record has begun whose end has not been seen."""
        return self._open is not None

    def feed(self, lines: Lines) -> Lines | None:
        """Takes the next lines; returns the records they complete, None where they complete none."""
        starts = pc.call_function("match_substring_regex", [lines.text], self._pattern).to_numpy(zero_copy_only=False)
        if self._open is None:
            starts = starts.copy()
            starts[0] = True
        firsts = np.flatnonzero(starts)
        if not len(firsts):
            self._extend(_joined(lines.text, np.array([0, len(lines)])))
            return None
        if firsts[0] > 0:
            self._extend(_joined(lines.text, np.array([0, firsts[0]])))
        bounds = np.append(firsts, len(lines))
        records = _joined(lines.text, bounds)
        offsets, numbers = lines.offsets[firsts], lines.numbers[firsts]
        done, before = records.slice(0, len(records) - 1), self._open
        self._open = _Open(b"", int(offsets[-1]), int(numbers[-1]))
        self._open.text = self._bounded(records[-1].as_py().encode())
        text = self._cut(done)
        if before is not None:
            text = pa.concat_arrays([self._cut(pa.array([before.text.decode()])), text])
            offsets = np.insert(offsets, 0, before.offset)
            numbers = np.insert(numbers, 0, before.number)
        if not len(text):
            return None
        return Lines(text, offsets[:-1], numbers[:-1], self._open.offset, self._open.number)

    def flush(self, next_offset: int, next_number: int) -> Lines | None:
        """The record held back, as it stands; the next one starts at the given place."""
        if self._open is None:
            return None
        held, self._open = self._open, None
        text = self._cut(pa.array([held.text.decode()]))
        return Lines(text, np.array([held.offset]), np.array([held.number]), next_offset, next_number)

    def _extend(self, more: pa.StringArray) -> None:
        assert self._open is not None
        if len(self._open.text) <= self._limit:
            self._open.text = self._bounded(self._open.text + b"\n" + more[0].as_py().encode())

    def _bounded(self, text: bytes) -> bytes:
        # One character more than the limit is kept: it shows, when the record is complete, that it was cut.
        return text[: utf8.whole_characters(text, self._limit + 4)]

    def _cut(self, records: pa.StringArray) -> pa.StringArray:
        too_long = np.flatnonzero(pc.call_function("binary_length", [records]).to_numpy() > self._limit)
        if not len(too_long):
            return records
        self.cut += len(too_long)
        texts = records.to_pylist()
        for record in too_long:
            text = texts[record].encode()
            texts[record] = text[: utf8.whole_characters(text, self._limit)].decode()
        return pa.array(texts, pa.string())


def _joined(lines: pa.StringArray, bounds: np.ndarray) -> pa.StringArray:
    groups = pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), lines)
    return pc.call_function("binary_join", [groups, pa.scalar("\n")])
