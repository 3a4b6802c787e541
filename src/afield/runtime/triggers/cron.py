"""Answers at the times of a cron line, in a time zone."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import ConfigDict, Field, model_validator

from afield.runtime.triggers.base import Trigger
from afield.runtime.triggers.schedule import Schedule, Scheduled
from afield.usecase.base import Problem, or_alone, shorthand

FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")


class Cron(Scheduled):
    """What waits is answered together, at the times of a cron line."""

    model_config = ConfigDict(json_schema_extra=or_alone("expression"))
    summary: ClassVar[str] = 'Answers what waits at the times of a cron line, as `cron: "*/5 * * * *"`.'

    expression: str = Field(
        description="Minute, hour, day of the month, month and day of the week, as Debian's cron reads them.",
        examples=["*/5 * * * *", "30 2 * * MON-FRI"],
    )
    zone: str = Field(
        default="UTC",
        description="The time zone that the line is meant in, as the IANA names it. Where the clock is put forward, a "
        "line with a fixed minute and hour that falls into the gap runs right after it; where it is put back, it runs "
        "once. Lines whose minute or hour begins with `*` follow the hours that pass.",
        examples=["Europe/Berlin"],
    )

    _short = model_validator(mode="before")(shorthand("expression"))

    def lint(self) -> Sequence[Problem]:
        """A line that cannot be read or never fires, or a zone that is not known."""
        return [*self._lint_zone(), *self._lint_expression()]

    def _lint_zone(self) -> Iterator[Problem]:
        known = available_timezones()
        if self.zone not in known:
            near = difflib.get_close_matches(self.zone, sorted(known), n=1)
            hint = f"did you mean '{near[0]}'?" if near else "such as Europe/Berlin"
            yield Problem(("zone",), f"expected a time zone of the IANA, found '{self.zone}'; {hint}")

    def _lint_expression(self) -> Iterator[Problem]:
        fields, path = self.expression.split(), ("expression",)
        if len(fields) != len(FIELDS):
            message = f"expected five fields ({', '.join(FIELDS)}), found {len(fields)}: '{self.expression}'"
            yield Problem(path, message)
            return
        for place, (name, field) in enumerate(zip(FIELDS, fields, strict=True)):
            alone = ["*"] * len(FIELDS)
            alone[place] = field
            if not _fires(" ".join(alone)):
                yield Problem(path, f"expected a cron line such as `*/5 * * * *`, found the {name} '{field}'")
                return
        if not _fires(self.expression):
            yield Problem(path, f"'{self.expression}' never fires: no day is all that it names; correct its days")

    def open(self) -> Trigger:
        """The trigger at work."""
        return Schedule(partial(following, self.expression, self.zone), self.catch_up)


@lru_cache(maxsize=256)
def following(expression: str, zone: str, moment: float) -> float:
    """The first time of a cron line after a moment, both in seconds since 1970."""
    times = CronSim(expression, datetime.fromtimestamp(moment, ZoneInfo(zone)))
    # In the hour that comes twice, a line of a fixed hour is first given its time in the first of the two.
    return next(time for found in times if (time := found.timestamp()) > moment)


def _fires(expression: str) -> bool:
    try:
        return bool(following(expression, "UTC", 0.0))
    except (CronSimError, StopIteration, ValueError):
        return False
