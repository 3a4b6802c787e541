"""What a two-class answer is worth at every cut, and at the chosen one."""

from __future__ import annotations

from afield.report.model.base import Count, Figures, Fixed, Interval, Share


class Curve(Fixed):
    """A figure against another one, as the cut falls from the highest score to the lowest.

    Args:
        x, y: of each point.
        cuts: the score from which on rows count as positive; infinite where none does.
    """

    x: list[float]
    y: list[float]
    cuts: list[float]


class Cut(Fixed):
    """The score from which on a row is answered as positive, and what that is worth on the test part.

    Args:
        value: the cut.
        chosen: how and on which rows it was chosen: "the highest F1 on the validation part".
        right_positive, false_positive, false_negative, right_negative: test rows.
    """

    value: float
    chosen: str
    precision: Share
    recall: Share
    f1: Share
    right_positive: Count
    false_positive: Count
    false_negative: Count
    right_negative: Count


class Binary(Figures):
    """What the probability of one class of two is worth.

    Args:
        positive: name of the class that is looked for.
        rows: test rows.
        positives: test rows of that class.
        auc: area under the ROC curve: how often a positive row is ranked above a negative one.
        auc_interval, average_precision_interval: 95 % intervals.
        roc: share of negatives taken for positive (x) against share of positives found (y).
        precision_recall: recall (x) against precision (y).
        cut: the chosen one.
    """

    positive: str
    rows: Count
    positives: Count
    auc: Share
    auc_interval: Interval
    average_precision: Share
    average_precision_interval: Interval
    roc: Curve
    precision_recall: Curve
    cut: Cut

    def figures(self) -> dict[str, float]:
        """AUC, average precision, and the figures at the cut."""
        return {
            "AUC": self.auc,
            "average precision": self.average_precision,
            "precision": self.cut.precision,
            "recall": self.cut.recall,
            "F1": self.cut.f1,
        }

    def intervals(self) -> dict[str, Interval]:
        """Those of the AUC and the average precision."""
        return {"AUC": self.auc_interval, "average precision": self.average_precision_interval}
