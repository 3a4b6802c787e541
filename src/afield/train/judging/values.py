"""Judges answers that are values."""

from __future__ import annotations

from afield.report.metrics import regression
from afield.runtime.decisions import Value
from afield.train.dataset import Dataset
from afield.train.judging.base import Judgement, Raw, rows_shown
from afield.usecase.model import UseCase


def judge_values(data: Dataset, case: UseCase, raw: Raw) -> Judgement:
    """Scores the values.

    Args:
        data: the dataset.
        case: the use case.
        raw: values, float32[N, 1].
    """
    truth = data.targets[data.parts.test]
    predicted = raw.test.reshape(len(truth))
    target = ", ".join(data.records.hidden) or "value"
    unit = case.question.unit or ""
    found = regression(truth, predicted, case.train.seed, target, unit, rows_shown(data))
    return Judgement(Value(), {"regression": found})
