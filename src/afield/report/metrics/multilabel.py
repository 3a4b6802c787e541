"""Figures of answers with several tags a row, equal to those of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from afield.report.metrics.checking import check_pair
from afield.report.metrics.classes import wilson
from afield.report.metrics.ranking import BEST_F1, Ranked, at_cut, best_cut
from afield.report.metrics.resampling import bootstrap
from afield.report.model import TagAverage, Tags, TagScores


def best_cuts(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The cut of the highest F1 of each tag, float64[C], on rows that are not to be the test part's.

    Args:
        truth: bool[N, C].
        probabilities: float[N, C].
    """
    return np.array([best_cut(truth[:, tag], probabilities[:, tag]) for tag in range(truth.shape[1])])


def tags(
    truth: np.ndarray,
    probabilities: np.ndarray,
    names: Sequence[str],
    cuts: np.ndarray,
    seed: int,
    chosen: str = BEST_F1,
) -> Tags:
    """Says what answers with several tags a row are worth.

    Args:
        truth: bool[N, C]; which tags each test row has.
        probabilities: float[N, C].
        names: of the tags.
        cuts: float[C]; from which probability on each tag is given.
        seed: of the interval.
        chosen: how the cuts were chosen.

    Raises:
        DataError: there are no rows, the shapes differ, or a probability is not a number.
    """
    truth = truth.astype(bool)
    check_pair(truth, probabilities, "probabilities")
    answers = probabilities >= cuts
    per_tag = [
        _tag(name, truth[:, tag], probabilities[:, tag], answers[:, tag], float(cuts[tag]), chosen)
        for tag, name in enumerate(names)
    ]
    exact = int((answers == truth).all(axis=1).sum())
    right, given, had = (part.sum(axis=1).astype(np.float64) for part in (answers & truth, answers, truth))
    parts = np.stack([right, given, had], axis=1)
    return Tags(
        rows=len(truth),
        per_tag=per_tag,
        micro=TagAverage(
            precision=_share(right.sum(), given.sum()),
            recall=_share(right.sum(), had.sum()),
            f1=_share(2 * right.sum(), given.sum() + had.sum()),
        ),
        macro=TagAverage(
            precision=float(np.mean([tag.precision for tag in per_tag])),
            recall=float(np.mean([tag.recall for tag in per_tag])),
            f1=float(np.mean([tag.f1 for tag in per_tag])),
        ),
        micro_interval=bootstrap(parts, lambda sums: 2 * sums[:, 0] / np.maximum(sums[:, 1] + sums[:, 2], 1), seed),
        subset_accuracy=exact / len(truth),
        subset_interval=wilson(exact, len(truth)),
        hamming_loss=float((answers != truth).mean()),
        chosen=chosen,
    )


def _tag(
    name: str, truth: np.ndarray, probabilities: np.ndarray, answers: np.ndarray, cut: float, chosen: str
) -> TagScores:
    at = at_cut(truth, answers, cut, chosen)
    ranked = Ranked.of(truth, probabilities)
    return TagScores(
        name=name,
        precision=at.precision,
        recall=at.recall,
        f1=at.f1,
        support=at.right_positive + at.false_negative,
        predicted=at.right_positive + at.false_positive,
        auc=min(ranked.auc(), 1.0) if ranked.both else None,
        average_precision=min(ranked.average_precision(), 1.0) if ranked.both else None,
        cut=cut,
    )


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
