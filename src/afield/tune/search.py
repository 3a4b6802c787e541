"""The search: suggests trials in batches, has them trained, learns from what became of them, and keeps it all."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import optuna
from optuna.trial import FrozenTrial

from afield.errors import StateError, UseCaseError
from afield.train.base import Watcher
from afield.tune.base import Outcome, Runner, Trial
from afield.tune.halving import Halving, NoHalving
from afield.tune.memory import STATES, Memory
from afield.tune.samplers import Sampler, batch_size, sampler
from afield.tune.space import Asked, decided, grid, suggested, values

if TYPE_CHECKING:
    from afield.tune.ledger import Ledger  # brings the database, which a search in memory does without

Made = TypeVar("Made")


@dataclass(frozen=True)
class Settings:
    """How to search.

    Args:
        trials: in all, those of an earlier run among them.
        sampler: who suggests.
        seed: of the suggestions.
        timeout: seconds after which no trial begins and what trains ends after its epoch; None for no end.
        higher_is_better: whether more of the score is better.
    """

    trials: int
    sampler: Sampler
    seed: int
    timeout: float | None
    higher_is_better: bool


@dataclass(frozen=True)
class Tried:
    """A trial that is over.

    Args:
        values: name of the dimension -> its value, as `Trial.values`.
        outcome: what became of it.
    """

    values: Mapping[str, Any]
    outcome: Outcome


class Search(Generic[Made]):
    """One search.

    Args:
        settings: how to search.
        asked: of the space.
        make: decisions -> what is to be trained with them; an AfieldError of it fails the trial alone.
        runner: trains.
        halving: says who leaves early.
        ledger: where it is kept.
        watcher: who is told of the progress.
    """

    def __init__(
        self,
        settings: Settings,
        asked: Asked,
        make: Callable[[Mapping[str, Any]], Made],
        runner: Runner[Made],
        halving: Halving | NoHalving,
        ledger: Ledger | Memory,
        watcher: Watcher,
    ) -> None:
        self._settings = settings
        self._asked = asked
        self._make = make
        self._runner = runner
        self._halving = halving
        self._ledger = ledger
        self._watcher = watcher
        self._deadline = None if settings.timeout is None else time.monotonic() + settings.timeout
        self._tried: dict[int, Tried] = {}
        self._batch = batch_size(settings.sampler, settings.trials)

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs after which trials may leave."""
        return self._halving.rungs

    def leave(self, epoch: int, values: Mapping[int, float]) -> set[int]:
        """The trials that leave after an epoch."""
        return self._halving.losers(epoch, values)

    def run(self) -> list[Tried]:
        """Searches until all trials are over or the time is up.

        Returns:
            The trials that are over, by number.

        Raises:
            StateError: no trial gave a score.
            TransientError: the database is out of reach.
        """
        before = self._ledger.finished()
        self._study = self._remembered(before)
        running = self._ledger.running()
        if self._tried.keys() >= running.keys():
            running = {}
        points = self._grid(running) if self._settings.sampler == "grid" else None
        while not self.over:
            batch = running or self._wanted(points)
            if not batch:
                break
            self._train(batch)
            running = {}
        self._scored()
        return [self._tried[number] for number in sorted(self._tried)]

    def _remembered(self, before: Sequence[tuple[FrozenTrial, Outcome]]) -> optuna.Study:
        """A study in memory with what is known: asking a database for each value would take longer than training."""
        # Another seed after each resumption, or the first suggestions would come again.
        seed = (self._settings.seed + 7919 * len(before)) % 2**32
        study = optuna.create_study(
            direction="maximize" if self._settings.higher_is_better else "minimize",
            sampler=sampler(self._settings.sampler, seed, self._batch),
        )
        study.add_trials([trial for trial, _ in before])
        for trial, outcome in before:
            self._tried[outcome.number] = Tried(dict(trial.params), outcome)
            for epoch, value in enumerate(outcome.curve, 1):
                self._halving.recall(outcome.number, epoch, value)
        return study

    def _grid(self, running: Mapping[int, dict[str, Any]]) -> list[dict[str, Any]]:
        """The points that were not begun yet."""
        known = [*(dict(tried.values) for tried in self._tried.values()), *running.values()]
        return [point for point in grid(self._asked) if point not in known]

    def _wanted(self, points: list[dict[str, Any]] | None) -> dict[int, dict[str, Any] | None]:
        """Numbers of the next trials, with their values where a grid gives them."""
        first = max(self._tried, default=-1) + 1
        count = min(self._batch, self._settings.trials - len(self._tried))
        if points is None:
            return dict.fromkeys(range(first, first + count))
        taken, points[:] = points[:count], points[count:]
        return dict(enumerate(taken, first))

    def _train(self, batch: Mapping[int, dict[str, Any] | None]) -> None:
        """Trains a batch: number -> values, None where they are to be suggested; those that are over decide with it."""
        asked: dict[int, optuna.Trial] = {}
        given: dict[int, dict[str, Any]] = {}
        trials: list[Trial[Made]] = []
        refused: list[Outcome] = []
        for number, stored in batch.items():
            if number in self._tried:
                decisions = decided(self._tried[number].values, self._asked)
            else:
                if stored is not None:
                    self._study.enqueue_trial(stored)
                asked[number] = self._study.ask()
                decisions = suggested(asked[number], self._asked)
            given[number] = values(decisions, self._asked(decisions))
            try:
                trials.append(Trial(number, given[number], self._make(decisions)))
            except UseCaseError as wrong:
                refused += [Outcome(number, "failed", reason=str(wrong))] if number in asked else []
        self._ledger.begin(given)
        self._watcher.stage(self._said(batch), len(asked))
        self._note(refused, asked)
        for outcome in self._runner.run(trials, self, batch.keys() - asked.keys()):
            self._note([outcome], asked)

    def _note(self, outcomes: Iterable[Outcome], asked: Mapping[int, optuna.Trial]) -> None:
        told: list[tuple[FrozenTrial, Outcome]] = []
        for outcome in outcomes:
            trial = asked[outcome.number]
            for epoch, value in enumerate(outcome.curve, 1):
                trial.report(value, epoch)
            complete = outcome.state == "complete"
            frozen = self._study.tell(trial, outcome.score if complete else None, STATES[outcome.state])
            self._tried[outcome.number] = Tried(dict(frozen.params), outcome)
            told.append((frozen, outcome))
            self._watcher.advance(1)
        self._ledger.end(told)

    def _said(self, batch: Mapping[int, Any]) -> str:
        best = self._best()
        reached = "" if best is None else f", best so far {best.outcome.score:.4f}"
        return f"trials {min(batch) + 1} to {max(batch) + 1} of {self._settings.trials}{reached}"

    def _best(self) -> Tried | None:
        return best(list(self._tried.values()), self._settings.higher_is_better)

    def _scored(self) -> None:
        if self._best() is not None:
            return
        if not self._tried:
            raise StateError("no trial has ended yet; give a longer --timeout, or run the same command to go on")
        first = self._tried[min(self._tried)]
        shown = ", ".join(f"{name}={value}" for name, value in first.values.items())
        raise StateError(
            f"none of {len(self._tried)} trials gave a score; the first one ({shown}): {first.outcome.reason}"
        )


def best(tried: Sequence[Tried], higher_is_better: bool) -> Tried | None:
    """The trial with the best score, of those trained to their end, or else of those that have a score.

    Of equal scores the lowest loss on the validation part decides, then the first trial.
    """
    sign = 1 if higher_is_better else -1
    scored = [one for one in tried if one.outcome.score is not None]
    whole = [one for one in scored if one.outcome.state == "complete"]

    def worth(one: Tried) -> tuple[float, float, int]:
        found = one.outcome
        return sign * (found.score or 0.0), -min(found.losses, default=math.inf), -found.number

    return max(whole or scored, key=worth, default=None)


def quiet() -> None:
    """Keeps Optuna from writing to the terminal: the progress is ours to show."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
