"""A column that almost gives the answer away alone."""

from __future__ import annotations

import numpy as np

from afield.explore.base import Sample
from afield.explore.giving import FILE, ORDER
from afield.report.model.exploration import Finding

MOST = 0.9
"""Share of the errors (or R2) that a column saves alone from which on it is said to give the answer away."""


def leaking(sample: Sample) -> list[str]:
    """The columns that give the answer away."""
    return [name for name, share in sample.giving.items() if share >= MOST and name not in (ORDER, FILE)]


def look(sample: Sample) -> list[Finding]:
    """One finding a column."""
    target = sample.target
    if target is None:
        return []
    saved = "of the errors of always saying the most frequent class" if target.classes else "of the spread (R2)"
    return [
        Finding(
            kind="leakage",
            columns=[name],
            message=f"`{name}` almost gives the answer away: alone it saves {sample.giving[name]:.1%} {saved}",
            advice=f"ask whether `{name}` is known before the answer is; if not, leave it out: "
            f"`table: {{exclude: [{name}]}}`. The verdict is without it",
            count=sample.count - sample.column(name).missing,
            rows=sample.shown(np.flatnonzero(~sample.column(name).absent), name, *target.columns),
        )
        for name in leaking(sample)
    ]
