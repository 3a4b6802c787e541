"""The parts that a training would make of the rows: by the use case's split, or at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from afield.connectors.base import FILE
from afield.explore.base import Target
from afield.explore.columns import Column
from afield.explore.keys import keys
from afield.explore.reading.rows import Rows
from afield.train.split import Parts, by_file, by_group, by_time, drawn
from afield.usecase.training import Split

MASKED_TEXT = "masked_text"


def parts(rows: Rows, read: Sequence[Column], target: Target | None, seed: int) -> tuple[Parts, str]:
    """The parts, and how they were made, in words.

    Args:
        rows: N rows.
        read: their columns.
        target: whose classes are spread over the parts.
        seed: of what is drawn.

    Raises:
        DataError: the use case's split does not fit its files.
    """
    how = rows.case.model.train.split if rows.case else Split()
    shares = (how.test, how.validation)
    classes = target.values if target and target.classes else np.zeros(rows.table.num_rows, np.int32)
    column = next((one for one in read if one.name in (how.time, how.group)), None)
    if how.by == "time":
        times = np.arange(len(classes)) if column is None else _numbers(column)
        return by_time(times, shares), "the use case's split by time"
    if how.by == "group" and (column or how.group == MASKED_TEXT):
        groups = keys(read, near=True, text=rows.text) if column is None else _numbers(column)
        return by_group(groups, classes, shares, seed), "the use case's split by group"
    if how.by == "file":
        assert how.test_files
        named = pa.table({FILE: pa.DictionaryArray.from_arrays(pa.array(rows.file), pa.array(rows.files))})
        made = by_file(named, np.arange(len(classes)), how.test_files, how.validation, classes, seed)
        return made, "the use case's split by file"
    return drawn(classes, shares, seed, stratify=how.stratify), "a random split"


def _numbers(column: Column) -> np.ndarray:
    """The values of a column as numbers that are equal where they are."""
    if column.values is not None:
        return np.nan_to_num(column.values, nan=-np.inf)
    return column.codes if column.codes is not None else np.arange(len(column))
