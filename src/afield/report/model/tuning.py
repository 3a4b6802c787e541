"""What a search for the best values has found: its trials, what mattered, and the best of them on the test part."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from afield.report.model.base import Count, Fixed, Share, higher_is_better
from afield.report.model.contenders import Contender

TUNING_SCHEMA = 1


class Searched(Fixed):
    """One value that was searched for.

    Args:
        name: its path in the use case.
        choices: the values to choose among, as text where they are no plain values; empty for a range.
        bounds: lowest and highest value of a range.
        log: whether the logarithm was searched evenly.
        importance: its share in what made scores differ; None where too few trials have one.
    """

    name: str
    choices: list[Any] = Field(default_factory=list[Any])
    bounds: tuple[float, float] | None = None
    log: bool = False
    importance: Share | None = None


class TrialRow(Fixed):
    """One trial.

    Args:
        number: from 0, in the order in which they were suggested.
        state: trained to its end, left behind by better ones, or without a score.
        values: path -> value.
        score: on the validation part; of a pruned trial, when it left.
        curve: what trials were compared by, after each epoch.
        losses: on the validation part, after each epoch.
        seconds: of training; in a population, its share of the time.
        bytes: of the model.
        row_seconds: time to answer one row.
        reason: why it failed.
    """

    number: Count
    state: Literal["complete", "pruned", "failed"]
    values: dict[str, Any]
    score: float | None = None
    curve: list[float] = Field(default_factory=list[float])
    losses: list[float] = Field(default_factory=list[float])
    seconds: float | None = None
    bytes: Count | None = None
    row_seconds: float | None = None
    reason: str = ""


class Tuning(Fixed):
    """A search for the best values.

    Args:
        created: with its time zone.
        metric: name of the score; of each trial on the validation part.
        watched: what trials are compared by after each epoch.
        sampler: who suggested the values.
        schedule: when trials left early.
        searched: the values that were searched for, the most important first.
        trials: all of them, by number.
        best: number of the best trial.
        front: numbers of the trials that no other beats in score, size and time a row at once, the best score first.
        test: the best trial's model, trained anew and judged once on the test part.
        rows: of the test part.
        seconds: of the whole search, in this run.
        facts: what else a person needs to repeat it: library versions, seed, device, ...
    """

    schema_version: int = Field(default=TUNING_SCHEMA, alias="schema")
    use_case: str
    question: str
    created: AwareDatetime
    metric: str
    watched: str
    sampler: str
    schedule: str
    searched: list[Searched]
    trials: list[TrialRow]
    best: Count
    front: list[Count]
    test: Contender
    rows: Count
    seconds: float
    verdict: str
    facts: dict[str, str] = Field(default_factory=dict[str, str])

    @property
    def higher_is_better(self) -> bool:
        """Whether more of the metric is better."""
        return higher_is_better(self.metric)

    @property
    def best_trial(self) -> TrialRow:
        """The best one."""
        return next(trial for trial in self.trials if trial.number == self.best)

    def counted(self, state: str) -> int:
        """How many trials ended so."""
        return sum(trial.state == state for trial in self.trials)
