"""How much of the answer one column gives away alone, or the place of a row in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from afield.explore.base import Sample, Target
from afield.explore.columns import Column
from afield.report.metrics import sample as drawn

MOST_ROWS = 20_000
BINS = 128
EXACT = 256
"""Different values of a column that are told apart; more numbers than that are put into bins of as many rows."""
PLACES = 64
"""Parts of the file that are told apart."""
ROWS_A_PLACE = 20
ORDER = "the order of the rows"
FILE = "the file that a row stands in"


def giving(sample: Sample) -> Mapping[str, float]:
    """Column, `ORDER` or `FILE` -> the share of the answer that it gives away.

    Of classes: the share of the errors of always saying the most frequent class that knowing the value saves, 1 where
    it saves all. Of values: R2. Each half of the rows is answered by what the other half has shown.

    Source: L. A. Goodman, W. H. Kruskal, Measures of association for cross classifications, JASA 49 (1954), lambda;
    here on rows that were held back.
    """
    target = sample.target
    if target is None or target.kind not in ("classify", "regress"):
        return {}
    known = target.known
    rows = known[drawn(len(known), MOST_ROWS, sample.seed)]
    if len(rows) < 4:
        return {}
    half = np.random.default_rng([sample.seed, 0x1EA5]).permutation(len(rows)) % 2 == 0
    return {name: _saved(bins, target, rows, half) for name, bins in _told(sample, target, rows)}


def _told(sample: Sample, target: Target, rows: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    for column in sample.features:
        if column.type not in ("empty", "other"):
            yield column.name, bins(column, rows)
    if target.of_file:
        return
    yield ORDER, np.arange(len(rows)) * min(PLACES, max(len(rows) // ROWS_A_PLACE, 1)) // len(rows)
    if len(sample.rows.files) > 1:
        yield FILE, sample.rows.file[rows].astype(np.int64)


def bins(column: Column, rows: np.ndarray) -> np.ndarray:
    """int64[M]: the values of some rows as numbers from 0, 0 where there is none."""
    if column.codes is not None:
        return column.codes[rows].astype(np.int64) + 1
    assert column.values is not None
    values = column.values[rows]
    known = values[~np.isnan(values)]
    levels = np.unique(known)
    if len(levels) > EXACT:
        levels = np.unique(np.quantile(known, np.arange(BINS) / BINS))
    return np.where(np.isnan(values), 0, np.searchsorted(levels, values, side="right"))


def _saved(bins: np.ndarray, target: Target, rows: np.ndarray, half: np.ndarray) -> float:
    _, places = np.unique(bins, return_inverse=True)
    truth = target.values[rows]
    left = right = 0.0
    for shown, asked in ((half, ~half), (~half, half)):
        if target.classes:
            wrong, usual = _errors(places, truth, shown, asked, len(target.classes))
        else:
            wrong, usual = _squares(places, truth, shown, asked)
        left, right = left + wrong, right + usual
    return max(1 - left / right, 0.0) if right else 0.0


def _errors(
    places: np.ndarray, truth: np.ndarray, shown: np.ndarray, asked: np.ndarray, classes: int
) -> tuple[float, float]:
    """Wrong answers by the most frequent class of each bin, and by that of all rows."""
    usual = int(np.bincount(truth[shown]).argmax())
    pairs, counts = np.unique(places[shown] * np.int64(classes) + truth[shown], return_counts=True)
    best = np.full(int(places.max()) + 1, usual)
    # The most frequent class of a bin is written last.
    order = np.argsort(counts, kind="stable")
    best[pairs[order] // classes] = pairs[order] % classes
    return float((best[places[asked]] != truth[asked]).sum()), float((truth[asked] != usual).sum())


def _squares(places: np.ndarray, truth: np.ndarray, shown: np.ndarray, asked: np.ndarray) -> tuple[float, float]:
    """Squared errors by the mean of each bin, drawn a little to that of all rows, and by that of all rows."""
    mean = truth[shown].mean()
    size = int(places.max()) + 1
    counts = np.bincount(places[shown], minlength=size)
    means = (np.bincount(places[shown], truth[shown], size) + mean) / (counts + 1)
    return float(((means[places[asked]] - truth[asked]) ** 2).sum()), float(((mean - truth[asked]) ** 2).sum())
