"""What every part of a report shares: its base, its numbers, and the names of the figures that are compared."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Kind = Literal["classify", "tag", "regress", "abnormal", "group", "write"]
"""What is asked: a class, several tags at once, a value, what is unusual, which rows belong together, or text."""

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Probability = Annotated[float, Field(ge=0, le=1 + 1e-4), AfterValidator(lambda value: min(value, 1.0))]
"""A share as a network computes it: in 32 bits, a certain answer may come out a little above 1."""
Interval = tuple[float, float]
"""Lower and upper bound of a 95 % interval."""

METRIC: Mapping[Kind, str] = {
    "classify": "accuracy",
    "tag": "micro F1",
    "regress": "R2",
    "abnormal": "average precision",
    "group": "silhouette",
    "write": "bits a character",
}
"""The figure by which models are compared where the use case names no other."""

LOWER_IS_BETTER = frozenset(
    {
        "bits a character",
        "calibration error",
        "Hamming loss",
        "log loss",
        "mean absolute error",
        "mean squared error",
        "median absolute error",
        "nats a character",
        "perplexity",
        "root mean squared error",
    }
)


def higher_is_better(metric: str) -> bool:
    """Whether more of this figure is better."""
    return metric not in LOWER_IS_BETTER


class Fixed(BaseModel):
    """A part of a report: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings", serialize_by_alias=True)


class Figures(Fixed):
    """A part of a report that says how good the answers are."""

    @abstractmethod
    def figures(self) -> dict[str, float]:
        """Its figures by name, those that are known."""

    @abstractmethod
    def intervals(self) -> dict[str, Interval]:
        """The 95 % intervals of those that have one."""


class Shown(Fixed):
    """A row as it may be shown.

    Args:
        text: the record, what masks cover by its name (`<number>`), all else as it was read.
        file, line: where it stands; an empty file where its source does not say.
    """

    text: str
    file: str = ""
    line: int = 0


class Histogram(Fixed):
    """Counts in bins that lie side by side.

    Args:
        edges: one more than there are bins, ascending.
        counts: of each bin.
    """

    edges: list[float]
    counts: list[Count]


class Picture(Fixed):
    """Rows as points in a plane or in space.

    Args:
        points: (x, y) or (x, y, z) of each row.
        members: number of each point's name in `names`.
        names: of what the points are coloured by: groups, classes or states.
        texts: of each point, to show beside it; empty for none.
        method: how the points were found.
    """

    points: list[tuple[float, ...]]
    members: list[Count]
    names: list[str]
    texts: list[str] = Field(default_factory=list[str])
    method: str
