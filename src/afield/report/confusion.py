"""Which classes are taken for which: the part of a large confusion matrix that is worth showing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pair:
    """A class taken for another one.

    Args:
        truth: index of the true class.
        prediction: index of the class given instead.
        count: rows.
        share: of the true class's rows.
    """

    truth: int
    prediction: int
    count: int
    share: float


def confused_pairs(matrix: np.ndarray, limit: int) -> list[Pair]:
    """The pairs with the most mistakes, the largest first.

    Args:
        matrix: int64[C, C]; counts, rows are the truth.
        limit: how many pairs at most.
    """
    mistakes = _mistakes(matrix)
    support = matrix.sum(axis=1)
    truth, prediction = np.nonzero(mistakes)
    order = np.argsort(-mistakes[truth, prediction], kind="stable")[:limit]
    return [
        Pair(int(t), int(p), int(matrix[t, p]), float(matrix[t, p] / support[t]))
        for t, p in zip(truth[order], prediction[order], strict=True)
    ]


def confused_classes(matrix: np.ndarray, limit: int) -> list[int]:
    """Indices of the classes with the most mistakes from or to them, ascending, at most `limit`."""
    mistakes = _mistakes(matrix)
    involved = mistakes.sum(axis=0) + mistakes.sum(axis=1)
    return sorted(np.argsort(-involved, kind="stable")[:limit].tolist())


def normalised(matrix: np.ndarray) -> np.ndarray:
    """Each row as shares of its sum, float64[C, C]; a row without counts is NaN, for it says nothing."""
    support = matrix.sum(axis=1, keepdims=True)
    return np.divide(matrix, support, out=np.full(matrix.shape, np.nan), where=support > 0)


def _mistakes(matrix: np.ndarray) -> np.ndarray:
    mistakes = matrix.copy()
    np.fill_diagonal(mistakes, 0)
    return mistakes
