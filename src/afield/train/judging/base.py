"""What the judges of every kind of question share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from afield.report.metrics import Rows
from afield.report.model import METRIC, Contender, Figures, Interval
from afield.runtime.decisions import Decision
from afield.train.dataset import Dataset
from afield.train.shown import shown
from afield.usecase.model import UseCase


@dataclass(frozen=True)
class Raw:
    """What a model computes for the parts it is judged on: float32[N, ...] each.

    Args:
        training: for the training part too, of a model that gives vectors.
    """

    validation: np.ndarray
    test: np.ndarray
    training: np.ndarray | None = None


@dataclass(frozen=True)
class Judgement:
    """What the answers are worth.

    Args:
        decision: how what the model computes becomes an answer.
        sections: of the report, by the name of its field.
    """

    decision: Decision
    sections: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def figures(self) -> dict[str, float]:
        """Every figure by name; the first section that has one decides."""
        found: dict[str, float] = {}
        for section in self.sections.values():
            if isinstance(section, Figures):
                found = section.figures() | found
        return found

    def intervals(self) -> dict[str, Interval]:
        """The 95 % intervals of those that have one."""
        found: dict[str, Interval] = {}
        for section in self.sections.values():
            if isinstance(section, Figures):
                found = section.intervals() | found
        return found

    def contender(self, name: str, kind: str, metric: str, seconds: float) -> Contender | None:
        """The model as one of those that are compared; None where nothing is known to judge it by."""
        figures = self.figures()
        score = figures.pop(metric, None)
        if score is None:
            return None
        return Contender(
            name=name,
            kind=kind,
            score=score,
            interval=self.intervals().get(metric),
            figures=figures,
            seconds=seconds,
        )


Judge = Callable[[Dataset, UseCase, Raw], Judgement]
"""Judges what a model computes for one kind of question."""


def metric_of(case: UseCase) -> str:
    """The figure by which models are compared."""
    return case.question.metric or METRIC[case.question.kind]


def rows_shown(data: Dataset) -> Rows:
    """Places in the test part -> the records as they may be shown."""
    return lambda places: shown(data, data.parts.test[places])
