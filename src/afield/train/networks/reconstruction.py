"""Auto-encoders as models of a score: how badly a record is given back, each column measured by its own usual error."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

USUAL = 0.8
"""Share of the records, those given back best, by which the usual error of a column is measured: what is abnormal may
be among the training records, and must not pass for usual."""
ROUNDS = 3
"""How often the records that are given back best are chosen anew, by the errors measured on those chosen before."""
LEAST = 0.01
"""Least usual error of a column, as a part of the mean of all: what never varied must not drown out the rest."""


def by_column(model: keras.Model, factors: np.ndarray) -> keras.Model:
    """An auto-encoder as a model of each column's part in the score, float32[rows, F].

    Args:
        model: gives back what enters it, [rows, ..., F].
        factors: float32[F]; of the squared differences of each column, which are averaged over all other axes.
    """
    (tensor,) = model.inputs
    entered: Any = keras.Input(tuple(tensor.shape)[1:], dtype=tensor.dtype, name=tensor.name)
    squares: Any = ops.square(ops.subtract(model(entered), entered))
    between = tuple(range(1, len(entered.shape) - 1))
    if between:
        squares = ops.mean(squares, axis=between)
    return keras.Model(entered, ops.multiply(squares, factors))


def summed(parts: keras.Model) -> keras.Model:
    """What `by_column` gives as a model of the score, float32[rows, 1]."""
    return keras.Model(parts.inputs[0], ops.sum(parts.outputs[0], axis=-1, keepdims=True))


def factors_of(squares: np.ndarray) -> np.ndarray:
    """Factors by which each column counts as much as any other, and the score of a usual record is about 1.

    A column's factor is the inverse of its mean squared difference over the records that are given back best.

    Source: the trimming, after P. J. Rousseeuw and K. Van Driessen, A Fast Algorithm for the Minimum Covariance
    Determinant Estimator, Technometrics 41 (1999), with the columns taken as independent.

    Args:
        squares: float32[N, F]; mean squared difference of each column of training records.

    Returns:
        float32[F].
    """
    squares = squares.astype(np.float64)
    usual = np.ones(len(squares), bool)
    spread = np.ones(squares.shape[1])
    for _ in range(ROUNDS):
        spread = squares[usual].mean(axis=0)
        spread = np.maximum(spread, LEAST * spread.mean()) if spread.any() else np.ones(len(spread))
        scores = (squares / spread).mean(axis=1)
        usual = scores <= np.quantile(scores, USUAL)
    return (1 / (spread * len(spread))).astype(np.float32)
