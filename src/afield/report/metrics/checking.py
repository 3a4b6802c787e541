"""Whether arrays can be judged at all."""

from __future__ import annotations

import numpy as np

from afield.errors import DataError


def check_pair(truth: np.ndarray, answers: np.ndarray, what: str) -> None:
    """Refuses answers that do not fit the truth.

    Args:
        truth: of any shape, a row a record.
        answers: of the same shape.
        what: the answers are: "probabilities", "values", "scores".

    Raises:
        DataError: there are no rows, the shapes differ, or an answer is not a number.
    """
    check_rows(truth)
    if truth.shape != answers.shape:
        raise DataError(
            f"evaluation: expected {what} of shape {truth.shape}, as the truth has, found an array of shape"
            f" {answers.shape}; pass one for each"
        )
    check_finite(answers, what)


def check_rows(truth: np.ndarray) -> None:
    """Refuses to judge nothing.

    Raises:
        DataError: there are no rows.
    """
    if len(truth) == 0:
        raise DataError("evaluation: expected at least one row, found none; give more data or a larger test share")


def check_finite(answers: np.ndarray, what: str) -> None:
    """Refuses answers that are not numbers.

    Args:
        answers: a row a record.
        what: they are.

    Raises:
        DataError: a row holds one that is not.
    """
    broken = int((~np.isfinite(answers).reshape(len(answers), -1).all(axis=1)).sum())
    if broken:
        raise DataError(
            f"evaluation: expected {what}, found values that are not numbers in {broken} of {len(answers)} rows; "
            "training ran away: lower the learning rate"
        )
