"""Figures of a network that foretells the next character."""

from __future__ import annotations

import math

import numpy as np

from afield.report.metrics.checking import check_finite
from afield.report.metrics.resampling import bootstrap
from afield.report.model import TextScores


def text_scores(nats: np.ndarray, characters: np.ndarray, seed: int, right: np.ndarray | None = None) -> TextScores:
    """Says how well the next character is foretold.

    Args:
        nats: float[W]; over each of W passages, the sum of the negative natural logarithms of the right characters'
            probabilities.
        characters: int[W]; foretold in each passage.
        seed: of the interval.
        right: int[W]; characters of which the most probable was the right one, where that was counted.

    Raises:
        DataError: a sum is not a number.
    """
    check_finite(nats, "sums of nats")
    parts = np.stack([nats, characters], axis=1).astype(np.float64)
    total = int(characters.sum())
    mean = float(parts[:, 0].sum() / total)
    low, high = bootstrap(parts, lambda sums: sums[:, 0] / sums[:, 1] / math.log(2), seed)
    return TextScores(
        characters=total,
        nats=mean,
        bits=mean / math.log(2),
        perplexity=math.exp(mean),
        bits_interval=(low, high),
        accuracy=None if right is None else float(right.sum() / total),
    )
