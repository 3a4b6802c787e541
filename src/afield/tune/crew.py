"""Trains the networks of trials in populations: epoch by epoch, those that end or lose leave."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from afield.errors import AfieldError, DataError
from afield.faults import point
from afield.preprocess.base import Features
from afield.tune.base import Outcome, Referee, State
from afield.tune.keeping import Keeping
from afield.tune.member import Member, Progress, Weights
from afield.tune.populations import Population, PopulationMemoryError, grouped


@dataclass(frozen=True)
class Rows:
    """What the members of some populations learn from.

    Args:
        features: of N records.
        targets: what they are to answer.
        validation: (features, targets).
        batch_size: records a step.
    """

    features: Features
    targets: Any
    validation: tuple[Features, Any]
    batch_size: int


class Crew:
    """The populations of one search.

    Args:
        folder: in which interrupted populations are kept; None keeps none.
        identity: what must be equal for them to go on.
        first_order: number of the first epoch, by which its rows are ordered: 1 for a trainer, 0 for `afield.fit`.
    """

    def __init__(self, folder: Path | None, identity: str, first_order: int = 1) -> None:
        self._first_order = first_order
        self._folder = folder
        self._identity = identity

    def train(
        self, members: Sequence[Member], rows: Rows, referee: Referee, ended: Collection[int] = ()
    ) -> Iterator[Outcome]:
        """Trains networks, those that can share a program together.

        Args:
            members: the networks of a batch.
            rows: what they learn from.
            referee: says which leave.
            ended: numbers of those that are over already: they only decide which others share a program.
        """
        for group in grouped([member.model for member in members]):
            together = [members[place] for place in group.places]
            yield from self._halved(together, rows, referee, ended)

    def _halved(
        self, members: Sequence[Member], rows: Rows, referee: Referee, ended: Collection[int]
    ) -> Iterator[Outcome]:
        """Trains a group; in halves where the device has too little memory."""
        over = set(ended)
        if over.issuperset(member.number for member in members):
            return
        try:
            for outcome in self._together(members, rows, referee, over):
                over.add(outcome.number)
                yield outcome
        except PopulationMemoryError as short:
            left = [member for member in members if member.number not in over]
            if len(left) == 1:
                yield left[0].failed(Progress(), str(short))
                return
            for half in (left[: len(left) // 2], left[len(left) // 2 :]):
                yield from self._halved(half, rows, referee, over)

    def _together(
        self, members: Sequence[Member], rows: Rows, referee: Referee, ended: Collection[int]
    ) -> Iterator[Outcome]:
        population = _population(members, rows)
        keeping = self._keeping(members)
        begun = keeping.latest(population, members) if keeping else None
        state, progress, epoch = begun or (population.start(), [Progress() for _ in members], 0)
        state = population.kept(state, [place for place in state.members if members[place].number not in ended])
        try:
            while state.members and not referee.over:
                epoch += 1
                before, started = state.members, time.perf_counter()
                state, logs = population.epoch(state, epoch - 1 + self._first_order)
                validated = population.validate(state)
                share = (time.perf_counter() - started) / len(before)
                for place, loss in zip(before, logs["loss"], strict=True):
                    progress[place].seconds += share
                    if place not in state.members:
                        yield members[place].failed(progress[place], _diverged(epoch, float(loss)))
                judged = _Judged(members, progress, partial(population.weights, state))
                yield from judged.outcomes(epoch, state.members, validated, referee)
                state = population.kept(state, [place for place in state.members if place not in judged.leaving])
                if keeping and state.members:
                    keeping.write(epoch, state, progress)
                point("population epoch")
            if keeping and not state.members:
                keeping.clear()
        finally:
            if keeping:
                keeping.flush()

    def _keeping(self, members: Sequence[Member]) -> Keeping | None:
        if self._folder is None:
            return None
        return Keeping(self._folder / f"population-{members[0].number}", self._identity)


class _Judged:
    """One epoch of a population, judged.

    Args:
        members: all of them.
        progress: of each.
        weights: place of a member -> its weights.
    """

    def __init__(
        self, members: Sequence[Member], progress: Sequence[Progress], weights: Callable[[int], Weights]
    ) -> None:
        self._members = members
        self._progress = progress
        self._weights = weights
        self.leaving: set[int] = set()

    def outcomes(
        self, epoch: int, left: Sequence[int], validated: Mapping[str, np.ndarray], referee: Referee
    ) -> Iterator[Outcome]:
        """What became of those that leave; their places are in `leaving` then.

        Args:
            epoch: just over.
            left: places of the members that trained.
            validated: what was measured on the validation part, [M] each.
            referee: says which lose.
        """
        standing: dict[int, float] = {}
        done: set[int] = set()
        for row, place in enumerate(left):
            measured = {name: float(values[row]) for name, values in validated.items()}
            try:
                if not all(map(np.isfinite, measured.values())):
                    raise DataError(_diverged(epoch, measured["loss"]))
                self._members[place].check(measured)
                if self._members[place].after(self._progress[place], measured, partial(self._weights, place)):
                    done.add(place)
                standing[place] = measured[self._members[place].watched]
            except AfieldError as failed:
                yield self._failed(place, failed)
        numbers = {self._members[place].number: value for place, value in standing.items()}
        lost = referee.leave(epoch, numbers) if numbers else set()
        for place in standing:
            if place in done:
                yield self._ended(place, "complete")
            elif self._members[place].number in lost:
                yield self._ended(place, "pruned")

    def _ended(self, place: int, state: State) -> Outcome:
        try:
            outcome = self._members[place].outcome(self._progress[place], state, partial(self._weights, place))
        except AfieldError as failed:
            return self._failed(place, failed)
        self.leaving.add(place)
        return outcome

    def _failed(self, place: int, failed: AfieldError) -> Outcome:
        self.leaving.add(place)
        return self._members[place].failed(self._progress[place], str(failed))


def _population(members: Sequence[Member], rows: Rows) -> Population:
    weights = [member.class_weights for member in members]
    weighed = any(one is not None for one in weights)
    return Population(
        [member.model for member in members],
        rows.features,
        rows.targets,
        rows.validation,
        batch_size=rows.batch_size,
        seeds=[member.seed for member in members],
        class_weights=[None if one is None else dict(enumerate(one.tolist())) for one in weights] if weighed else None,
    )


def _diverged(epoch: int, loss: float) -> str:
    return f"epoch {epoch}: the loss is {loss}, no longer a number"
