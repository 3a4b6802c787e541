"""What every trigger must do: run over a built-in or a third-party trigger by its own tests.

::

    @pytest.mark.parametrize("check", TRIGGER_CHECKS)
    def test_my_trigger(check):
        check(TriggerCase(lambda: MyTrigger()))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from afield.runtime.triggers import Firings, Trigger


@dataclass(frozen=True)
class TriggerCase:
    """A trigger under test.

    Args:
        open: the same trigger each time, as a new start of the process would open it.
        most: records that wait at most while it is asked; more than it needs to fire.
        seconds: for how long it is asked, on the loop's clock; longer than it waits to fire.
    """

    open: Callable[[], Trigger]
    most: int = 1000
    seconds: float = 1000.0


def check_fires(case: TriggerCase) -> None:
    """There is something to check: it fires for some of what waits."""
    plans = [firings for _, _, firings in _asked(case)]
    assert any(firings.slices for firings in plans), f"expected a slice in {len(plans)} plans, found none"


def check_slices_lie_within_what_waits(case: TriggerCase) -> None:
    """Every slice holds at least one record, and only records that wait."""
    for pending, now, firings in _asked(case):
        for start, stop in firings.slices:
            assert 0 <= start < stop <= pending, (
                f"{pending} records wait at {now:g} s: expected slices within 0 to {pending}, found ({start}, {stop})"
            )


def check_slices_ascend(case: TriggerCase) -> None:
    """The oldest records come first, and none is answered twice: a slice starts where the last ended, or later."""
    for pending, now, firings in _asked(case):
        ended = 0
        for start, stop in firings.slices:
            assert start >= ended, (
                f"{pending} records wait at {now:g} s: expected a slice from {ended} or later, found ({start}, {stop})"
            )
            ended = stop


def check_nothing_waits(case: TriggerCase) -> None:
    """Where nothing waits, nothing is answered."""
    trigger = case.open()
    for now in np.linspace(0, case.seconds, 20).tolist():
        slices = list(trigger.plan(0, now).slices)
        assert not slices, f"nothing waits at {now:g} s: expected no slices, found {slices}"


def check_same_question_same_plan(case: TriggerCase) -> None:
    """What is answered follows from what is asked: no clock or chance of its own, and asking changes nothing."""
    asked = list(_asked(case))
    trigger = case.open()
    for pending, now, firings in asked:
        for time in ("by another", "a second time"):
            found = trigger.plan(pending, now)
            assert _written(found) == _written(firings), (
                f"{pending} records wait at {now:g} s: expected {firings}, found {found} when asked {time}"
            )


def check_wakes_later(case: TriggerCase) -> None:
    """`wake_at` is None or a moment that has not passed."""
    for pending, now, firings in _asked(case):
        wake_at = firings.wake_at
        assert wake_at is None or wake_at >= now, (
            f"{pending} records wait at {now:g} s: expected to be woken then or later, found {wake_at:g} s"
        )


TRIGGER_CHECKS: tuple[Callable[[TriggerCase], None], ...] = (
    check_fires,
    check_slices_lie_within_what_waits,
    check_slices_ascend,
    check_nothing_waits,
    check_same_question_same_plan,
    check_wakes_later,
)


def _asked(case: TriggerCase) -> list[tuple[int, float, Firings]]:
    """What a trigger plans, as (records that wait, seconds, plan): the clock goes on, the records come and go."""
    trigger = case.open()
    counts = np.random.default_rng(0).integers(0, case.most, 200, endpoint=True).tolist()
    counts = [0, 1, 2, case.most, case.most, *counts]
    moments = np.linspace(0, case.seconds, len(counts)).tolist()
    return [(count, now, trigger.plan(count, now)) for count, now in zip(counts, moments, strict=True)]


def _written(firings: Firings) -> tuple[list[tuple[int, int]], float | None]:
    return [(start, stop) for start, stop in firings.slices], firings.wake_at
