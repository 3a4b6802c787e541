"""What is known of answers that nobody labelled beforehand: unusual rows, and groups of rows."""

from __future__ import annotations

from pydantic import Field

from afield.report.model.base import Count, Figures, Fixed, Histogram, Interval, Picture, Share, Shown
from afield.report.model.binary import Curve


class AtK(Fixed):
    """How many of the k most abnormal rows are labelled so.

    Args:
        k: rows looked at, the most abnormal first.
        precision: share of them that is labelled abnormal.
        recall: share of the rows labelled abnormal that is among them.
    """

    k: Count
    precision: Share
    recall: Share


class Contribution(Fixed):
    """A column's part in a row's score.

    Args:
        column: its name.
        value: what stands there, as it may be shown.
        share: of the score.
    """

    column: str
    value: str
    share: float


class Unusual(Shown):
    """An abnormal row.

    Args:
        score: higher is more abnormal.
        label: what the row is known to be; None where no labels exist.
        columns: those that contribute most, the largest first.
    """

    score: float
    label: str | None = None
    columns: list[Contribution] = Field(default_factory=list[Contribution])


class Known(Fixed):
    """What the scores are worth on rows whose labels are known.

    Args:
        positives: test rows labelled abnormal.
        precision, recall: of the alarms.
        at: precision and recall among the k most abnormal rows, k ascending.
        precision_at_count: precision at k = positives, which is the recall there too; with its 95 % Wilson interval.
        histogram: scores of the rows labelled abnormal, in the bins of the others.
    """

    positives: Count
    precision: Share
    recall: Share
    at: list[AtK]
    precision_at_count: Share
    precision_at_count_interval: Interval
    auc: Share
    auc_interval: Interval
    average_precision: Share
    average_precision_interval: Interval
    roc: Curve
    precision_recall: Curve
    histogram: Histogram


class Abnormal(Figures):
    """What is abnormal on the test part.

    Args:
        rows: test rows.
        cut: the score above which a row is an alarm.
        share: of alarms for which the cut was calibrated, on the validation part.
        observed: share of alarms on the test part.
        observed_interval: its 95 % Wilson interval.
        histogram: scores of the test rows; where labels are known, of those that are normal.
        known: None where no labels exist.
        most: the most abnormal rows, the highest score first.
    """

    rows: Count
    cut: float
    share: Share
    observed: Share
    observed_interval: Interval
    histogram: Histogram
    known: Known | None = None
    most: list[Unusual]

    def figures(self) -> dict[str, float]:
        """The share of alarms, and where labels exist what they say of it."""
        found = {"share of alarms": self.observed}
        if self.known is not None:
            found |= {
                "average precision": self.known.average_precision,
                "AUC": self.known.auc,
                "precision at the true count": self.known.precision_at_count,
                "precision": self.known.precision,
                "recall": self.known.recall,
            }
        return found

    def intervals(self) -> dict[str, Interval]:
        """Those of the share of alarms, the areas and the precision at the true count."""
        found = {"share of alarms": self.observed_interval}
        if self.known is not None:
            found |= {
                "AUC": self.known.auc_interval,
                "average precision": self.known.average_precision_interval,
                "precision at the true count": self.known.precision_at_count_interval,
            }
        return found


class Typical(Fixed):
    """A column in which a group stands out.

    Args:
        value: its mean in the group.
        overall: its mean over all rows.
        deviations: by how many standard deviations of all rows they differ.
    """

    column: str
    value: float
    overall: float
    deviations: float


class Group(Fixed):
    """Rows that belong together.

    Args:
        size: rows.
        share: of all rows.
        spread: root of the mean squared distance from the centre.
        silhouette: mean over its rows, of those that were sampled; None where none was.
        typical: the columns in which it stands out most.
        examples: the rows nearest to its centre.
    """

    name: str
    size: Count
    share: Share
    spread: float
    silhouette: float | None
    typical: list[Typical] = Field(default_factory=list[Typical])
    examples: list[Shown] = Field(default_factory=list[Shown])


class Groups(Figures):
    """The groups that were found.

    Args:
        method: how: "k-means, 8 groups".
        rows: that were grouped.
        outside: of them, rows that belong to no group.
        groups: the largest first.
        silhouette: mean over the sampled rows, from -1 to 1; None where there is one group only.
        silhouette_interval: its 95 % bootstrap interval, over the sampled rows.
        agreement: adjusted Rand index with the known labels; None where there are none.
        picture: a sample of the rows.
    """

    method: str
    rows: Count
    outside: Count = 0
    groups: list[Group]
    silhouette: float | None
    silhouette_interval: Interval | None = None
    agreement: float | None = None
    picture: Picture | None = None

    def figures(self) -> dict[str, float]:
        """Silhouette, agreement with known labels, and the number of groups."""
        found = {"silhouette": self.silhouette, "agreement": self.agreement, "groups": float(len(self.groups))}
        return {name: value for name, value in found.items() if value is not None}

    def intervals(self) -> dict[str, Interval]:
        """That of the silhouette."""
        return {} if self.silhouette_interval is None else {"silhouette": self.silhouette_interval}
