"""A column as it is read: its type, its values as numbers or codes, and what does not fit its type."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from afield.explore import written
from afield.preprocess import cells
from afield.preprocess.table.spec import MISSING
from afield.report.model.exploration import ColumnType

# Arrow makes these functions when it is imported, so that a type checker cannot see them.
pc: Any = pyarrow.compute

NEARLY = 0.9
"""Share of the values from which on a column is of a type, and the others are what does not fit."""
SOME = 0.1
LONG = 40
"""Mean characters of a value from which on it is text rather than a category."""
WORDS = 3
"""Mean words of the same."""
LEAST_TEXTS = 50
HEAD = 256
SOME_VALUES = 100_000
"""Values that say what is worth trying."""


@dataclass(frozen=True)
class Column:
    """N values of one column.

    Args:
        name: of the column.
        type: what the values are.
        array: as they were read.
        values: float64[N]; numbers, truths as 0 and 1, dates as seconds since 1970; NaN where there is none.
        codes: int32[N]; place of each value in `words`, -1 where there is none; of categories and text.
        words: the different values of categories and text.
        missing: rows without a value.
        distinct: different values.
        forms: how its values are written -> rows; of dates and of what looks like numbers.
        odd: rows whose value is not of the type, int64[K].
    """

    name: str
    type: ColumnType
    array: pa.Array
    values: np.ndarray | None = None
    codes: np.ndarray | None = None
    words: pa.Array | None = None
    missing: int = 0
    distinct: int = 0
    forms: Mapping[str, int] = field(default_factory=dict[str, int])
    odd: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.array)

    @property
    def absent(self) -> np.ndarray:
        """bool[N]: where there is no value."""
        if self.values is not None:
            return np.isnan(self.values)
        return self.codes < 0 if self.codes is not None else np.zeros(len(self), bool)

    @property
    def numeric(self) -> bool:
        """Whether it is read as numbers."""
        return self.type in ("whole number", "number")

    def text(self, row: int) -> str:
        """One value as it was read; empty where there is none."""
        value = self.array[row].as_py()
        if isinstance(value, float):
            return "" if value != value else str(int(value)) if value.is_integer() else f"{value:.6g}"
        if isinstance(value, bytes | list):
            return f"{len(value):,} values"
        return "" if value is None else str(value).strip()


def read(name: str, chunked: pa.ChunkedArray) -> Column:
    """Finds out what a column holds."""
    array = cells.plain(chunked.combine_chunks())
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    kind = array.type
    if cells.is_text(kind):
        return _text(name, array.cast(pa.string()))
    if pa.types.is_null(kind):
        return Column(name, "empty", array, np.full(len(array), np.nan), missing=len(array))
    if cells.is_moment(kind):
        return _numbers(name, array, cells.moments(array), "date")
    if cells.is_amount(kind):
        return _numbers(name, array, cells.numbers(array), "truth" if pa.types.is_boolean(kind) else "number")
    return Column(name, "other", array, missing=array.null_count)


def _numbers(name: str, array: pa.Array, values: np.ndarray, kind: ColumnType, **facts: Any) -> Column:
    finite = np.isfinite(values)
    count = int(finite.sum())
    known = values
    if count < len(values):
        values = np.where(finite, values, np.nan)
        known = values[finite]
    if not count:
        return Column(name, "empty", array, values, missing=len(values))
    if kind == "number" and _whole(known[:HEAD]) and _whole(known):
        kind = "whole number"
    missing = len(values) - count - len(facts.get("odd", ()))
    return Column(name, kind, array, values, missing=missing, distinct=_distinct(known), **facts)


def _distinct(known: np.ndarray) -> int:
    """How many different numbers there are: by a table of them where they are few, which is several times faster."""
    some = known[:: max(len(known) // SOME_VALUES, 1)]
    if len(some) < len(known) and pc.count_distinct(pa.array(some)).as_py() < len(some) / 2:
        return pc.count_distinct(pa.array(known)).as_py()
    ascending = np.sort(known)
    return int((ascending[1:] != ascending[:-1]).sum()) + 1


def _whole(values: np.ndarray) -> bool:
    return bool((values == np.floor(values)).all())


def _text(name: str, array: pa.Array) -> Column:
    # A cast that fails makes a message for every value: the first ones say whether it is worth trying.
    head = _present(array.slice(0, HEAD))
    if _all(head, written.NUMBER):
        if not head.null_count:
            with suppress(pa.ArrowInvalid):
                return _numbers(name, array, _cast(array), "number")
        with suppress(pa.ArrowInvalid):
            return _numbers(name, array, _cast(_present(array)), "number")
    present = _present(array)
    if _all(head, written.DATES[written.ISO]):
        with suppress(pa.ArrowInvalid):
            known = len(array) - present.null_count
            return _numbers(name, array, _moments(present), "date", forms={written.ISO: known})
    return _words(name, array, present)


def _present(array: pa.Array) -> pa.Array:
    """The values without blanks around them, null where there is none."""
    trimmed = pc.utf8_trim(array, characters=cells.BLANKS)
    return pc.if_else(pc.is_in(trimmed, value_set=pa.array(MISSING)), pa.scalar(None, pa.string()), trimmed)


def _all(array: pa.Array, pattern: str) -> bool:
    return bool(written.matches(array.drop_null(), pattern).all())


def _cast(array: pa.Array) -> np.ndarray:
    """float64[N].

    Raises:
        ArrowInvalid: not all of it is numbers.
    """
    return pc.cast(array, pa.float64()).to_numpy(zero_copy_only=False)


def _moments(array: pa.Array) -> np.ndarray:
    return cells.moments(pc.cast(array, pa.timestamp("us")))


def _words(name: str, array: pa.Array, present: pa.Array) -> Column:
    encoded = present.dictionary_encode()
    words = encoded.dictionary
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    rows = np.bincount(codes[codes >= 0], minlength=len(words))
    known = int(rows.sum())
    if not known:
        return Column(name, "empty", array, np.full(len(codes), np.nan), missing=len(codes))

    def of(chosen: np.ndarray) -> np.ndarray:
        """The rows of some of the words."""
        return np.flatnonzero(np.append(chosen, False)[codes])

    def spread(values: np.ndarray, kind: ColumnType, **facts: Any) -> Column:
        """The column whose different values are known as numbers."""
        return _numbers(name, array, np.append(values, np.nan)[codes], kind, **facts)

    if pc.all(pc.is_in(pc.utf8_lower(words), value_set=pa.array(list(cells.TRUTHS)))).as_py():
        return spread(cells.truths(words), "truth")
    numbers = written.matches(words, written.NUMBER)
    of_numbers = int(rows[numbers].sum())
    if of_numbers >= NEARLY * known:
        return spread(cells.numbers(words), "number", odd=of(~numbers))
    dates = written.dates(words)
    dated = np.any([np.zeros(len(words), bool), *dates.values()], axis=0)
    if rows[dated].sum() >= NEARLY * known:
        forms = {form: int(rows[mask].sum()) for form, mask in dates.items() if mask.any()}
        return spread(written.moments(words, dates), "date", forms=forms, odd=of(~dated))
    form = next((f for f, mask in written.decorated(words) if rows[mask | numbers].sum() >= NEARLY * known), None)
    return Column(
        name,
        _wordy(words, rows),
        array,
        None,
        codes,
        words,
        missing=len(codes) - known,
        distinct=len(words),
        forms={} if form is None else {form: known},
        odd=of(numbers) if form is None and of_numbers >= SOME * known else np.zeros(0, np.int64),
    )


def _wordy(words: pa.Array, rows: np.ndarray) -> ColumnType:
    """Whether values are categories, or texts of several words."""
    if len(words) < LEAST_TEXTS:
        return "category"
    total = rows.sum()
    length = pc.utf8_length(words).to_numpy(zero_copy_only=False) @ rows / total
    blanks = pc.count_substring(words, pattern=" ").to_numpy(zero_copy_only=False) @ rows / total
    return "text" if blanks >= WORDS - 1 or length >= LONG else "category"
