"""What answers by the nearest known state are worth, and how the embedding came to tell them apart."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from afield.report.model.base import Count, Fixed, Share


class State(Fixed):
    """A known state.

    Args:
        examples: rows from which its reference vector was made.
        radius: distance beyond which a row is unknown.
        taught: whether it was added after the training.
    """

    name: str
    examples: Count
    radius: float
    taught: bool = False


class States(Fixed):
    """The known states, and how often none of them was near enough. The confusion of states stands in the scores.

    Args:
        states: in the order of the classes.
        unknown: share of the test rows of known states that were answered with unknown.
        strangers: share of the rows of states that are not known that were; None where there is no such row.
    """

    states: list[State]
    unknown: Share
    strangers: Share | None = None


class Frame(Fixed):
    """The points after one epoch; 0 is before the first one."""

    epoch: Count
    points: list[tuple[float, float, float]]


class Embedding(Fixed):
    """Vectors of some rows, epoch by epoch, seen from one side.

    Args:
        names: of the states or classes.
        members: number of each row's name in `names`.
        frames: in order of their epochs; the same rows in each.
        method: how three coordinates were found.
    """

    names: list[str]
    members: list[Count]
    frames: list[Frame] = Field(min_length=1)
    method: str

    @model_validator(mode="after")
    def _same_rows(self) -> Self:
        if any(len(frame.points) != len(self.members) for frame in self.frames):
            raise ValueError(f"every frame must have {len(self.members)} points, one for each member")
        return self
