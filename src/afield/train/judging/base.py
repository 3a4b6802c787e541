"""What the judges of every kind of question share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from afield.preprocess.base import Features
from afield.report.metrics import Rows
from afield.report.model import METRIC, Contender, Figures
from afield.runtime.decisions import Decision
from afield.train.dataset import Dataset
from afield.train.shown import shown
from afield.usecase.model import UseCase


@dataclass(frozen=True)
class Raw:
    """What a model computes for the parts it is judged on: float32[N, ...] each.

    Args:
        training: for the training part too, of a model that gives vectors.
        parts: float32[K, F] of K examples, what each column of the one feature adds to their scores, of a model that
            says so.
    """

    validation: np.ndarray
    test: np.ndarray
    training: np.ndarray | None = None
    parts: Callable[[Features], np.ndarray] | None = None


@dataclass(frozen=True)
class Judgement:
    """What the answers are worth.

    Args:
        decision: how what the model computes becomes an answer.
        sections: of the report, by the name of its field.
    """

    decision: Decision
    sections: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def contender(self, name: str, kind: str, metric: str, seconds: float) -> Contender | None:
        """The model as one of those that are compared; None where nothing is known to judge it by."""
        sections = [section for section in self.sections.values() if isinstance(section, Figures)]
        if metric == METRIC["abnormal"] and not any(metric in section.figures() for section in sections):
            return None  # no labels
        return Contender.of(name, metric, *sections, kind=kind, seconds=seconds)


Judge = Callable[[Dataset, UseCase, Raw], Judgement]
"""Judges what a model computes for one kind of question."""


def metric_of(case: UseCase) -> str:
    """The figure by which models are compared."""
    return case.question.metric or METRIC[case.question.kind]


def rows_shown(data: Dataset) -> Rows:
    """Places in the test part -> the records as they may be shown."""
    return lambda places: shown(data, data.parts.test[places])
