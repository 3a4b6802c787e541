"""What is asked of each row: the target column or the labels of the use case, as classes or values."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from afield.errors import DataError, UseCaseError
from afield.explore import columns
from afield.explore.base import Target
from afield.explore.columns import Column
from afield.explore.reading.rows import Rows
from afield.report.model.base import Kind

pc: Any = pyarrow.compute

FEW = 20
"""Whole numbers up to so many different ones are classes."""
EACH = 5
"""Rows that each of them must have on average."""
SEPARATOR = ";"
TAGGED = 0.1
"""Share of rows with several tags from which on a column holds tags."""


def target_of(rows: Rows, read: Sequence[Column], name: str | None) -> Target | None:
    """The target.

    Args:
        rows: as they were read.
        read: their columns.
        name: of the column that a person names; None takes the labels of the rows, where they have any.

    Raises:
        UseCaseError: there is no such column.
        DataError: all rows are of one class, or no row has an answer.
    """
    if name is not None:
        column = _named(rows, read, name)
        return _target(column.name, column, _kind(column), [column.name])
    if rows.labels is None:
        return None
    column = columns.read(rows.origin, pa.chunked_array([rows.labels]))
    kind = rows.case.model.question.kind if rows.case else "classify"
    if kind in ("abnormal", "group", "write"):
        return None
    return _target(rows.origin, column, kind, list(rows.hidden))


def _named(rows: Rows, read: Sequence[Column], name: str) -> Column:
    found = next((column for column in read if column.name == name), None)
    if found is not None:
        return found
    names = [column.name for column in read]
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(names)}"
    raise UseCaseError(f"--target {name}: {rows.name} has no such column; {hint}")


def _kind(column: Column) -> Kind:
    known = len(column) - column.missing
    if column.type == "other":
        raise UseCaseError(f"--target {column.name}: expected classes or numbers, found {column.array.type}")
    if column.type == "whole number":
        classes = column.distinct <= FEW and known >= EACH * column.distinct
        return "classify" if classes else "regress"
    if column.type == "number":
        return "regress"
    return "tag" if _tagged(column) else "classify"


def _tagged(column: Column) -> bool:
    if column.codes is None or column.words is None:
        return False
    several = pc.match_substring(column.words, pattern=SEPARATOR).to_numpy(zero_copy_only=False)
    rows = np.bincount(column.codes[column.codes >= 0], minlength=len(column.words))
    return bool(rows[several].sum() >= TAGGED * max(rows.sum(), 1))


def _target(name: str, column: Column, kind: Kind, hidden: list[str]) -> Target:
    if column.missing == len(column):
        raise DataError(f"{name}: no row has an answer; name another column with --target")
    if kind == "regress":
        if column.values is None:
            text = next(word for word in column.words.to_pylist() if word) if column.words else ""
            raise DataError(f"{name}: `kind: regress` needs a number as the answer of each row, found '{text}'")
        return Target(name, kind, column.values, [], hidden)
    words, codes = _classes(column)
    if len(words) == 1:
        raise DataError(
            f"{name}: all {len(column) - column.missing:,} rows are of one class, '{words[0]}'; expected at least two: "
            "name another column with --target, or add rows of another class"
        )
    return Target(name, kind, codes, words, hidden)


def _classes(column: Column) -> tuple[list[str], np.ndarray]:
    """Names of the classes, sorted, and int32[N], the class of each row, -1 where there is none."""
    if column.codes is not None and column.words is not None:
        words, codes = [str(word) for word in column.words.to_pylist()], column.codes
    else:
        assert column.values is not None
        known = ~np.isnan(column.values)
        _, first, places = np.unique(column.values[known], return_index=True, return_inverse=True)
        rows = np.flatnonzero(known)[first].tolist()
        words = [column.text(row) for row in rows]
        codes = np.full(len(column), -1, np.int32)
        codes[known] = places
    order = sorted(range(len(words)), key=words.__getitem__)
    place = np.empty(len(words) + 1, np.int32)
    place[order] = np.arange(len(words))
    place[-1] = -1
    return [words[at] for at in order], place[codes]
