"""Which trials make a task: those that would train in one population here, in as many parts as there is room for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from afield.errors import AfieldError
from afield.train.dataset import Dataset
from afield.tune.alone import by_preprocessing
from afield.tune.base import Outcome
from afield.tune.datasets import Datasets
from afield.tune.populations import grouped
from afield.tune.together import CaseTrial, by_batch, refused_outcome, shares, trainer_of

LEAST = 8
"""Members of a population that one task trains, at least: fewer take almost as long."""


@dataclass(frozen=True)
class Part:
    """Trials of one task.

    Args:
        population: place of their population in the order in which one machine would train them.
        trials: the trials.
        data: their dataset.
    """

    population: int
    trials: tuple[CaseTrial, ...]
    data: Dataset

    @property
    def numbers(self) -> list[int]:
        """Of its trials."""
        return [trial.number for trial in self.trials]


def planned(trials: Sequence[CaseTrial], datasets: Datasets, tasks: int) -> tuple[list[Part], list[Outcome]]:
    """Parts in the order in which one machine would train them, and the trials that have no dataset.

    Args:
        trials: of a batch.
        datasets: of the use case.
        tasks: that the cluster runs at a time.
    """
    together: list[tuple[list[CaseTrial], Dataset]] = []
    apart: list[tuple[list[CaseTrial], Dataset]] = []
    refused: list[Outcome] = []
    for same in by_preprocessing(trials):
        try:
            data = datasets.of(same[0].made.model)
        except AfieldError as failed:
            refused += [refused_outcome(trial, failed) for trial in same]
            continue
        sharing = [trial for trial in same if shares(trial, data)]
        apart += [([trial], data) for trial in same if trial not in sharing]
        for batch in by_batch(sharing):
            together += [(group, data) for group in _groups(batch, data)]
    each = max(1, -(-tasks // max(len(together), 1)))
    parts: list[Part] = []
    for place, (group, data) in enumerate([*together, *apart]):
        parts += [Part(place, tuple(some), data) for some in _cut(group, each)]
    return parts, refused


def halved(part: Part) -> tuple[Part, Part]:
    """A part as two, so that one of its trials does not take the others with it."""
    middle = len(part.trials) // 2
    first, second = part.trials[:middle], part.trials[middle:]
    return Part(part.population, first, part.data), Part(part.population, second, part.data)


def _groups(trials: Sequence[CaseTrial], data: Dataset) -> list[list[CaseTrial]]:
    training = data.examples(data.parts.training)
    by_outputs: dict[Any, list[tuple[CaseTrial, Any]]] = {}
    for trial in trials:
        try:
            model = trainer_of(trial, data).network(training)
        except AfieldError:
            # The task finds the same, and says it.
            by_outputs[trial.number, "refused"] = [(trial, None)]
            continue
        by_outputs.setdefault(tuple(model.outputs[0].shape), []).append((trial, model))
    groups: list[list[CaseTrial]] = []
    for same in by_outputs.values():
        if same[0][1] is None:
            groups.append([same[0][0]])
            continue
        groups += [[same[place][0] for place in group.places] for group in grouped([model for _, model in same])]
    return groups


def _cut(group: Sequence[CaseTrial], most: int) -> list[Sequence[CaseTrial]]:
    count = max(1, min(most, len(group) // LEAST))
    edges = [round(len(group) * number / count) for number in range(count + 1)]
    return [group[start:stop] for start, stop in itertools.pairwise(edges)]
