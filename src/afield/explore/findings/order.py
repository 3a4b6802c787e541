"""The answer is given away by when, where in the file, or in which file a row stands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from afield.explore.base import ROWS_SHOWN, Sample
from afield.explore.findings.leakage import MOST
from afield.explore.giving import FILE, ORDER
from afield.report.model.exploration import Finding

MUCH = 0.5
"""Share of the errors (or R2) that the place or the time saves alone from which on a random split misleads."""


def look(sample: Sample) -> list[Finding]:
    """One finding for the order, the file, and each column of dates."""
    return list(_found(sample))


def _found(sample: Sample) -> Iterator[Finding]:
    target = sample.target
    if target is None:
        return
    spread = np.linspace(0, sample.count - 1, min(sample.count, ROWS_SHOWN)).astype(np.int64)
    dates = [column.name for column in sample.features if column.type == "date"]
    for name in (ORDER, FILE, *dates):
        share = sample.giving.get(name, 0.0)
        if share < MUCH or (name in dates and share >= MOST):
            continue
        said = f"`{name}`" if name in dates else name
        if name == FILE:
            advice = "test on files that training has not seen: `split: {by: file, test_files: ...}`"
        elif name in dates:
            advice = f"test on what is newer than the training: `split: {{by: time, time: {name}}}`"
        else:
            advice = "a random split would test on neighbours of the rows of training: `split: {by: time}`"
        yield Finding(
            kind="order",
            columns=[name] if name in dates else [],
            message=f"{said} tells much of the answer: alone it saves {share:.1%} of the errors or spread",
            advice=advice,
            count=sample.count,
            rows=sample.shown(spread, *([name] if name in dates else ()), *target.columns),
        )
