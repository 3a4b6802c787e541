"""Trials of `afield.tune`: models that a function has built, trained in populations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from afield.errors import UseCaseError
from afield.tune.base import Outcome, Referee, Trial
from afield.tune.crew import Crew, Rows
from afield.tune.member import Member, Weights

Part = tuple[Any, Any]
"""Rows and their answers."""


@dataclass(frozen=True)
class Built:
    """A model to be trained.

    Args:
        model: compiled.
        epochs: passes over the rows.
        batch_size: rows a step.
    """

    model: keras.Model
    epochs: int
    batch_size: int


class Builds:
    """Trains the models of a function in populations, and keeps the weights of the best one.

    Args:
        parts: (x, y) to train on, and (x, y) to compare on.
        watched: what is compared: "loss", or the name of a metric.
        higher_is_better: whether more of it is better.
        seed: of the order of the rows.
    """

    def __init__(self, parts: tuple[Part, Part], watched: str, higher_is_better: bool, seed: int) -> None:
        self._parts = parts
        self._watched = watched
        self._sign = 1 if higher_is_better else -1
        self._seed = seed
        self._crew = Crew(None, "", first_order=0)
        self._best: tuple[float, int, Weights] | None = None

    def run(self, trials: Sequence[Trial[Built]], referee: Referee, ended: Collection[int] = ()) -> Iterator[Outcome]:
        """Trains all of them."""
        (features, targets), validation = self._parts
        by_batch: dict[int, list[Trial[Built]]] = {}
        for trial in trials:
            by_batch.setdefault(trial.made.batch_size, []).append(trial)
        for batch_size, same in by_batch.items():
            rows = Rows(features, targets, validation, batch_size)
            yield from self._crew.train([self._member(trial) for trial in same], rows, referee, ended)

    def fitted(self, model: keras.Model, number: int) -> None:
        """Gives a model the weights of the best trial.

        Args:
            model: built with the values of that trial.
            number: of that trial.
        """
        assert self._best is not None, "a search ends with a trial that was trained to its end, or raises"
        assert self._best[1] == number, "the best trial is the one whose weights are kept"
        model.set_weights(self._best[2])

    def _member(self, trial: Trial[Built]) -> Member:
        def ended(score: float, weights: Callable[[], Weights]) -> None:
            # The first of equal scores is the best one.
            order = (self._sign * score, -trial.number)
            if self._best is None or order > (self._best[0], -self._best[1]):
                self._best = (order[0], trial.number, weights())

        return Member(
            number=trial.number,
            model=trial.made.model,
            epochs=trial.made.epochs,
            seed=self._seed,
            watched=self._watched,
            score=lambda measured, _: measured[self._watched],
            needs_weights=False,
            row_seconds=lambda _: None,
            ended=ended,
        )


def parted(x: Any, y: Any, validation: tuple[Any, Any] | None, share: float) -> tuple[Part, Part]:
    """Rows to train on, and rows to compare on.

    Args:
        x: rows.
        y: their answers.
        validation: rows to compare on and their answers, where they are apart.
        share: of the rows, the last ones, to compare on, where they are not.

    Raises:
        UseCaseError: no row is left to train on, or to compare on.
    """
    rows = len(keras.tree.flatten(y)[0])
    if validation is not None:
        return (x, y), validation
    first = rows - round(rows * share)
    if not 0 < first < rows:
        raise UseCaseError(
            f"validation_split: expected a share that leaves some of the {rows:,} rows on both sides, found {share}"
        )

    def part(values: Any, start: int, end: int) -> Any:
        return keras.tree.map_structure(lambda array: np.asarray(array)[start:end], values)

    return (part(x, 0, first), part(y, 0, first)), (part(x, first, rows), part(y, first, rows))
