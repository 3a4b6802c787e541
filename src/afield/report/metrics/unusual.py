"""Figures of scores that say how unusual a row is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from afield.report.metrics.checking import check_pair
from afield.report.metrics.classes import wilson
from afield.report.metrics.ranking import Ranked, at_cut
from afield.report.metrics.rows import Rows, by_number
from afield.report.model import Abnormal, AtK, Contribution, Histogram, Known, Unusual

BINS = 50
MOST = 30
COUNTS = (10, 20, 50, 100, 200, 500, 1000)
"""So many of the most abnormal rows are looked at, beside as many as are labelled."""
COLUMNS = 5

Contributions = Callable[[np.ndarray], Sequence[Sequence[Contribution]]]
"""Numbers of rows, int64[K] -> the columns' parts in each row's score, in any order."""


def precision_at(labels: np.ndarray, scores: np.ndarray, k: int) -> float:
    """Share of the k highest scores that is labelled, rows of equal score in their order.

    Args:
        labels: bool[N].
        scores: float[N].
        k: from 1 to N.
    """
    return float(labels[np.argsort(-scores, kind="stable")[:k]].mean())


def abnormal(
    scores: np.ndarray,
    labels: np.ndarray | None,
    cut: float,
    share: float,
    rows: Rows = by_number,
    contributions: Contributions | None = None,
    named: Sequence[str] | None = None,
) -> Abnormal:
    """Says what scores of abnormality are worth.

    Args:
        scores: float[N]; of the test rows, higher for what is more abnormal.
        labels: bool[N]; which of them are known to be abnormal; None where no labels exist.
        cut: above it, a row is an alarm.
        share: of alarms for which the cut was calibrated.
        rows: numbers of test rows -> the rows as they may be shown.
        contributions: numbers of test rows -> what each column adds to their scores.
        named: N names of what each row is known to be.

    Raises:
        DataError: there are no rows, the shapes differ, or a score is not a number.
    """
    check_pair(scores if labels is None else labels, scores, "scores")
    scores, labels = scores.astype(np.float64), None if labels is None else labels.astype(bool)
    alarms = int((scores > cut).sum())
    edges = np.histogram_bin_edges(scores, BINS)
    known = None if labels is None else _known(labels, scores, cut, edges)
    normal = scores if known is None or labels is None else scores[~labels]
    return Abnormal(
        rows=len(scores),
        cut=cut,
        share=share,
        observed=alarms / len(scores),
        observed_interval=wilson(alarms, len(scores)),
        histogram=_histogram(normal, edges),
        known=known,
        most=_most(scores, labels, rows, contributions, named),
    )


def _known(labels: np.ndarray, scores: np.ndarray, cut: float, edges: np.ndarray) -> Known | None:
    ranked = Ranked.of(labels, scores)
    if not ranked.both:
        return None
    positives = int(labels.sum())
    at = at_cut(labels, scores > cut, cut, "")
    found = np.cumsum(labels[np.argsort(-scores, kind="stable")])
    looked = sorted({k for k in (*COUNTS, positives) if k <= len(scores)})
    return Known(
        positives=positives,
        precision=at.precision,
        recall=at.recall,
        at=[AtK(k=k, precision=float(found[k - 1] / k), recall=float(found[k - 1] / positives)) for k in looked],
        precision_at_count=float(found[positives - 1] / positives),
        precision_at_count_interval=wilson(int(found[positives - 1]), positives),
        auc=min(ranked.auc(), 1.0),
        auc_interval=ranked.auc_interval(),
        average_precision=min(ranked.average_precision(), 1.0),
        average_precision_interval=ranked.average_precision_interval(),
        roc=ranked.roc_curve(),
        precision_recall=ranked.precision_recall_curve(),
        histogram=_histogram(scores[labels], edges),
    )


def _most(
    scores: np.ndarray,
    labels: np.ndarray | None,
    rows: Rows,
    contributions: Contributions | None,
    named: Sequence[str] | None,
) -> list[Unusual]:
    chosen = np.argsort(-scores, kind="stable")[:MOST]
    columns = [()] * len(chosen) if contributions is None else contributions(chosen)
    if named is None and labels is not None:
        named = ["abnormal" if label else "normal" for label in labels]
    numbers: list[int] = chosen.tolist()
    return [
        Unusual(
            **shown.model_dump(),
            score=float(scores[row]),
            label=None if named is None else named[row],
            columns=sorted(parts, key=lambda part: part.share, reverse=True)[:COLUMNS],
        )
        for row, shown, parts in zip(numbers, rows(chosen), columns, strict=True)
    ]


def _histogram(scores: np.ndarray, edges: np.ndarray) -> Histogram:
    return Histogram(edges=edges.tolist(), counts=np.histogram(scores, edges)[0].tolist())
