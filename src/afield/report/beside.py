"""Which figures stand beside the score where models are listed."""

from __future__ import annotations

from collections.abc import Sequence

from afield.report.model import Contender

ORDER = (
    "accuracy",
    "macro F1",
    "micro F1",
    "subset accuracy",
    "AUC",
    "average precision",
    "precision at the true count",
    "R2",
    "mean absolute error",
    "root mean squared error",
    "silhouette",
    "bits a character",
    "perplexity",
)
MOST = 3


def beside(contenders: Sequence[Contender], metric: str) -> list[str]:
    """Names of the figures, at most MOST, that some of the models have.

    Args:
        contenders: that are listed.
        metric: their score.
    """
    known = {name for contender in contenders for name in contender.figures}
    return [name for name in ORDER if name in known and name != metric][:MOST]
