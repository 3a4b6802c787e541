"""The fit of the table step: what each column holds, found while the training records pass by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from afield.preprocess import cells
from afield.preprocess.table.moments import Moments, Sample
from afield.preprocess.table.scaling import LARGEST

NUMBER, TRUTH, MOMENT, TEXT, UNREADABLE = 1, 2, 4, 8, 16
"""Kinds of values; those that a column has held are added up."""
COUNTED = 20_000
"""Distinct values of a column that are counted, or four times the categories that are kept where that is more."""
BLOCK = 4096
"""Rows that are read at a time, so that they stay in the processor's cache."""


@dataclass
class Seen:
    """What is known of one column.

    Args:
        name: of the column.
        category: whether it is declared to be a category.
        number: whether it is declared to be a number.
        kinds: kinds of values met, added up.
        counts: value -> how often it stands there, of the first distinct values.
        present: values that are not missing.
        absent: missing values.
        full: whether there are more distinct values than are counted.
        refused: name of a type that is not read.
    """

    name: str
    category: bool
    number: bool
    kinds: int = 0
    counts: dict[str, int] = field(default_factory=dict[str, int])
    present: int = 0
    absent: int = 0
    full: bool = False
    refused: str = ""

    @property
    def settled(self) -> bool:
        """Whether it is numbers, whatever may come: declared so, or so many that the rest counts as missing."""
        return self.number or (self.kinds == NUMBER and self.full)

    @property
    def mixed(self) -> bool:
        """Whether it can only be categories."""
        return not self.settled and (self.category or self.kinds not in (0, NUMBER, TRUTH, MOMENT))


@dataclass
class Learned:
    """What is known of the training records.

    Args:
        columns: in the order of the records.
        most: distinct values of a column that are counted.
        missing: text that stands for a missing value.
        sentinels: numbers that stand for one.
        moments: of the columns as numbers.
        sample: of the rows as numbers.
        records: number of records.
    """

    columns: list[Seen]
    most: int
    missing: frozenset[str]
    sentinels: list[float]
    moments: Moments
    sample: Sample
    records: int = 0

    @classmethod
    def of(cls, columns: list[Seen], most: int, missing: list[str]) -> Learned:
        """Of no records yet."""
        size = len(columns)
        counted = max(COUNTED, 4 * most)
        return cls(columns, counted, frozenset(missing), sentinels(missing), Moments.of(size), Sample(size))

    def observe(self, batch: pa.RecordBatch) -> None:
        """Takes in records that have all the columns."""
        batch = batch.select([column.name for column in self.columns])
        for begin in range(0, batch.num_rows, BLOCK):
            values = self._values(batch.slice(begin, BLOCK))
            drop(values, self.sentinels)
            self.moments.add(values)
            self.sample.add(values, self.records)
            self.records += len(values)

    def _values(self, block: pa.RecordBatch) -> np.ndarray:
        """float32 or float64 [N, S]: the columns as numbers, NaN where they are none."""
        plain = [
            place
            for place, (column, kind) in enumerate(zip(self.columns, block.schema.types, strict=True))
            if cells.is_number(kind) and not column.category
        ]
        for place in plain:
            self.columns[place].kinds |= NUMBER
        matrix = cells.matrix(block, plain)
        if len(plain) == len(self.columns):
            return matrix
        values = np.full((block.num_rows, len(self.columns)), np.nan)
        values[:, plain] = matrix
        for place in set(range(len(self.columns))) - set(plain):
            values[:, place] = self._column(self.columns[place], cells.plain(block.column(place)))
        return values

    def _column(self, seen: Seen, array: pa.Array) -> np.ndarray | float:
        kind = array.type
        if pa.types.is_null(kind):
            seen.absent += len(array)
            return np.nan
        if not (cells.is_text(kind) or cells.is_amount(kind) or cells.is_moment(kind)):
            seen.kinds |= UNREADABLE
            seen.refused = str(kind)
            return np.nan
        if seen.category or cells.is_text(kind):
            return cells.numbers(array) if seen.settled else self._text(seen, array)
        if cells.is_moment(kind):
            seen.kinds |= MOMENT
            return cells.moments(array)
        seen.kinds |= TRUTH if pa.types.is_boolean(kind) else NUMBER
        return cells.numbers(array)

    def _text(self, seen: Seen, array: pa.Array) -> np.ndarray | float:
        """Counts the values of a column of text, and reads them as what they have been so far."""
        encoded: Any = array.dictionary_encode()
        codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
        repeats = np.bincount(codes, minlength=len(encoded.dictionary) + 1).tolist()
        values = np.full(len(repeats), np.nan)
        seen.absent += repeats[-1]
        for place, (text, count) in enumerate(zip(cells.texts(encoded.dictionary), repeats, strict=False)):
            if text is None or text in self.missing:
                seen.absent += count
                continue
            seen.present += count
            if not seen.mixed:
                values[place] = _read(seen, text)
            if text in seen.counts:
                seen.counts[text] += count
            elif len(seen.counts) < self.most:
                seen.counts[text] = count
            else:
                seen.full = True
        return values[codes]


def sentinels(missing: Iterable[str]) -> list[float]:
    """The numbers among the texts that stand for a missing value, such as -999."""
    found = [cells.number_of(text) for text in missing]
    return sorted(number for number in found if number is not None and np.isfinite(number))


def drop(values: np.ndarray, numbers: list[float]) -> None:
    """Sets to NaN the numbers that stand for a missing value, and those that 32 bits cannot hold."""
    for number in numbers:
        values[values == number] = np.nan
    if values.dtype == np.float64:
        values[np.abs(values) > LARGEST] = np.nan


def _read(seen: Seen, text: str) -> float:
    """A value as a number, noting its kind; of a column that is numbers for good, what is none is NaN."""
    number = cells.number_of(text)
    if number is not None or seen.settled:
        seen.kinds |= NUMBER
        return np.nan if number is None else number
    truth = cells.TRUTHS.get(text.lower())
    if truth is not None:
        seen.kinds |= TRUTH
        return truth
    moment = cells.moment_of(text)
    seen.kinds |= TEXT if moment is None else MOMENT
    return np.nan if moment is None else moment
