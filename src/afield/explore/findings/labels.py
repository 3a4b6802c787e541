"""Labels that are probably wrong: models that never saw a row are sure of another class."""

from __future__ import annotations

import numpy as np

from afield.explore.base import Sample
from afield.report.model.exploration import Finding

SUREST = 0.1
"""Share of the rows of each answer, the surest ones, that tell the rate of wrong labels."""
ENOUGH = 400
"""Rows of all answers that tell it; of few rows a larger share is taken."""
MOST = 0.3
"""That share at most, less the share of wrong answers: the more are wrong, the fewer are sure."""
LEAST = 0.01
"""Rate of disagreement among the surest from which on labels are said to be wrong."""
LEAST_ROWS = 5
OVERLAP = 0.75
"""Part of the square of all errors that may stay among the surest answers by the overlap of classes alone."""
EXPLAINED = 1.1
"""The list of a class ends where more rows disagree than so many times that rate explains: most of it is right."""
KNOWING = 0.8
"""Part of the errors of always saying the most frequent class that answers may have at most to be believed."""
LISTED = 100


def suspects(truth: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Rows whose label is probably wrong, the surest first: int64[K].

    A row is confidently of a class where its probability reaches the mean that the rows labelled so have. Where classes
    overlap, disagreement with the label vanishes among the surest answers; where labels are wrong, it stays at the rate
    of wrong labels however sure the answers are. That rate says how far down the list most are still wrong labels.

    Source: C. G. Northcutt, L. Jiang, I. L. Chuang, Confident learning: estimating uncertainty in dataset labels, JAIR
    70 (2021): the thresholds of the classes and the confident joint; the rate and the end of the list are our own.

    Args:
        truth: int32[N]; labels.
        told: float64[N, C]; probabilities by models that were not trained on the row.
    """
    ranked = [_confident(truth, told, place) for place in range(told.shape[1])]
    errors = float((told.argmax(axis=1) != truth).mean())
    share = max(min(ENOUGH / max(sum(map(len, ranked)), 1), MOST - errors), SUREST)
    surest = [rows[: int(np.ceil(share * len(rows)))] for rows in ranked]
    wrong = sum(int((truth[rows] != place).sum()) for place, rows in enumerate(surest))
    rows = sum(map(len, surest))
    unlike_most = 1 - float(np.bincount(truth).max()) / len(truth)
    if errors > KNOWING * unlike_most or wrong < LEAST_ROWS:
        return np.zeros(0, np.int64)
    # Where answers are often wrong, the surest are so at times, and that is no fault of the labels.
    if wrong - np.sqrt(wrong) < max(LEAST, OVERLAP * errors**2) * rows:
        return np.zeros(0, np.int64)
    rate = wrong / rows
    found = np.concatenate([_listed(rows, truth[rows] != place, rate) for place, rows in enumerate(ranked)])
    return found[np.argsort(-told[found].max(axis=1), kind="stable")]


def _confident(truth: np.ndarray, told: np.ndarray, place: int) -> np.ndarray:
    """The rows that are confidently of a class, the surest first."""
    own = truth == place
    if not own.any():
        return np.zeros(0, np.int64)
    rows = np.flatnonzero((told.argmax(axis=1) == place) & (told[:, place] >= told[own, place].mean()))
    return rows[np.argsort(-told[rows, place], kind="stable")]


def _listed(rows: np.ndarray, wrong: np.ndarray, rate: float) -> np.ndarray:
    """Those of the rows that disagree, down to where the rate no longer explains them."""
    met = np.cumsum(wrong) / np.arange(1, len(wrong) + 1)
    explained = np.flatnonzero(met <= EXPLAINED * rate)
    end = int(explained[-1]) + 1 if len(explained) else 0
    return rows[:end][wrong[:end]]


def look(sample: Sample) -> list[Finding]:
    """One finding for all of them."""
    answers, target = sample.answers, sample.target
    if answers is None or target is None or not target.classes:
        return []
    told = answers.told[answers.best]
    found = suspects(answers.truth, told)
    if not len(found):
        return []
    names = [sample.curtain.value(target.name, name) for name in target.classes]
    best = told[found].argmax(axis=1)
    rows = [
        sample.row(
            int(answers.rows[place]),
            said=f"'{names[int(answers.truth[place])]}', probably '{names[int(other)]}' ({told[place, other]:.0%}): ",
        )
        for place, other in zip(found[:LISTED].tolist(), best.tolist(), strict=False)
    ]
    return [
        Finding(
            kind="labels",
            columns=target.columns,
            message=f"{len(found):,} of {len(answers.rows):,} labels are probably wrong: models that never saw the row "
            "are sure of another class, as often as by wrong labels only",
            advice="look at these rows, correct their labels or leave them out, and explore again",
            count=len(found),
            rows=rows,
        )
    ]
