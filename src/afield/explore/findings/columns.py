"""Columns that nothing can be learned from: constant, almost empty, or another value in every row."""

from __future__ import annotations

import numpy as np

from afield.explore.base import Sample
from afield.explore.columns import Column
from afield.explore.keys import identifies
from afield.report.model.exploration import Finding

EMPTY = 0.95
"""Share of missing values from which on a column is almost empty."""


def look(sample: Sample) -> list[Finding]:
    """At most one finding a column."""
    hidden = sample.curtain.columns
    looked_at = (column for column in sample.features if column.type != "other" and column.name not in hidden)
    found = (_found(sample, column) for column in looked_at)
    return [finding for finding in found if finding is not None]


def useless(column: Column) -> bool:
    """Whether a column is constant, empty, or identifies its row."""
    return column.distinct < 2 or identifies(column)


def _found(sample: Sample, column: Column) -> Finding | None:
    name, count = column.name, len(column)
    leave = f"leave it out: `table: {{exclude: [{name}]}}`"
    present = np.flatnonzero(~column.absent)
    if column.type == "empty":
        return Finding(kind="empty", columns=[name], message=f"`{name}` is empty", advice=leave, count=count)
    if column.distinct == 1:
        gaps = f" or none ({column.missing:,} rows)" if column.missing else ""
        return Finding(
            kind="constant",
            columns=[name],
            message=f"`{name}` has one value in all rows{gaps}",
            advice=leave,
            count=len(present),
            rows=sample.shown(present[:1], name),
        )
    if column.missing >= EMPTY * count:
        return Finding(
            kind="almost empty",
            columns=[name],
            message=f"`{name}` is missing in {column.missing:,} of {count:,} rows ({column.missing / count:.1%})",
            advice=f"ask why; else {leave}",
            count=column.missing,
            rows=sample.shown(present, name),
        )
    if identifies(column) and not column.forms:
        return Finding(
            kind="identifier",
            columns=[name],
            message=f"`{name}` identifies its row: {column.distinct:,} of {len(present):,} values differ",
            advice=f"a network would learn them by heart; {leave}",
            count=len(present),
            rows=sample.shown(present[:3], name),
        )
    return None
