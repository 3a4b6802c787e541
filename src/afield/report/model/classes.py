"""What the answers of a classifier are worth."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import model_validator

from afield.report.model.base import Count, Figures, Fixed, Interval, Share

DENSE_CLASSES = 60
"""Up to this many classes a confusion matrix is stored whole; beyond it, only the cells that are not zero."""


class Average(Fixed):
    """Precision, recall and F1 of one class, or averaged over classes.

    Args:
        support: test rows behind the figures.
    """

    precision: Share
    recall: Share
    f1: Share
    support: Count


class ClassScores(Average):
    """The figures of one class.

    Args:
        name: the class.
        predicted: test rows that were given this class, rightly or not.
    """

    name: str
    predicted: Count


class Confusion(Fixed):
    """How often each true class (row) was given each predicted class (column).

    Args:
        size: number of classes.
        counts: the whole matrix, up to DENSE_CLASSES classes.
        cells: (truth, prediction, count) of the cells that are not zero, beyond.
    """

    size: Count
    counts: list[list[Count]] | None = None
    cells: list[tuple[Count, Count, Count]] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.counts is None) == (self.cells is None):
            raise ValueError("a confusion matrix has either counts or cells")
        if self.counts is not None and [len(row) for row in self.counts] != [self.size] * self.size:
            raise ValueError(f"counts must be {self.size} rows of {self.size}")
        if any(max(truth, prediction) >= self.size for truth, prediction, _ in self.cells or ()):
            raise ValueError(f"a cell names a class beyond the {self.size} there are")
        return self

    @classmethod
    def of(cls, matrix: np.ndarray) -> Confusion:
        """Stores a matrix of int64[C, C]."""
        if len(matrix) <= DENSE_CLASSES:
            return cls(size=len(matrix), counts=matrix.tolist())
        truth, prediction = np.nonzero(matrix)
        cells = np.stack([truth, prediction, matrix[truth, prediction]], axis=1)
        return cls(size=len(matrix), cells=[(row[0], row[1], row[2]) for row in cells.tolist()])

    def matrix(self) -> np.ndarray:
        """The counts, int64[C, C]."""
        if self.counts is not None:
            return np.array(self.counts, np.int64).reshape(self.size, self.size)
        matrix = np.zeros((self.size, self.size), np.int64)
        for truth, prediction, count in self.cells or ():
            matrix[truth, prediction] = count
        return matrix


class Bin(Fixed):
    """One bin of the calibration: test rows whose confidence lies above `low` and up to `high`.

    Args:
        confidence: their mean probability of the predicted class; None for an empty bin.
        accuracy: the share of them that is right; None for an empty bin.
    """

    low: Share
    high: Share
    count: Count
    confidence: Share | None
    accuracy: Share | None


class Scores(Figures):
    """What the answers on some rows are worth.

    Args:
        rows: number of rows.
        accuracy: the share of them answered rightly.
        interval: its 95 % Wilson interval.
        per_class: in the order of the classes, those without rows included.
        micro, macro, weighted: averages, over the classes that are true or predicted for at least one row.
        calibration: 15 equal-width bins of the confidence.
        calibration_error: expected calibration error.
        log_loss: mean of the negative natural logarithm of the true class's probability.
    """

    rows: Count
    accuracy: Share
    interval: Interval
    per_class: list[ClassScores]
    micro: Average
    macro: Average
    weighted: Average
    confusion: Confusion
    calibration: list[Bin]
    calibration_error: Share
    log_loss: float

    def figures(self) -> dict[str, float]:
        """Accuracy, F1, log loss and calibration error."""
        return {
            "accuracy": self.accuracy,
            "macro F1": self.macro.f1,
            "weighted F1": self.weighted.f1,
            "log loss": self.log_loss,
            "calibration error": self.calibration_error,
        }

    def intervals(self) -> dict[str, Interval]:
        """That of the accuracy."""
        return {"accuracy": self.interval}
