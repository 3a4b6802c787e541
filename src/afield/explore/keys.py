"""Keys of rows, equal where rows say the same, and columns that identify a row, which say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from afield.connectors.base import TEXT
from afield.explore.columns import Column
from afield.preprocess.keys import row_keys
from afield.preprocess.table.choose import DIFFERENT, FEWEST
from afield.preprocess.text.spec import Mask, Text

pc: Any = pyarrow.compute

MASKS: tuple[Mask, ...] = ("number", "hex", "ip", "uuid", "email")
"""What varies in lines of text without meaning."""
DROPPED = 13
"""Bits of a float32 that do not count where rows are nearly the same."""
LONG_NUMBER = 10**5
_ID = frozenset({"id", "uid", "guid", "uuid", "key", "number", "no", "nr", "index", "idx", "row"})


def identifies(column: Column) -> bool:
    """Whether nearly every value of a column is another one, as those of a name or number that identifies a row."""
    known = len(column) - column.missing
    if known < FEWEST:
        return False
    if column.codes is not None:
        return column.type == "category" and column.distinct >= DIFFERENT * known
    if column.type != "whole number" or column.distinct < known or column.values is None:
        return False
    low, high = float(np.nanmin(column.values)), float(np.nanmax(column.values))
    counted = high - low + 1 <= 1.1 * known
    alike = low >= LONG_NUMBER and len(str(int(low))) == len(str(int(high)))
    return counted or alike or bool(_ID & set(column.name.lower().replace("-", "_").split("_")))


def keys(columns: Sequence[Column], *, near: bool, text: bool, rows: np.ndarray | None = None) -> np.ndarray:
    """uint64[M]: equal for rows whose values are equal.

    Args:
        columns: that count; one or more.
        near: rows that are nearly the same are equal too: numbers to three digits, words whatever their case and
            blanks, lines of text but for numbers, addresses and the like.
        text: whether the rows are lines of text.
        rows: int64[M]; of the N rows, all where it is None.
    """
    if text and near:
        from afield.preprocess.text.step import TextStep

        lines = columns[0].array if rows is None else columns[0].array.take(pa.array(rows))
        return TextStep(Text.model_validate({"mask": MASKS})).keys(None, pa.record_batch({TEXT: lines}))
    return row_keys({f"{place:06}": _cells(column, near, rows) for place, column in enumerate(columns)})


def _cells(column: Column, near: bool, rows: np.ndarray | None) -> np.ndarray:
    if column.values is not None:
        values = (column.values if rows is None else column.values[rows]) + 0.0  # -0 becomes 0
        return (_rounded(values) if near else values)[:, None]
    if column.codes is None or column.words is None:
        return np.zeros((len(column) if rows is None else len(rows), 1), np.int32)
    codes = column.codes if rows is None else column.codes[rows]
    if near:
        plain = pc.replace_substring_regex(pc.utf8_lower(column.words), pattern=r"\s+", replacement=" ")
        same = plain.dictionary_encode().indices.to_numpy(zero_copy_only=False)
        codes = np.append(same, -1).astype(np.int32)[codes]
    return codes[:, None]


def _rounded(values: np.ndarray) -> np.ndarray:
    """uint32[N]: numbers rounded to about one part in a thousand, by the bits of a float32."""
    with np.errstate(over="ignore"):
        bits = values.astype(np.float32).view(np.uint32)
    return (bits + np.uint32(1 << (DROPPED - 1))) >> np.uint32(DROPPED)
