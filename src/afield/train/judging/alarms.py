"""Judges answers that say what is abnormal."""

from __future__ import annotations

import numpy as np

from afield.report.metrics import abnormal
from afield.runtime.decisions import Alarm
from afield.train.dataset import Dataset
from afield.train.judging.base import Judgement, Raw, rows_shown
from afield.train.judging.columns import contributions
from afield.train.records import MISSING
from afield.usecase.model import UseCase


def judge_alarms(data: Dataset, case: UseCase, raw: Raw) -> Judgement:
    """Calibrates the score to the share of alarms that is wished for, and judges the alarms where labels exist.

    The cut is taken from the validation part, from its rows that are labelled normal where labels exist.

    Args:
        data: the dataset.
        case: the use case.
        raw: scores, float32[N, 1], higher for what is more abnormal.
    """
    question, classes = case.question, data.records.classes
    normal = classes.index(question.normal) if question.normal in classes else MISSING
    scores = raw.validation.reshape(-1)
    usual = data.targets[data.parts.validation] == normal
    cut = float(np.quantile(scores[usual] if normal != MISSING and usual.any() else scores, 1 - question.alarms))
    truth = data.targets[data.parts.test]
    labels, named = None, None
    if normal != MISSING:
        labels = truth != normal
        named = [classes[label] if label != MISSING else "" for label in truth]
    columns = contributions(data, raw.parts) if raw.parts else None
    found = abnormal(raw.test.reshape(-1), labels, cut, question.alarms, rows_shown(data), columns, named)
    return Judgement(Alarm(cut), {"abnormal": found})
