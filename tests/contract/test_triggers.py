"""Every built-in trigger against the suite of its seam, and the suite against triggers that break it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from afield.checks import trigger as checks
from afield.checks.trigger import TRIGGER_CHECKS, TriggerCase
from afield.runtime.triggers import Firings, OnArrival, Trigger


class OnCount:
    """Answers in slices of 100, and what is left every 10 seconds."""

    def plan(self, pending: int, now: float) -> Firings:
        full = pending if now % 10 < 1 else pending - pending % 100
        slices = [(start, min(start + 100, full)) for start in range(0, full, 100)]
        return Firings(slices, None if full == pending else now - now % 10 + 10)


@pytest.mark.parametrize("open_trigger", [OnArrival().open, OnCount], ids=["on_arrival", "on_count"])
@pytest.mark.parametrize("check", TRIGGER_CHECKS)
def test_suite(check: Callable[[TriggerCase], None], open_trigger: Callable[[], Trigger]) -> None:
    check(TriggerCase(open_trigger))


class Planned:
    """A trigger that plans what a function says."""

    def __init__(self, plan: Callable[[int, float], Firings]) -> None:
        self.plan = plan


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
