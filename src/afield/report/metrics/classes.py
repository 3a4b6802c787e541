"""Figures of a classifier from its probabilities, equal to those of scikit-learn's classification report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from afield.errors import DataError
from afield.report.metrics.checking import check_finite, check_rows
from afield.report.model import Average, Bin, ClassScores, Confusion, Scores

BINS = 15
NORMAL_975 = 1.959963984540054
"""The 97.5 % point of the normal distribution: it bounds a two-sided 95 % interval."""


def evaluate(
    truth: np.ndarray, probabilities: np.ndarray, classes: Sequence[str], answers: np.ndarray | None = None
) -> Scores:
    """Says what a classifier's answers are worth.

    The answer to a row is its most probable class, the first one of equals, where no other is given. The figures of a
    class and the averages are those of `sklearn.metrics.classification_report(truth, answers, zero_division=0)`: a
    share of nothing is 0, and a class that is neither true nor predicted anywhere has a row but does not enter the
    averages.

    Args:
        truth: int[N]; index of each row's class.
        probabilities: float32[N, C]; each row sums to 1.
        classes: C names.
        answers: int[N]; the class given to each row, where that is not the most probable one.

    Raises:
        DataError: there are no rows, the shapes do not fit, an index names no class, or a probability is not a number.
    """
    _check(truth, probabilities, len(classes))
    answers = _answers(probabilities, answers)
    confidence = probabilities[np.arange(len(truth)), answers]
    matrix = confusion_matrix(truth, answers, len(classes))
    right = matrix.diagonal()
    support = matrix.sum(axis=1)
    predicted = matrix.sum(axis=0)
    precision = _share(right, predicted)
    recall = _share(right, support)
    f1 = _share(2 * right, support + predicted)

    rows = len(truth)
    accuracy = int(right.sum()) / rows
    present = (support + predicted) > 0
    figures = np.stack([precision, recall, f1])[:, present]
    bins, calibration_error = calibration(confidence, answers == truth)
    return Scores(
        rows=rows,
        accuracy=accuracy,
        interval=wilson(int(right.sum()), rows),
        per_class=[
            ClassScores(name=name, precision=p, recall=r, f1=f, support=s, predicted=n)
            for name, p, r, f, s, n in zip(
                classes,
                precision.tolist(),
                recall.tolist(),
                f1.tolist(),
                support.tolist(),
                predicted.tolist(),
                strict=True,
            )
        ],
        micro=Average(precision=accuracy, recall=accuracy, f1=accuracy, support=rows),
        macro=_average(figures, np.ones(figures.shape[1]), rows),
        weighted=_average(figures, support[present], rows),
        confusion=Confusion.of(matrix),
        calibration=bins,
        calibration_error=calibration_error,
        log_loss=log_loss(truth, probabilities),
    )


def confusion_matrix(truth: np.ndarray, answers: np.ndarray, size: int) -> np.ndarray:
    """Counts of each pair of true class (row) and answer (column), int64[size, size]."""
    cells = truth.astype(np.int64) * size + answers
    return np.bincount(cells, minlength=size * size).astype(np.int64).reshape(size, size)


def wilson(right: int, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share of `right` in `rows`.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    share = right / rows
    z2 = NORMAL_975**2 / rows
    centre = (share + z2 / 2) / (1 + z2)
    half = NORMAL_975 / (1 + z2) * float(np.sqrt(share * (1 - share) / rows + z2 / (4 * rows)))
    # At a share of 0 or 1 the bound is the share itself, which rounding would miss by the last digit.
    low = 0.0 if right == 0 else max(centre - half, 0.0)
    high = 1.0 if right == rows else min(centre + half, 1.0)
    return low, high


def calibration(confidence: np.ndarray, right: np.ndarray) -> tuple[list[Bin], float]:
    """Compares the confidence of answers with how often they are right.

    Source: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On calibration of modern neural networks, ICML 2017.

    Args:
        confidence: float[N]; probability of the predicted class.
        right: bool[N]; whether that class is the true one.

    Returns:
        The bins, and the expected calibration error: the mean distance of confidence and accuracy, weighted by rows.
    """
    confidence = confidence.astype(np.float64).clip(0, 1)
    edges = np.linspace(0, 1, BINS + 1)
    bins = np.searchsorted(edges[1:-1], confidence, side="left")
    counts = np.bincount(bins, minlength=BINS)
    mean_confidence = _share(np.bincount(bins, confidence, BINS), counts).clip(0, 1)
    accuracy = _share(np.bincount(bins, right, BINS), counts)
    error = float(np.sum(counts * np.abs(mean_confidence - accuracy)) / len(confidence))
    rows = zip(edges[:-1], edges[1:], counts, mean_confidence, accuracy, strict=True)
    return [
        Bin(
            low=float(low),
            high=float(high),
            count=int(count),
            confidence=float(mean) if count else None,
            accuracy=float(share) if count else None,
        )
        for low, high, count, mean, share in rows
    ], error


def log_loss(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean of -ln(probability of the true class), a probability of 0 counting as the smallest step of its type."""
    smallest = np.finfo(probabilities.dtype).eps
    of_truth = probabilities[np.arange(len(truth)), truth].clip(smallest, 1 - smallest)
    return float(-np.log(of_truth.astype(np.float64)).mean())


def confident_mistakes(
    truth: np.ndarray, probabilities: np.ndarray, limit: int = 50, answers: np.ndarray | None = None
) -> np.ndarray:
    """The rows answered wrongly with the highest probability, highest first: int64[M], M at most `limit`.

    Args:
        truth: int[N]; index of each row's class.
        probabilities: float32[N, C].
        limit: how many rows at most.
        answers: int[N]; the class given to each row, where that is not the most probable one.
    """
    answers = _answers(probabilities, answers)
    wrong = np.flatnonzero(answers != truth)
    order = np.argsort(-probabilities[wrong, answers[wrong]], kind="stable")
    return wrong[order[:limit]]


def _answers(probabilities: np.ndarray, answers: np.ndarray | None) -> np.ndarray:
    return probabilities.argmax(axis=1) if answers is None else answers


def _check(truth: np.ndarray, probabilities: np.ndarray, size: int) -> None:
    check_rows(truth)
    if probabilities.shape != (len(truth), size):
        raise DataError(
            f"evaluation: expected probabilities of {len(truth)} rows x {size} classes, "
            f"found an array of shape {probabilities.shape}; pass one row of probabilities for each row of truth"
        )
    if truth.min() < 0 or truth.max() >= size:
        raise DataError(
            f"evaluation: expected class indices from 0 to {size - 1}, found {truth.min()} to {truth.max()}; "
            "encode the truth with the classes of the model"
        )
    check_finite(probabilities, "probabilities")


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def _average(figures: np.ndarray, weights: np.ndarray, support: int) -> Average:
    precision, recall, f1 = np.average(figures, axis=1, weights=weights).clip(0, 1).tolist()
    return Average(precision=precision, recall=recall, f1=f1, support=support)
