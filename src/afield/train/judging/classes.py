"""Judges answers that are one of the known classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from afield.report.metrics import BEST_F1, best_cut, binary, confident_mistakes, evaluate, image_mistakes
from afield.report.model import Mistake, Scores
from afield.runtime.decisions import Classes
from afield.train.dataset import Dataset
from afield.train.judging.base import Judgement, Raw, rows_shown
from afield.usecase.model import UseCase


def judge_classes(data: Dataset, case: UseCase, raw: Raw) -> Judgement:
    """Scores the classes; of two, also at every cut.

    Args:
        data: the dataset.
        case: the use case.
        raw: probabilities, float32[N, C], or float32[N, 1] of the second of two classes.
    """
    classes, truth = data.records.classes, data.targets[data.parts.test]
    decision = Classes(classes)
    sections: dict[str, Any] = {}
    if len(classes) == 2:
        validation = decision.probabilities(raw.validation)[:, 1]
        cut, chosen = _cut(case, data.targets[data.parts.validation] == 1, validation)
        decision = Classes(classes, cut)
        second = decision.probabilities(raw.test)[:, 1]
        sections["binary"] = binary(truth == 1, second, classes[1], cut, chosen)
    probabilities = decision.probabilities(raw.test)
    test = evaluate(truth, probabilities, classes, decision.chosen(probabilities))
    return Judgement(decision, {"test": test} | sections)


def details(data: Dataset, decision: Classes, raw: Raw) -> dict[str, Any]:
    """What else a report says of classes: unseen rows, duplicates, the most confident mistakes."""
    test, classes = data.parts.test, data.records.classes
    truth, probabilities = data.targets[test], decision.probabilities(raw.test)
    answers = decision.chosen(probabilities)
    seen = np.isin(data.keys[test], data.keys[data.parts.training])
    unseen: Scores | None = None
    if data.pipeline.text and not seen.all():
        unseen = evaluate(truth[~seen], probabilities[~seen], classes, answers[~seen])
    wrong = confident_mistakes(truth, probabilities, answers=answers)
    mistakes = [
        Mistake(
            **row.model_dump(),
            truth=classes[truth[place]],
            prediction=classes[answers[place]],
            probability=float(probabilities[place, answers[place]]),
        )
        for place, row in zip(wrong, rows_shown(data)(wrong), strict=True)
    ]
    found: dict[str, Any] = {"unseen": unseen, "duplicated_rows": int(seen.sum()), "mistakes": mistakes}
    pixels = _pixels(data, test)
    if pixels is not None:
        found["images"] = image_mistakes(pixels, truth, probabilities, classes, rows_shown(data), answers=answers)
    return found


def _pixels(data: Dataset, examples: np.ndarray) -> np.ndarray | None:
    """The examples as images, uint8[N, H, W] or uint8[N, H, W, 3]; None where the model sees none."""
    seen = [value for value in data.features.values() if isinstance(value, np.ndarray) and value.ndim == 4]
    if len(seen) != 1 or seen[0].shape[-1] not in (1, 3):
        return None
    pixels = np.clip(np.rint(seen[0][examples] * 255), 0, 255).astype(np.uint8)
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def _cut(case: UseCase, positive: np.ndarray, probability: np.ndarray) -> tuple[float, str]:
    wanted = case.question.cut
    if wanted == "best_f1" and positive.any():
        return best_cut(positive, probability), BEST_F1
    return (wanted, "given in the use case") if isinstance(wanted, float) else (0.5, "one half")
