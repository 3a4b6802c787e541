"""The figure that is searched for, on the validation part; the test part stays unseen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from afield.errors import DataError
from afield.report.model import Epoch, higher_is_better
from afield.train.base import MEASURED
from afield.train.dataset import Dataset
from afield.train.judging.base import Raw, metric_of
from afield.train.split import Parts
from afield.usecase.model import UseCase

BY_EPOCH = {
    "accuracy": "accuracy",
    "AUC": "auc",
    "R2": "r2",
    "mean absolute error": "mean_absolute_error",
    "mean squared error": "mean_squared_error",
}
"""Figure of a report -> what is measured of a network after each epoch, where it is measured."""

WRITTEN: Mapping[str, Callable[[Epoch], float]] = {
    "nats a character": lambda epoch: epoch.validation_loss or 0.0,
    "bits a character": lambda epoch: (epoch.validation_loss or 0.0) / math.log(2),
    "perplexity": lambda epoch: math.exp(epoch.validation_loss or 0.0),
    "accuracy": lambda epoch: epoch.validation_metrics["accuracy"],
}
"""Figure of a written text -> from an epoch, whose loss on the validation part is the nats of a character."""


@dataclass(frozen=True)
class Answers:
    """What a trained model computes: float32[N, ...] each.

    Args:
        validation: for the validation part.
        training: for the training part too, of a model that gives vectors.
    """

    validation: np.ndarray
    training: np.ndarray | None = None


def score(case: UseCase, data: Dataset, answers: Answers | None, kept: Epoch | None) -> float:
    """The figure that is searched for.

    Args:
        case: of the trial.
        data: its dataset.
        answers: of its model; None of a text, which is judged by an epoch.
        kept: the epoch whose weights are kept; None of a model without epochs.

    Raises:
        DataError: nothing is known by which the figure could be computed, or it is no number.
    """
    metric = metric_of(case)
    if answers is None:
        assert kept is not None
        found = WRITTEN[metric](kept)
    else:
        found = _judged(case, data, answers, metric)
    if not math.isfinite(found):
        raise DataError(f"{metric} is {found} on the validation part")
    return found


def watched(case: UseCase) -> tuple[str, bool]:
    """What trials are compared by after each epoch, and whether more of it is better: the figure, or else the loss."""
    metric = metric_of(case)
    name = BY_EPOCH.get(metric, "")
    measured = MEASURED.get(case.question.kind, ()) if case.train.metrics is None else case.train.metrics
    return (name, higher_is_better(metric)) if name in measured else ("loss", False)


def is_watched(case: UseCase) -> bool:
    """Whether what is watched is the figure that is searched for itself, so that nothing more needs to be computed."""
    accurate = watched(case)[0] == metric_of(case) == "accuracy"
    return accurate and case.question.kind == "classify" and case.question.cut == "half"


def _judged(case: UseCase, data: Dataset, answers: Answers, metric: str) -> float:
    from afield.train.judging.judge import JUDGES, judge_states  # imported once the backend is prepared

    vectors = answers.training is not None and case.question.kind == "classify"
    judge = judge_states if vectors else JUDGES[case.question.kind]
    # The judges look at what they take for the test part: here it is the validation part.
    rows = data.parts.validation
    seen = replace(data, parts=Parts(data.parts.training, rows, rows))
    judgement = judge(seen, case, Raw(answers.validation, answers.validation, answers.training))
    contender = judgement.contender("model", "", metric, 0.0)
    if contender is None:
        raise DataError(f"question: nothing is known by which '{metric}' could be computed; records need labels")
    return contender.score
