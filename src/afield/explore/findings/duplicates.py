"""Rows of the test part that stand in the training part too, also where they differ by next to nothing."""

from __future__ import annotations

import numpy as np

from afield.explore.base import ROWS_SHOWN, Sample
from afield.explore.keys import identifies, keys
from afield.report.model import Shown
from afield.report.model.exploration import Finding

LEAST = 0.005
"""Share of the test rows from which on their copies change a score."""
FEWEST = 3
FEW = 0.5
"""Share of different rows below which rows that are nearly alike are alike by chance: they say too little."""


def look(sample: Sample) -> list[Finding]:
    """One finding for rows that are the same, or one for those that are nearly so."""
    read = [column for column in sample.features if column.type not in ("empty", "other") and not identifies(column)]
    training, test = sample.parts.training, sample.parts.test
    if not read or not len(training) or not len(test):
        return []
    alike = keys(read, near=True, text=sample.rows.text)
    if not sample.rows.text and _different(alike) < FEW * len(alike):
        alike = keys(read, near=False, text=False)
    found, twins = _met(alike, training, test)
    exact = [keys(read, near=False, text=sample.rows.text, rows=rows) for rows in (found, twins)]
    equal = exact[0] == exact[1]
    same, near = found[equal], found[~equal]
    twin = dict(zip(found.tolist(), twins.tolist(), strict=True))
    count = len(same) + len(near)
    if count < max(LEAST * len(test), FEWEST):
        return []
    parts = [f"{len(same):,} the same"] if len(same) else []
    parts += [f"{len(near):,} nearly the same"] if len(near) else []
    rows = [_pair(sample, row, twin[row]) for row in same[:ROWS_SHOWN].tolist()]
    rows += [_pair(sample, row, twin[row]) for row in near[: ROWS_SHOWN - len(rows)].tolist()]
    return [
        Finding(
            kind="duplicates",
            message=f"{count:,} of {len(test):,} test rows ({count / len(test):.1%}) stand in the training part too "
            f"({', '.join(parts)}; by {sample.split})",
            advice="a score on them says how well they were learned by heart: remove the copies, or keep them in one "
            f"part with `split: {{by: group, group: {'masked_text' if sample.rows.text else 'COLUMN'}}}`",
            count=count,
            rows=rows,
        )
    ]


def _different(keys: np.ndarray) -> int:
    # numpy.unique hashes, which takes ten times as long on keys that are drawn from all numbers.
    ascending = np.sort(keys)
    return int((ascending[1:] != ascending[:-1]).sum()) + 1


def _met(keys: np.ndarray, training: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The test rows whose key stands in training, and a row there for each of them."""
    order = training[np.argsort(keys[training], kind="stable")]
    known = keys[order]
    place = np.minimum(np.searchsorted(known, keys[test]), len(known) - 1)
    met = known[place] == keys[test]
    return test[met], order[place[met]]


def _pair(sample: Sample, row: int, twin: int) -> Shown:
    return sample.row(row, said=f"also at {sample.place(twin)}: ")
