"""How numbers are scaled: by two figures each, or by their rank among the numbers of training; and how whitened."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np

KNOTS = 1000
"""Most quantiles that are kept of a column."""
LARGEST = float(np.finfo(np.float32).max)
"""What numbers are set to that 32 bits cannot hold."""
_NORMAL = NormalDist()
QUARTILES = 1.349
"""Distance of the quartiles of a normal distribution, in standard deviations."""
LEAST_SCALE = 0.1
"""Least scale of `robust`, in standard deviations: quartiles of a column that is nearly always the same are equal."""


@dataclass(frozen=True)
class Scaling:
    """How each of S columns of numbers is scaled.

    Args:
        centers: float64[S]; taken away first.
        scales: float64[S]; divided by.
        fills: float64[S]; what stands for a missing value, scaled already.
        knots: float64[K]; quantiles of the columns, ascending in each; empty where ranks play no part.
        scores: float64[K]; place of each knot in the normal distribution.
        bounds: int64[S + 1]; column i has the knots bounds[i] to bounds[i + 1], none where it is not ranked.
        limit: furthest from 0 that a scaled number may lie.
        drawn: whether what lies far from 0 is drawn in by its logarithm (inverse hyperbolic sine).
    """

    centers: np.ndarray
    scales: np.ndarray
    fills: np.ndarray
    knots: np.ndarray
    scores: np.ndarray
    bounds: np.ndarray
    limit: float
    drawn: bool = False

    def apply(self, values: np.ndarray) -> np.ndarray:
        """float64[N, S] of the numbers (float32 or float64 [N, S]); what is not finite counts as missing."""
        finite = np.isfinite(values)
        if len(self.knots):
            found = np.ascontiguousarray(np.where(finite, values, 0), np.float64)
            if len(found):
                from afield.preprocess.table.ranking import rank

                rank(found, self.knots, self.scores, self.bounds)
        else:
            with np.errstate(invalid="ignore", over="ignore"):
                found = np.subtract(values, self.centers, dtype=np.float64)
                found /= self.scales
        if self.drawn:
            np.arcsinh(found, out=found)
        np.clip(found, -self.limit, self.limit, out=found)
        if not finite.all():
            np.copyto(found, self.fills, where=~finite)
        return found


def middle_of(values: np.ndarray, deviation: float) -> tuple[float, float]:
    """Center and scale of a column for `robust`.

    Args:
        values: [N]; all finite, at least one.
        deviation: their standard deviation.
    """
    low, center, high = np.percentile(values.astype(np.float64), (25, 50, 75))
    return float(center), max(float(high - low) / QUARTILES, LEAST_SCALE * deviation)


def knots_of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of a column and their places in the normal distribution, at most `KNOTS`, each value once.

    A value that stands at several ranks takes the middle one. The ends lie half a knot inside, so that the least and
    the greatest number of training are no further out than the other knots let them be.

    Args:
        values: float32[N] or float64[N]; all finite, at least one.
    """
    count = min(KNOTS, len(values))
    ordered = np.sort(values).astype(np.float64)
    quantiles = np.interp(np.linspace(0, len(ordered) - 1, count), np.arange(len(ordered)), ordered)
    knots, places, repeats = np.unique(quantiles, return_inverse=True, return_counts=True)
    if len(knots) == count:
        return knots, _scores(count)
    middles = (np.bincount(places, weights=np.arange(count)) / repeats + 0.5) / count
    return knots, np.array([_NORMAL.inv_cdf(rank) for rank in middles.tolist()])


@cache
def _scores(count: int) -> np.ndarray:
    return np.array([_NORMAL.inv_cdf((rank + 0.5) / count) for rank in range(count)])
