"""Classes that are too rare to learn."""

from __future__ import annotations

import numpy as np

from afield.explore.base import ROWS_SHOWN, Sample
from afield.report.model.exploration import Finding

FEWEST = 10
"""Rows below which a class is too rare: the parts of the data leave hardly any of them to test on."""
NAMED = 10


def look(sample: Sample) -> list[Finding]:
    """One finding for all rare classes."""
    target = sample.target
    if target is None or not target.classes:
        return []
    counts = np.bincount(target.values[target.known], minlength=len(target.classes))
    rare = np.flatnonzero((counts > 0) & (counts < FEWEST))
    if not len(rare):
        return []
    rows = np.flatnonzero(np.isin(target.values, rare))
    first = rare[np.argsort(counts[rare], kind="stable")][:NAMED].tolist()
    named = ", ".join(
        f"'{sample.curtain.value(target.name, target.classes[place])}' ({counts[place]:,})" for place in first
    )
    return [
        Finding(
            kind="rare classes",
            columns=target.columns,
            message=f"{len(rare):,} of {int((counts > 0).sum()):,} classes have fewer than {FEWEST} rows: {named}"
            f"{', ...' if len(rare) > NAMED else ''}",
            advice="get more rows of them, join classes, or leave them out with "
            f"`question: {{rare: drop, min_rows: {FEWEST}}}`",
            count=len(rows),
            rows=sample.shown(rows[:ROWS_SHOWN]),
        )
    ]
