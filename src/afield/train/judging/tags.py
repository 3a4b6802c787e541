"""Judges answers that are several tags at once."""

from __future__ import annotations

import numpy as np

from afield.report.metrics import BEST_F1, best_cuts, tags
from afield.runtime.decisions import Tags
from afield.train.dataset import Dataset
from afield.train.judging.base import Judgement, Raw
from afield.usecase.model import UseCase


def judge_tags(data: Dataset, case: UseCase, raw: Raw) -> Judgement:
    """Scores the tags, each at its own cut.

    Args:
        data: the dataset.
        case: the use case.
        raw: probabilities, float32[N, C].
    """
    names, wanted = data.records.classes, case.question.cut
    truth = data.targets[data.parts.validation] > 0
    if wanted == "best_f1" and len(truth):
        cuts, chosen = best_cuts(truth, raw.validation), BEST_F1
    else:
        given = isinstance(wanted, float)
        cuts = np.full(len(names), wanted if given else 0.5)
        chosen = "given in the use case" if given else "one half"
    found = tags(data.targets[data.parts.test] > 0, raw.test, names, cuts, case.train.seed, chosen)
    cuts = [float(cut) for cut in cuts]
    return Judgement(Tags(names, cuts, case.question.separator), {"tags": found})
