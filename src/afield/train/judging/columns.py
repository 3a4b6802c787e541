"""What the columns of a table have to do with an answer, under the names that a person knows them by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from afield.preprocess.base import Features
from afield.preprocess.cells import is_number
from afield.preprocess.windows import Windows
from afield.report.metrics import Contributions
from afield.report.model import Contribution
from afield.train.dataset import Dataset
from afield.train.shown import values_shown

AFTER = ("=", ".", " ")
"""What parts a column's name from what is read of it, in the name of a feature: `town=Rome`, `date.hour sin`."""


def names_of(data: Dataset) -> list[str]:
    """The name of each number of a record's one feature; empty where there is no such feature, or it has no names."""
    if len(data.features) != 1 or len(data.pipeline.parts) != 1:
        return []
    part = data.pipeline.parts[0]
    step: Any = part.step
    return step.names(part.fitted) if hasattr(step, "names") else []


def contributions(data: Dataset, parts: Callable[[Features], np.ndarray]) -> Contributions | None:
    """What each column adds to the scores of test examples; of a window, over all of its rows.

    Args:
        data: the dataset.
        parts: features of K examples -> float32[K, F], what each number of a record adds.

    Returns:
        None where the numbers have no names.
    """
    names = names_of(data)
    if not names:
        return None
    columns = data.pipeline.columns(data.records.table.schema)
    source = np.array([columns.index(column_of(name, columns)) for name in names])
    order = np.argsort(source, kind="stable")
    bounds = [*np.flatnonzero(np.diff(source[order], prepend=-1)), len(order)]
    groups = [order[first:last] for first, last in pairwise(bounds)]

    def of(rows: np.ndarray) -> list[list[Contribution]]:
        examples = data.parts.test[rows]
        added = parts(data.examples(examples).features).astype(np.float64)
        shares = added / np.maximum(added.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        told = values_shown(data, examples)
        return [
            [
                Contribution(
                    column=columns[source[group[0]]],
                    value=values.get(columns[source[group[0]]], ""),
                    share=float(row[group].sum()),
                )
                for group in groups
            ]
            for row, values in zip(shares, told, strict=True)
        ]

    return of


def column_of(name: str, columns: Sequence[str]) -> str:
    """The column that a number is read from, by its name: the longest that fits."""
    fitting = (
        column for column in columns if name == column or name.startswith(tuple(column + mark for mark in AFTER))
    )
    return max(fitting, key=len)


def named_values(data: Dataset, examples: np.ndarray) -> tuple[list[str], np.ndarray | None]:
    """What each number of some examples is called, and its value: as it was read where it is a column of numbers.

    Args:
        data: the dataset.
        examples: int64[K].

    Returns:
        Names, and float64[K, F], of windows the mean over their rows; no names and None where the numbers have none.
    """
    names = names_of(data)
    if not names:
        return [], None
    (feature,) = data.features.values()
    rows = np.array(feature.values if isinstance(feature, Windows) else feature, np.float64)
    table, cut = data.records.table, data.layout.cut
    for place, name in enumerate(names):
        if name in table.column_names and is_number(table.schema.field(name).type):
            read = table.column(name).to_numpy().astype(np.float64)
            read = read if cut is None else read[cut.order]
            # Values that are missing are told by columns of their own.
            rows[:, place] = np.where(np.isfinite(read), read, np.mean(read, where=np.isfinite(read)))
    if not isinstance(feature, Windows):
        return names, rows[examples]
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    starts = feature.starts[examples]
    return names, (sums[starts + feature.length] - sums[starts]) / feature.length
