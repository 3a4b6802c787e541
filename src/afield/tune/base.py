"""The seam of this room: a runner trains the trials that it is given, and asks after each epoch which go on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

State = Literal["complete", "pruned", "failed"]
"""Of a trial that is over: trained to its end, left behind by better ones, or without a score."""

Made = TypeVar("Made", covariant=True)
Given = TypeVar("Given", contravariant=True)


@dataclass(frozen=True)
class Trial(Generic[Made]):
    """One setting to try.

    Args:
        number: of the trial, from 0.
        values: name of the dimension -> its value; an alternative that is no plain value as JSON text.
        made: what is to be trained with these values.
    """

    number: int
    values: Mapping[str, Any]
    made: Made


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Args:
        number: of the trial.
        state: how it ended.
        score: the figure that is searched for, on the validation part; None of a failed one.
        curve: the watched figure after each epoch.
        losses: loss on the validation part after each epoch.
        seconds: of training; in a population, its share of the time.
        bytes: of the model as it is stored; of a member of a population, of its weights.
        row_seconds: time to answer one row; None where it was not measured.
        reason: why it failed.
    """

    number: int
    state: State
    score: float | None = None
    curve: Sequence[float] = field(default_factory=list[float])
    losses: Sequence[float] = field(default_factory=list[float])
    seconds: float | None = None
    bytes: int | None = None
    row_seconds: float | None = None
    reason: str = ""


class Referee(Protocol):
    """Says after each epoch which trials go on."""

    def leave(self, epoch: int, values: Mapping[int, float]) -> set[int]:
        """The trials that leave.

        Args:
            epoch: just over, from 1.
            values: number of the trial -> the watched figure, of all trials that train together.
        """
        ...

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs after which trials may leave, ascending."""
        ...

    @property
    def over(self) -> bool:
        """Whether the time is up: what trains now ends after its epoch."""
        ...


class Runner(Protocol[Given]):
    """Trains trials."""

    def run(self, trials: Sequence[Trial[Given]], referee: Referee, ended: Collection[int] = ()) -> Iterator[Outcome]:
        """Trains all of them, each outcome as soon as it is known; a trial that fails stops no other.

        Args:
            trials: of one batch.
            referee: says which leave early.
            ended: numbers of those that were over before an interruption; they are not trained again.
        """
        ...
