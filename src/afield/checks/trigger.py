"""What every trigger must do: run over a built-in or a third-party trigger by its own tests.

::

    @pytest.mark.parametrize("check", TRIGGER_CHECKS)
    def test_my_trigger(check):
        check(TriggerCase(lambda: MyTrigger()))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from afield.connectors.base import OFFSET, STREAM

if TYPE_CHECKING:
    from afield.runtime.triggers import Firings, Trigger, Waiting

COLUMN = "state"
"""A column of the records that wait: text that stays the same for some of them, then changes."""
WALL = 1_800_000_000.0
"""Seconds since 1970 at which the checks begin."""


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
    asked = _asked(case)
    assert any(firings.slices for _, firings in asked), f"expected a slice in {len(asked)} plans, found none"


def check_slices_lie_within_what_waits(case: TriggerCase) -> None:
    """Every slice holds at least one record, and only records that wait."""
    for waiting, firings in _asked(case):
        for start, stop in firings.slices:
            assert 0 <= start < stop <= waiting.pending, (
                f"{_when(waiting)}: expected slices within 0 to {waiting.pending}, found ({start}, {stop})"
            )


def check_slices_ascend(case: TriggerCase) -> None:
    """The oldest records come first, and none is answered twice: a slice starts where the last ended, or later."""
    for waiting, firings in _asked(case):
        ended = 0
        for start, stop in firings.slices:
            assert start >= ended, f"{_when(waiting)}: expected a slice from {ended} or later, found ({start}, {stop})"
            ended = stop


def check_nothing_waits(case: TriggerCase) -> None:
    """Where nothing waits, nothing is answered."""
    for waiting, firings in _asked(replace(case, most=0)):
        slices = list(firings.slices)
        assert not slices, f"nothing waits at {waiting.now:g} s: expected no slices, found {slices}"


def check_same_question_same_plan(case: TriggerCase) -> None:
    """What is answered follows from what is asked: no clock or chance of its own, and asking changes nothing."""
    asked = _asked(case)
    trigger = case.open()
    for waiting, firings in asked:
        for time in ("by another", "a second time"):
            found = trigger.plan(waiting)
            assert _written(found) == _written(firings), (
                f"{_when(waiting)}: expected {firings}, found {found} when asked {time}"
            )


def check_wakes_later(case: TriggerCase) -> None:
    """`wake_at` is None or a moment that has not passed."""
    for waiting, firings in _asked(case):
        wake_at = firings.wake_at
        assert wake_at is None or wake_at >= waiting.now, (
            f"{_when(waiting)}: expected to be woken then or later, found {wake_at:g} s"
        )


def check_takes_its_mark_again(case: TriggerCase) -> None:
    """A mark is text that a later start of the process can go on from."""
    for waiting, firings in _asked(case):
        assert firings.mark is None or isinstance(firings.mark, str), (
            f"{_when(waiting)}: expected text as the mark, found {firings.mark!r}"
        )
        if firings.mark is not None:
            case.open().plan(replace(waiting, mark=firings.mark, resumed=True, elapsed=0.0))


TRIGGER_CHECKS: tuple[Callable[[TriggerCase], None], ...] = (
    check_fires,
    check_slices_lie_within_what_waits,
    check_slices_ascend,
    check_nothing_waits,
    check_same_question_same_plan,
    check_wakes_later,
    check_takes_its_mark_again,
)


def _asked(case: TriggerCase) -> list[tuple[Waiting, Firings]]:
    """What a trigger is asked and plans: the clock goes on, the records come and go, its mark is given again."""
    from afield.runtime.triggers import Waiting

    trigger = case.open()
    chance = np.random.default_rng(0)
    counts = chance.integers(0, case.most, 200, endpoint=True).tolist()
    counts = [0, min(1, case.most), min(2, case.most), case.most, case.most, *counts]
    ages = chance.random(len(counts)).tolist()
    asked: list[tuple[Waiting, Firings]] = []
    mark: str | None = None
    given = 0.0
    for count, age, now in zip(counts, ages, np.linspace(0, case.seconds, len(counts)).tolist(), strict=True):
        waiting = Waiting(
            pending=count,
            records=partial(_records, count, case.most),
            now=now,
            since=now - age * now if count else now,
            latest=now - age * now / 2,
            drained=age < 0.5,
            wall=WALL + now,
            mark=mark,
            elapsed=now - given,
        )
        firings = trigger.plan(waiting)
        asked.append((waiting, firings))
        if firings.mark is not None:
            mark, given = firings.mark, now
    return asked


def _records(count: int, most: int, start: int) -> list[pa.RecordBatch]:
    """Some of so many records, in batches of 64."""
    records = _numbered(most).slice(0, count)
    return [records.slice(first, 64) for first in range(start, count, 64)]


@cache
def _numbered(count: int) -> pa.RecordBatch:
    """Records whose state lasts for 100 of them."""
    offsets = pa.array(range(count), pa.int64())
    streams = pa.array(["numbers"] * count, pa.string()).dictionary_encode()
    states = pa.array([f"state {number // 100}" for number in range(count)], pa.string())
    return pa.RecordBatch.from_arrays([streams, offsets, states], [STREAM, OFFSET, COLUMN])


def _when(waiting: Waiting) -> str:
    return f"{waiting.pending} records wait at {waiting.now:g} s"


def _written(firings: Firings) -> tuple[list[tuple[int, int]], float | None, str | None, int]:
    return [(start, stop) for start, stop in firings.slices], firings.wake_at, firings.mark, firings.runs
