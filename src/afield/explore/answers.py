"""What simple models answer to rows that they were not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FOLDS = 3
MAJORITY, MEAN, LINEAR, BOOSTED = "majority", "mean", "linear", "boosted trees"
"""Names of the models; one of the first two is the trivial one."""


@dataclass(frozen=True)
class Answers:
    """What simple models answer to rows that they were not trained on.

    Args:
        rows: int64[M]; of the sample.
        truth: int32[M], classes; or float64[M].
        told: model -> probabilities float64[M, C], or values float64[M, 1]; the trivial one first.
        columns: that the models read.
        seconds: model -> time to train it once.
        best: the model whose answers are least wrong, the trivial one left out.
        curve: rows of training, fewer than there are, and the answers of the best model that was trained on them.
    """

    rows: np.ndarray
    truth: np.ndarray
    told: Mapping[str, np.ndarray]
    columns: list[str]
    seconds: Mapping[str, float]
    best: str
    curve: Sequence[tuple[int, np.ndarray]]


def errors(told: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """float64[M]: how wrong each answer is: 0 or 1 of a class, the squared error of a value."""
    if told.shape[1] == 1:
        return (told[:, 0] - truth) ** 2
    return (told.argmax(axis=1) != truth).astype(np.float64)


def nats(told: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """float64[M]: how surprising each true class is."""
    # No answer is taken to be surer than one row in as many as there are.
    least = 1 / len(truth)
    return -np.log(told[np.arange(len(truth)), truth].clip(least, 1))
