"""What answers with several tags a row are worth."""

from __future__ import annotations

from afield.report.model.base import Count, Figures, Fixed, Interval, Share


class TagScores(Fixed):
    """The figures of one tag.

    Args:
        name: the tag.
        support: test rows that have it.
        predicted: test rows that were given it, rightly or not.
        auc, average_precision: None where all test rows have the tag or none has.
        cut: the probability from which on it is given.
    """

    name: str
    precision: Share
    recall: Share
    f1: Share
    support: Count
    predicted: Count
    auc: Share | None
    average_precision: Share | None
    cut: float


class TagAverage(Fixed):
    """Precision, recall and F1 over all tags."""

    precision: Share
    recall: Share
    f1: Share


class Tags(Figures):
    """What the answers are worth where a row may have several tags at once, or none.

    Args:
        rows: test rows.
        per_tag: in the order of the tags.
        micro: over all pairs of row and tag; macro: mean over the tags.
        micro_interval: 95 % bootstrap interval of the micro F1, over rows.
        subset_accuracy: share of rows with exactly the right tags.
        subset_interval: its 95 % Wilson interval.
        hamming_loss: share of wrong pairs of row and tag.
        chosen: how the cuts were chosen.
    """

    rows: Count
    per_tag: list[TagScores]
    micro: TagAverage
    macro: TagAverage
    micro_interval: Interval
    subset_accuracy: Share
    subset_interval: Interval
    hamming_loss: Share
    chosen: str

    def figures(self) -> dict[str, float]:
        """F1, subset accuracy, Hamming loss and the mean AUC of the tags."""
        areas = [tag.auc for tag in self.per_tag if tag.auc is not None]
        return {
            "micro F1": self.micro.f1,
            "macro F1": self.macro.f1,
            "subset accuracy": self.subset_accuracy,
            "Hamming loss": self.hamming_loss,
        } | ({"AUC": sum(areas) / len(areas)} if areas else {})

    def intervals(self) -> dict[str, Interval]:
        """Those of the micro F1 and the subset accuracy."""
        return {"micro F1": self.micro_interval, "subset accuracy": self.subset_interval}
