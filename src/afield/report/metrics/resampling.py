"""Intervals by resampling: what a figure would be on other rows of the same kind, and samples of rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from afield.report.metrics.classes import NORMAL_975
from afield.report.model import Interval

DRAWS = 1000
BLOCKS = 5000
"""More rows than this are first put together into so many blocks, at random."""
T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179)
"""The 97.5 % point of Student's distribution with 1 to 12 degrees of freedom."""


def bootstrap(parts: np.ndarray, figure: Callable[[np.ndarray], np.ndarray], seed: int) -> Interval:
    """The 95 % percentile interval of a figure that is made from sums over rows.

    Source: B. Efron, Bootstrap methods: another look at the jackknife, Annals of Statistics 7 (1979). Rows beyond
    BLOCKS are drawn in blocks of random rows, which changes nothing in the distribution of a sum over many rows.

    Args:
        parts: float64[N, K]; what each row adds to each of K sums.
        figure: float64[D, K] -> float64[D]; the figure from the sums, draw by draw.
        seed: of the draws.
    """
    random = np.random.default_rng(seed)
    if len(parts) > BLOCKS:
        order = random.permutation(len(parts))
        starts = np.linspace(0, len(parts), BLOCKS, endpoint=False).astype(np.int64)
        parts = np.add.reduceat(parts[order], starts, axis=0)
    rows = len(parts)
    sums = np.empty((DRAWS, parts.shape[1]))
    for draw in range(DRAWS):
        sums[draw] = np.bincount(random.integers(0, rows, rows), minlength=rows) @ parts
    low, high = np.quantile(figure(sums), [0.025, 0.975]).tolist()
    return low, high


def mean_interval(values: np.ndarray) -> Interval | None:
    """The 95 % interval of the mean of a few values, the scores of folds for instance, by Student's distribution.

    Folds share most of their training rows, so the interval is somewhat too narrow; None for a single value.

    Args:
        values: float[K].
    """
    if len(values) < 2:
        return None
    degrees = len(values) - 1
    point = T_975[degrees - 1] if degrees <= len(T_975) else _student_975(degrees)
    half = float(point * np.std(values, ddof=1) / np.sqrt(len(values)))
    mean = float(np.mean(values))
    return mean - half, mean + half


def _student_975(degrees: int) -> float:
    """Its expansion about the normal distribution (Abramowitz and Stegun, 26.7.5), within 0.1 % from 12 degrees on."""
    z = NORMAL_975
    return z + (z**3 + z) / (4 * degrees) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)


def sample(rows: int, most: int, seed: int) -> np.ndarray:
    """Numbers of the rows of a sample, int64[min(rows, most)], ascending."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def balanced_sample(members: np.ndarray, most: int, seed: int) -> np.ndarray:
    """The same, with as equal a number of rows of each member as there is.

    Args:
        members: int[N]; what each row belongs to.
        most: rows at most.
        seed: of the draw.
    """
    order = np.random.default_rng(seed).permutation(len(members))
    drawn = members[order]
    by_member = np.argsort(drawn, kind="stable")
    firsts = np.searchsorted(drawn[by_member], drawn[by_member])
    turn = np.empty(len(members), np.int64)
    turn[by_member] = np.arange(len(members)) - firsts
    return np.sort(order[np.argsort(turn, kind="stable")[:most]])
