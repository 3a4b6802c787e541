"""Answers at equal distances of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import ConfigDict, Field, model_validator

from afield.runtime.triggers.base import Duration, Trigger, in_seconds
from afield.runtime.triggers.schedule import Schedule, Scheduled
from afield.usecase.base import Problem, or_alone, shorthand

LEAST = 0.1
"""Seconds between two runs."""


class Every(Scheduled):
    """What waits is answered together, at equal distances of time."""

    model_config = ConfigDict(json_schema_extra=or_alone("every"))
    summary: ClassVar[str] = "Answers what waits at equal distances of time, as `every: 60s`."

    every: Duration = Field(
        description="From one run to the next: ms, s, m, h or d. Counted from 1970-01-01 00:00 UTC: `1h` is every "
        "full hour, whenever the process was started.",
        examples=["60s", "1h"],
    )

    _short = model_validator(mode="before")(shorthand("every"))

    def lint(self) -> Sequence[Problem]:
        """A distance that is too small."""
        if in_seconds(self.every) >= LEAST:
            return ()
        return [Problem(("every",), f"expected 100ms or more, found {self.every}; `on_arrival` answers at once")]

    def open(self) -> Trigger:
        """The trigger at work."""
        seconds = in_seconds(self.every)
        return Schedule(lambda moment: (moment // seconds + 1) * seconds, self.catch_up)
