"""Answers so many records at a time."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, model_validator

from afield.runtime.triggers.base import Duration, Firings, Trigger, Waiting, everything, in_seconds
from afield.usecase.base import Component, or_alone, shorthand
from afield.usecase.choice import Whole


class OnCount(Component):
    """Records are answered so many at a time, however many arrive together."""

    model_config = ConfigDict(json_schema_extra=or_alone("count"))
    summary: ClassVar[str] = "Answers so many records at a time, as `on_count: 500`."

    count: Annotated[Whole, Field(ge=1)] = Field(description="Records that are answered together.", examples=[500])
    at_most: Duration | None = Field(
        default=None,
        description="How long a record waits for the others at most: ms, s, m, h or d. Without it, for ever.",
        examples=["10s"],
    )

    _short = model_validator(mode="before")(shorthand("count"))

    def open(self) -> Trigger:
        """The trigger at work."""
        return self

    def plan(self, waiting: Waiting) -> Firings:
        """Whole counts; a rest only where the oldest of it has waited long enough."""
        full = waiting.pending - waiting.pending % self.count
        if full:
            return Firings([(start, start + self.count) for start in range(0, full, self.count)])
        if self.at_most is None or not waiting.pending:
            return Firings([])
        due = waiting.since + in_seconds(self.at_most)
        return Firings([], due) if waiting.now < due else Firings(everything(waiting))
