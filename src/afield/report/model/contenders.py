"""Models side by side: the contenders of a report, and the comparison of several trained on the same parts."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from afield.errors import DataError
from afield.report.model.base import Count, Figures, Fixed, Interval, higher_is_better

COMPARISON_SCHEMA = 1


class Contender(Fixed):
    """A model and what it is worth.

    Args:
        name: of the model.
        kind: what it is: "network", "scikit-learn", "baseline", "rule", ...
        score: the figure by which models are compared.
        interval: its 95 % interval.
        figures: other figures, by name.
        seconds: time to train it.
        row_seconds: time to answer one row.
        bytes: its size as stored.
        lines: lines of configuration.
        folds: its score on each fold; empty where there was one split.
    """

    name: str
    kind: str = "baseline"
    score: float
    interval: Interval | None = None
    figures: dict[str, float] = Field(default_factory=dict[str, float])
    seconds: float | None = None
    row_seconds: float | None = None
    bytes: Count | None = None
    lines: Count | None = None
    folds: list[float] = Field(default_factory=list[float])

    @classmethod
    def of(
        cls, name: str, metric: str, *sections: Figures, kind: str = "baseline", seconds: float | None = None
    ) -> Contender:
        """A model by the parts of a report that judge it.

        Args:
            name: of the model.
            metric: which figure is its score.
            sections: the parts; the first one that has a figure of a name gives it.
            kind: what it is.
            seconds: time to train it.

        Raises:
            DataError: no part has a figure of that name.
        """
        figures: dict[str, float] = {}
        intervals: dict[str, Interval] = {}
        for section in sections:
            figures, intervals = section.figures() | figures, section.intervals() | intervals
        if metric not in figures:
            raise DataError(
                f"{name}: expected a figure named {metric!r} to compare by, found {', '.join(figures) or 'none'};"
                " name one of these"
            )
        score = figures.pop(metric)
        return cls(name=name, kind=kind, score=score, interval=intervals.get(metric), figures=figures, seconds=seconds)


class Failure(Fixed):
    """A model that could not be trained, and why."""

    name: str
    kind: str
    reason: str


class Comparison(Fixed):
    """Several models trained and judged on the same parts.

    Args:
        created: with its time zone.
        metric: name of the score.
        folds: how often the data was split; 1 for one split.
        rows: test rows behind each score; with folds, all rows.
        contenders: the best first.
        failed: those that gave no score.
        facts: what else a person needs to repeat it: library versions, seed, device, ...
    """

    schema_version: int = Field(default=COMPARISON_SCHEMA, alias="schema")
    use_case: str
    question: str
    created: AwareDatetime
    metric: str
    folds: Count = 1
    rows: Count
    contenders: list[Contender]
    failed: list[Failure] = Field(default_factory=list[Failure])
    verdict: str
    facts: dict[str, str] = Field(default_factory=dict[str, str])

    @property
    def higher_is_better(self) -> bool:
        """Whether more of the metric is better."""
        return higher_is_better(self.metric)
