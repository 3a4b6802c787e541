"""Numbers that go along with each other, turned into as many that do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR = 3.0
"""How far from its median a number counts: what goes along with what is a matter of the usual records."""
LEAST = 0.1
"""Deviation that every direction has at least, so that those without any are not blown up."""


@dataclass(frozen=True)
class Whitening:
    """Turns S scaled numbers.

    Source: A. Kessy, A. Lewin and K. Strimmer, Optimal Whitening and Decorrelation, The American Statistician 2018
    (PCA whitening).

    Args:
        centers: float64[S]; taken away first.
        turn: float64[S, S]; multiplied by.
    """

    centers: np.ndarray
    turn: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray) -> Whitening:
        """That of training records.

        Args:
            rows: float64[N, S], scaled; at least one.
        """
        centers = np.median(rows, axis=0)
        near = np.clip(rows - centers, -NEAR, NEAR)
        variances, directions = np.linalg.eigh(near.T @ near / len(near))
        return cls(centers, directions / np.sqrt(np.maximum(variances, 0) + LEAST**2))

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """float64[N, S]; what lies far out is drawn in by its logarithm (inverse hyperbolic sine)."""
        return np.arcsinh((rows - self.centers) @ self.turn)
