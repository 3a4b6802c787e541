"""What became of each trial, for as long as the process lives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from afield.tune.base import Outcome, State

STATES: Mapping[State, TrialState] = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
"""How a trial ended, as Optuna says it."""


class Memory:
    """The trials of one study, for as long as the process lives."""

    def __init__(self) -> None:
        self._finished: list[tuple[FrozenTrial, Outcome]] = []

    def finished(self) -> list[tuple[FrozenTrial, Outcome]]:
        """The trials that are over, by number."""
        return sorted(self._finished, key=lambda pair: pair[1].number)

    def running(self) -> dict[int, dict[str, Any]]:
        """None: nothing goes on after an interruption."""
        return {}

    def begin(self, trials: Mapping[int, Mapping[str, Any]]) -> None:
        """Nothing to note."""

    def end(self, told: Sequence[tuple[FrozenTrial, Outcome]]) -> None:
        """Notes what became of some trials."""
        self._finished += told
