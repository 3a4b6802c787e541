"""Figures of a score that ranks rows: ROC and precision-recall curves, the areas under them, and the chosen cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from afield.report.metrics.checking import check_pair
from afield.report.metrics.classes import NORMAL_975, wilson
from afield.report.model import Binary, Curve, Cut, Interval

POINTS = 200
"""A drawn curve has at most so many points."""
BEST_F1 = "the highest F1 on the validation part"


@dataclass(frozen=True)
class Ranked:
    """Rows counted from the highest score down, at each different score.

    Args:
        cuts: float64[K + 1]; the different scores falling, infinity first.
        right: int64[K + 1]; positive rows with this score or a higher one.
        wrong: int64[K + 1]; negative rows likewise.
    """

    cuts: np.ndarray
    right: np.ndarray
    wrong: np.ndarray

    @classmethod
    def of(cls, truth: np.ndarray, scores: np.ndarray) -> Ranked:
        """Counts the rows.

        Args:
            truth: bool[N]; which rows are positive.
            scores: float[N]; higher for rows that seem more so.

        Raises:
            DataError: there are no rows, the shapes differ, or a score is not a number.
        """
        check_pair(truth, scores, "scores")
        order = np.argsort(-scores, kind="stable")
        falling = scores[order].astype(np.float64)
        ends = np.append(np.nonzero(np.diff(falling))[0], len(falling) - 1)
        right = np.cumsum(truth[order].astype(np.int64))[ends]
        return cls(np.append(np.inf, falling[ends]), np.append(0, right), np.append(0, ends + 1 - right))

    @property
    def both(self) -> bool:
        """Whether there are positive rows and negative ones; without, there is no curve."""
        return bool(self.right[-1] and self.wrong[-1])

    def roc(self) -> tuple[np.ndarray, np.ndarray]:
        """Share of the negatives taken for positive, and share of the positives found, float64[K + 1] each."""
        return self.wrong / self.wrong[-1], self.right / self.right[-1]

    def precision_recall(self) -> tuple[np.ndarray, np.ndarray]:
        """Precision, which is 1 of no rows, and recall, float64[K + 1] each."""
        taken = self.right + self.wrong
        precision = np.divide(self.right, taken, out=np.ones(len(taken)), where=taken > 0)
        return precision, self.right / self.right[-1]

    def auc(self) -> float:
        """Area under the ROC curve."""
        false, found = self.roc()
        return float(np.trapezoid(found, false))

    def average_precision(self) -> float:
        """Mean of the precision over the positive rows, as scikit-learn has it: no interpolation."""
        precision, recall = self.precision_recall()
        return float(np.sum(np.diff(recall) * precision[1:]))

    def auc_interval(self) -> Interval:
        """The 95 % interval of the area under the ROC curve.

        Source: E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Comparing the areas under two or more correlated
        receiver operating characteristic curves, Biometrics 44 (1988).
        """
        found, false = np.diff(self.right), np.diff(self.wrong)
        positives, negatives = int(self.right[-1]), int(self.wrong[-1])
        if min(positives, negatives) < 2:
            return 0.0, 1.0
        # Of a positive row: the share of negatives ranked below it; of a negative row: of positives above it.
        below = 1 - (self.wrong[1:] - false / 2) / negatives
        above = (self.right[1:] - found / 2) / positives
        auc = self.auc()
        variance = np.sum(found * (below - auc) ** 2) / (positives - 1) / positives
        variance += np.sum(false * (above - auc) ** 2) / (negatives - 1) / negatives
        half = NORMAL_975 * float(np.sqrt(variance))
        return max(auc - half, 0.0), min(auc + half, 1.0)

    def average_precision_interval(self) -> Interval:
        """The 95 % interval of the average precision; that of a share of the positive rows where it is 0 or 1.

        Source: K. Boyd, K. H. Eng, C. D. Page, Area under the precision-recall curve: point estimates and confidence
        intervals, ECML PKDD 2013: the logit interval.
        """
        share, positives = self.average_precision(), int(self.right[-1])
        if not 0 < share < 1:
            return wilson(round(share) * positives, positives)
        middle = float(np.log(share / (1 - share)))
        half = NORMAL_975 / float(np.sqrt(positives * share * (1 - share)))
        return 1 / (1 + float(np.exp(half - middle))), 1 / (1 + float(np.exp(-half - middle)))

    def roc_curve(self) -> Curve:
        """The ROC curve as it is drawn."""
        return self._thinned(*self.roc())

    def precision_recall_curve(self) -> Curve:
        """The precision-recall curve as it is drawn."""
        precision, recall = self.precision_recall()
        return self._thinned(recall, precision)

    def best_cut(self) -> float:
        """The cut of the highest F1, half-way to the next lower score; 0.5 where there is no positive row."""
        if not self.right[-1]:
            return 0.5
        best = int(np.argmax(2 * self.right / (self.right + self.wrong + self.right[-1])))
        lower = self.cuts[min(best + 1, len(self.cuts) - 1)]
        return float((self.cuts[best] + lower) / 2)

    def _thinned(self, x: np.ndarray, y: np.ndarray) -> Curve:
        """Points at about equal distances along the curve, the ends included."""
        chosen = np.arange(len(x))
        if len(x) > POINTS:
            along = np.append(0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
            chosen = np.unique(np.searchsorted(along, np.linspace(0, along[-1], POINTS)).clip(0, len(x) - 1))
        return Curve(x=x[chosen].tolist(), y=y[chosen].tolist(), cuts=self.cuts[chosen].tolist())


def best_cut(truth: np.ndarray, scores: np.ndarray) -> float:
    """The cut of the highest F1 on some rows, which are not to be the test part's.

    Args:
        truth: bool[N].
        scores: float[N].
    """
    return Ranked.of(truth.astype(bool), scores).best_cut()


def binary(
    truth: np.ndarray, scores: np.ndarray, positive: str, cut: float = 0.5, chosen: str = BEST_F1
) -> Binary | None:
    """Says what the probability of one class of two is worth.

    Args:
        truth: bool[N]; which test rows are of the class.
        scores: float[N]; its probability.
        positive: its name.
        cut: from which on a row is answered with it.
        chosen: how the cut was chosen.

    Returns:
        The figures; None where all rows are of one class.

    Raises:
        DataError: there are no rows, the shapes differ, or a score is not a number.
    """
    truth = truth.astype(bool)
    ranked = Ranked.of(truth, scores)
    if not ranked.both:
        return None
    return Binary(
        positive=positive,
        rows=len(truth),
        positives=int(ranked.right[-1]),
        auc=min(ranked.auc(), 1.0),
        auc_interval=ranked.auc_interval(),
        average_precision=min(ranked.average_precision(), 1.0),
        average_precision_interval=ranked.average_precision_interval(),
        roc=ranked.roc_curve(),
        precision_recall=ranked.precision_recall_curve(),
        cut=at_cut(truth, scores >= cut, cut, chosen),
    )


def at_cut(truth: np.ndarray, answers: np.ndarray, cut: float, chosen: str) -> Cut:
    """What a cut is worth.

    Args:
        truth: bool[N].
        answers: bool[N]; which rows are answered as positive.
        cut: that gave them.
        chosen: how it was chosen.
    """
    right = int((truth & answers).sum())
    answered, positives = int(answers.sum()), int(truth.sum())
    return Cut(
        value=cut,
        chosen=chosen,
        precision=right / answered if answered else 0.0,
        recall=right / positives if positives else 0.0,
        f1=2 * right / (answered + positives) if answered + positives else 0.0,
        right_positive=right,
        false_positive=answered - right,
        false_negative=positives - right,
        right_negative=len(truth) - answered - positives + right,
    )
