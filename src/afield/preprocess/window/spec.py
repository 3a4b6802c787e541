"""The window step as it is declared in a use case; everything heavy is imported when the step is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from afield.preprocess.window.step import WindowStep

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)


def duration(text: str) -> float | None:
    """Seconds of a duration such as "90s" or "2m"; None where it is none."""
    found = _DURATION.fullmatch(text)
    return float(found[1]) * _UNITS[found[2]] if found else None


class Window(Component):
    """Rows joined to windows of consecutive rows, each sequence for itself; it ends the preprocessing."""

    summary: ClassVar[str] = "Rows to windows of consecutive rows; stands last."

    length: int = Field(description="Rows of a window.", examples=[60])
    stride: int = Field(1, description="Rows from the start of one window to that of the next.", examples=[60])
    key: str | None = Field(
        None,
        description="Column whose values tell sequences apart; without it, all rows are one sequence.",
        examples=["node"],
    )
    time: str | None = Field(
        None,
        description="Column that orders the rows: dates, timestamps, numbers of seconds, or text of these. A row older "
        "than the one before it is counted and left out. Without it, rows stand in the order of arrival.",
        examples=["timestamp"],
    )
    gap: str | None = Field(
        None,
        description="Longest time between two rows of a window; after a longer one, windows begin anew.",
        examples=["90s", "2m"],
    )
    forget: int = Field(
        1_000_000,
        description="A sequence is forgotten, and begins anew, when so many rows of all sequences came without one of "
        "its own.",
        examples=[100_000],
    )
    label: Literal["any", "last", "all_same"] = Field(
        "last",
        description="The known answer of a window: `last`, that of its last row; `any`, the most frequent answer in it "
        "other than the normal one, the latest of equals; `all_same`: windows of several answers are left out.",
        examples=["any"],
    )
    normal: str = Field(
        "normal", description="The answer that a row has where nothing is wrong, for `label: any`.", examples=["0"]
    )

    @property
    def gap_seconds(self) -> float | None:
        """The longest time between two rows of a window, in seconds."""
        return None if self.gap is None else duration(self.gap)

    def lint(self) -> Sequence[Problem]:
        """Values that can fit no data."""
        return list(self._problems())

    def _problems(self) -> Iterator[Problem]:
        for name in ("length", "stride", "forget"):
            if getattr(self, name) < 1:
                yield Problem((name,), f"expected 1 or more, found {getattr(self, name)}")
        for name in ("key", "time"):
            if getattr(self, name) == "":
                yield Problem((name,), "expected a name, found an empty one")
        if self.gap is not None and not duration(self.gap):
            yield Problem(("gap",), f"expected a time such as 90s, 2m, 1.5h or 1d, found '{self.gap}'")
        if self.gap is not None and self.time is None:
            yield Problem(("gap",), "a gap needs a column of times; name it under time")

    def open(self) -> WindowStep:
        """The step, ready to apply: it has nothing to fit."""
        from afield.preprocess.window.step import WindowStep

        return WindowStep(self)
