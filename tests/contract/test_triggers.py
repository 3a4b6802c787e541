"""Every built-in trigger against the suite of its seam, and the suite against triggers that break it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from afield.checks import trigger as checks
from afield.checks.trigger import TRIGGER_CHECKS, TriggerCase
from afield.runtime.triggers import Firings, OnArrival, Trigger, Waiting
from afield.runtime.triggers.arrival import OnIdle
from afield.runtime.triggers.change import OnChange
from afield.runtime.triggers.counting import OnCount
from afield.runtime.triggers.cron import Cron
from afield.runtime.triggers.every import Every

BUILT_IN = {
    "on_arrival": OnArrival(),
    "on_idle": OnIdle(after="2s"),
    "on_count": OnCount(count=100),
    "on_count at most": OnCount(count=100, at_most="10s"),
    "on_change": OnChange(column=checks.COLUMN),
    "on_change, no such column": OnChange(column="other"),
    "every": Every(every="60s"),
    "every, all": Every(every="1s", catch_up="all"),
    "every, none": Every(every="60s", catch_up="none"),
    "cron": Cron(expression="*/5 * * * *", zone="Europe/Berlin"),
}


@pytest.mark.parametrize("open_trigger", [made.open for made in BUILT_IN.values()], ids=BUILT_IN)
@pytest.mark.parametrize("check", TRIGGER_CHECKS)
def test_suite(check: Callable[[TriggerCase], None], open_trigger: Callable[[], Trigger]) -> None:
    check(TriggerCase(open_trigger))


class Planned:
    """A trigger that plans what a function says."""

    def __init__(self, plan: Callable[[int, float], Firings]) -> None:
        self._plan = plan

    def plan(self, waiting: Waiting) -> Firings:
        return self._plan(waiting.pending, waiting.now)


NUMBERS = count()

BROKEN = [
    (checks.check_fires, lambda pending, now: Firings([])),
    (checks.check_slices_lie_within_what_waits, lambda pending, now: Firings([(0, pending + 1)])),
    (checks.check_slices_lie_within_what_waits, lambda pending, now: Firings([(0, pending)])),
    (checks.check_slices_ascend, lambda pending, now: Firings([(1, pending), (0, 1)] if pending > 1 else [])),
    (checks.check_slices_ascend, lambda pending, now: Firings([(0, 2), (1, pending)] if pending > 2 else [])),
    (checks.check_nothing_waits, lambda pending, now: Firings([(0, pending or 1)])),
    (checks.check_same_question_same_plan, lambda pending, now: Firings([(0, pending)] if next(NUMBERS) % 2 else [])),
    (checks.check_wakes_later, lambda pending, now: Firings([], now - 1)),
    (checks.check_takes_its_mark_again, lambda pending, now: Firings([], mark=now)),
]


@pytest.mark.parametrize(("check", "plan"), BROKEN)
def test_the_suite_catches(check: Callable[[TriggerCase], None], plan: Callable[[int, float], Firings]) -> None:
    with pytest.raises(AssertionError):
        check(TriggerCase(lambda: Planned(plan)))


def test_what_is_wrong_is_said() -> None:
    case = TriggerCase(lambda: Planned(lambda pending, now: Firings([(0, pending + 1)])))
    with pytest.raises(AssertionError) as raised:
        checks.check_slices_lie_within_what_waits(case)
    assert str(raised.value) == "0 records wait at 0 s: expected slices within 0 to 0, found (0, 1)"
