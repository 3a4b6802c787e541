"""Figures of predicted values, equal to those of scikit-learn."""

from __future__ import annotations

import numpy as np

from afield.report.metrics.checking import check_pair
from afield.report.metrics.resampling import bootstrap, sample
from afield.report.metrics.rows import Rows, by_number
from afield.report.model import Histogram, Missed, Regression

POINTS = 2000
BINS = 40
WORST = 20


def regression(
    truth: np.ndarray,
    predicted: np.ndarray,
    seed: int,
    target: str,
    unit: str = "",
    rows: Rows = by_number,
) -> Regression:
    """Says what predicted values are worth.

    Args:
        truth: float[N]; on the test part.
        predicted: float[N].
        seed: of the intervals and of the sample that is drawn.
        target: what is predicted.
        unit: in which unit.
        rows: numbers of test rows -> the rows as they may be shown.

    Raises:
        DataError: there are no rows, the shapes differ, or a predicted value is not a number.
    """
    check_pair(truth, predicted, "values")
    truth, predicted = truth.astype(np.float64), predicted.astype(np.float64)
    error = predicted - truth
    size = np.abs(error)
    squared = float(np.mean(error**2))
    # R2 is the same for values shifted by their mean, from which the sums of squares lose no digits.
    level = truth - truth.mean()
    parts = np.stack([np.ones(len(truth)), size, error**2, level, level**2], axis=1)
    drawn = sample(len(truth), POINTS, seed)
    worst = np.argsort(-size, kind="stable")[:WORST]
    counts, edges = np.histogram(error, BINS)
    return Regression(
        target=target,
        unit=unit,
        rows=len(truth),
        mean_absolute_error=float(size.mean()),
        mean_absolute_error_interval=bootstrap(parts, lambda sums: sums[:, 1] / sums[:, 0], seed),
        mean_squared_error=squared,
        root_mean_squared_error=float(np.sqrt(squared)),
        median_absolute_error=float(np.median(size)),
        mean_error=float(error.mean()),
        r2=float(_r2(parts.sum(axis=0)[None])[0]),
        r2_interval=bootstrap(parts, _r2, seed),
        points=[(float(f"{t:.6g}"), float(f"{p:.6g}")) for t, p in zip(truth[drawn], predicted[drawn], strict=True)],
        residuals=Histogram(edges=edges.tolist(), counts=counts.tolist()),
        worst=[
            Missed(**shown.model_dump(), truth=float(truth[row]), predicted=float(predicted[row]))
            for row, shown in zip(worst, rows(worst), strict=True)
        ],
    )


def _r2(sums: np.ndarray) -> np.ndarray:
    """From the sums of ones, absolute errors, squared errors, levels and squared levels; constant truth as
    scikit-learn has it: 1 where every answer is right, else 0."""
    count, _, error, level, squared = sums.T
    spread = squared - level**2 / count
    constant = spread <= 1e-12 * np.maximum(squared, np.finfo(np.float64).tiny)
    share = np.divide(error, spread, out=np.zeros(len(spread)), where=~constant)
    return np.where(constant, np.where(error == 0, 1.0, 0.0), 1 - share)
