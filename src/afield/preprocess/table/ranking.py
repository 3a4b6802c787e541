"""The kernel that puts numbers in their place among the quantiles of training."""

from __future__ import annotations

import numpy as np
from numba import types

from afield.kernels import kernel

_FLOATS = types.Array(types.float64, 1, "C", readonly=True)
_BOUNDS = types.Array(types.int64, 1, "C", readonly=True)


_TILE = 256
"""Rows that are ranked column by column before the next ones, so that they stay in the processor's cache."""


@kernel(types.float64[:, ::1], _FLOATS, _FLOATS, _BOUNDS)
def rank(values: np.ndarray, knots: np.ndarray, scores: np.ndarray, bounds: np.ndarray) -> None:
    """Replaces each number by its score, linear between two knots and level beyond the outer ones.

    Args:
        values: float64[N, S]; finite; changed.
        knots: float64[K]; ascending within a column.
        scores: float64[K].
        bounds: int64[S + 1]; column i has the knots bounds[i] to bounds[i + 1]; without any, it stays as it is.
    """
    taken = np.empty(_TILE)
    places = np.empty(_TILE, np.int64)
    for begin in range(0, len(values), _TILE):
        rows = min(_TILE, len(values) - begin)
        for column in range(values.shape[1]):
            first, last = bounds[column], bounds[column + 1] - 1
            if last < first:
                continue
            for row in range(rows):
                taken[row] = values[begin + row, column]
                places[row] = first
            # The last knot that is not above each value, by halving: all rows take a step together, which the
            # processor does for several at once.
            left = last + 1 - first
            while left > 1:
                half = left // 2
                for row in range(rows):
                    places[row] += half * np.int64(knots[places[row] + half] <= taken[row])
                left -= half
            for row in range(rows):
                at = places[row]
                value = scores[at]
                if at < last and taken[row] > knots[at]:
                    share = (taken[row] - knots[at]) / (knots[at + 1] - knots[at])
                    value += share * (scores[at + 1] - scores[at])
                values[begin + row, column] = value
