"""How large the numbers of a table are on the whole, and a frozen step for records where they are larger or smaller."""

from __future__ import annotations

import numpy as np

from afield.preprocess.base import Frozen

PLAIN = "number"
"""What a number must be to have a level; dates and truths have none."""


def levels_of(frozen: Frozen, numbers: np.ndarray) -> np.ndarray:
    """float64[S]: the mean of each number; NaN where it has none: no value, one below 0, or no plain number.

    Args:
        frozen: the step.
        numbers: float[N, S]; as they are before they are scaled, NaN where missing.
    """
    finite = np.isfinite(numbers)
    counts = finite.sum(axis=0)
    known = np.where(finite, numbers, 0).astype(np.float64)
    plain = np.array([what == PLAIN for _, what in frozen.config["numbers"]], bool)
    return np.where(plain & (counts > 0) & (known >= 0).all(axis=0), known.sum(axis=0) / np.maximum(counts, 1), np.nan)


def leveled(frozen: Frozen, times: np.ndarray) -> Frozen:
    """The step as if each number were first multiplied by a factor.

    Args:
        frozen: the step.
        times: float64[S]; above 0.
    """
    arrays = dict(frozen.arrays)
    arrays["centers"], arrays["scales"] = arrays["centers"] / times, arrays["scales"] / times
    arrays["knots"] = arrays["knots"] / np.repeat(times, np.diff(arrays["bounds"]))
    return Frozen(frozen.config, arrays)
