"""Answers at once, or when records have stopped coming for a while."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field, model_validator

from afield.runtime.triggers.base import Duration, Firings, Trigger, Waiting, everything, in_seconds
from afield.usecase.base import Component, or_alone, shorthand


class OnArrival(Component):
    """Every record is answered as soon as it is there."""

    summary: ClassVar[str] = "Answers every record as soon as it is there."

    def open(self) -> Trigger:
        """The trigger at work."""
        return self

    def plan(self, waiting: Waiting) -> Firings:
        """All that waits, now."""
        return Firings(everything(waiting))


class OnIdle(Component):
    """What waits is answered together once no record has come for a while."""

    model_config = ConfigDict(json_schema_extra=or_alone("after"))
    summary: ClassVar[str] = "Answers what waits once no record has come for a while, as `on_idle: 2s`."

    after: Duration = Field(
        description="How long no record must have come: ms, s, m, h or d.", examples=["2s", "500ms"]
    )

    _short = model_validator(mode="before")(shorthand("after"))

    def open(self) -> Trigger:
        """The trigger at work."""
        return self

    def plan(self, waiting: Waiting) -> Firings:
        """All that waits, where the last of it came long enough ago."""
        if not waiting.pending:
            return Firings([])
        due = waiting.latest + in_seconds(self.after)
        return Firings([], due) if waiting.now < due else Firings(everything(waiting))
