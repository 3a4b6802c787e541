"""Triggers in the loop: what is answered together, what is committed, what waits, and who wakes whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from looping import Numbers, Oracle, Pairs, Rows, ids

from afield.connectors.base import OFFSET, STREAM, Batch, Position
from afield.errors import TransientError
from afield.runtime import loop as loop_module
from afield.runtime.loop import Loop, Tally
from afield.runtime.state import RunState
from afield.runtime.triggers.arrival import OnArrival, OnIdle
from afield.runtime.triggers.change import OnChange
from afield.runtime.triggers.counting import OnCount
from afield.runtime.triggers.cron import Cron
from afield.runtime.triggers.every import Every
from afield.store.store import open_store

HOUR = 3600.0
DAY = 24 * HOUR


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.wall = 0.0

    def options(self, seconds: float) -> dict[str, Any]:
        """Of a loop, whose batches come so many seconds after each other."""

        def pass_by(_: Tally) -> None:
            self.now += seconds

        return {"told": pass_by, "clock": lambda: self.now, "wall": lambda: self.wall + self.now}


class Given(Numbers):
    """A source of batches as they are given; it says where it was opened.

    Args:
        parts: (stream, offset) of the records of each batch.
    """

    def __init__(self, parts: list[list[tuple[str, int]]]) -> None:
        super().__init__([])
        self.parts = parts
        self.opened: Position = {}

    def batches(self, position: Position) -> Iterator[Batch]:
        self.opened = dict(position)
        for part in self.parts:
            new = [(stream, offset) for stream, offset in part if offset > int(position.get(stream, -1))]
            streams, offsets = [stream for stream, _ in new], [offset for _, offset in new]
            columns = [pa.array(streams, pa.string()).dictionary_encode(), pa.array(offsets, pa.int64())]
            cursors = {stream: str(offset) for stream, offset in part}
            yield Batch(pa.RecordBatch.from_arrays(columns, [STREAM, OFFSET]), cursors)


class Resting(Numbers):
    """A source that has no more for now where a batch has no records."""

    def batches(self, position: Position) -> Iterator[Batch]:
        for batch in super().batches(position):
            yield batch if batch.records.num_rows else Batch(batch.records, {})


class Slow(Numbers):
    """A source that says nothing for a while after each batch."""

    def batches(self, position: Position) -> Iterator[Batch]:
        for batch in super().batches(position):
            yield batch
            time.sleep(2.0)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[RunState]:
    store = open_store(tmp_path)
    yield RunState(store, "numbers")
    store.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    # It stands still while the loop waits for the next batch, which is there at once.
    monkeypatch.setattr(loop_module, "SHORTEST_WAIT", 60.0)
    return Clock()


@pytest.fixture
def loop(state: RunState) -> Callable[..., Loop]:
    def made(source: Numbers, sink: Rows, *triggers: Any, predictor: Any = None, **options: Any) -> Loop:
        opened = [trigger.open() for trigger in triggers]
        return Loop(source, predictor or Oracle(), opened, {"rows:0": sink}, state, **options)

    return made


def stopping(answered: int) -> tuple[threading.Event, Callable[[Tally], None]]:
    """An event that is set once so many records are answered, or as many batches have come."""
    stop, told = threading.Event(), []

    def tell(tally: Tally) -> None:
        told.append(tally.answered)
        if tally.answered >= answered and len(told) > 3:
            stop.set()

    return stop, tell


LATER = [
    OnCount(count=500),
    OnIdle(after="1h"),
    OnChange(column=STREAM),
    Every(every="365d"),
    Cron(expression="0 0 29 2 *"),
]


@pytest.mark.parametrize("trigger", LATER, ids=lambda trigger: type(trigger).__name__)
def test_at_the_end_of_the_source_nothing_is_left(trigger: Any, loop: Callable[..., Loop], state: RunState) -> None:
    sink, oracle = Rows(), Oracle()
    assert loop(Numbers([3, 2, 0, 4]), sink, trigger, predictor=oracle).run().answered == 9
    assert (sink.ids, oracle.asked) == (ids(9), [9])
    assert state.positions()["numbers"] == "9"


@pytest.mark.parametrize("trigger", LATER, ids=lambda trigger: type(trigger).__name__)
def test_where_it_is_stopped_what_waits_comes_again(trigger: Any, loop: Callable[..., Loop], state: RunState) -> None:
    sink = Rows()
    stop, tell = stopping(0)
    assert loop(Numbers([3, 2], follow=True), sink, trigger, told=tell).run(stop).answered == 0
    assert (sink.ids, state.positions()) == ([], {})
    assert loop(Numbers([3, 2]), sink, OnArrival()).run().answered == 5
    assert sink.ids == ids(5)


def test_a_count_is_answered_together_however_it_arrives(loop: Callable[..., Loop]) -> None:
    oracle = Oracle()
    loop(Numbers([3, 2, 14, 1]), Rows(), OnCount(count=6), predictor=oracle).run()
    assert oracle.asked == [6, 6, 6, 2]


def test_what_came_before_a_change_is_answered_together(loop: Callable[..., Loop]) -> None:
    sink, oracle = Rows(), Oracle()
    parts = [[("a", 0), ("a", 1)], [("a", 2), ("b", 0)], [("b", 1), ("a", 3), ("a", 4)]]
    loop(Given(parts), sink, OnChange(column=STREAM), predictor=oracle).run()
    assert oracle.asked == [3, 2, 2]
    assert sink.ids == ["a:0", "a:1", "a:2", "b:0", "b:1", "a:3", "a:4"]


def test_a_change_is_seen_where_another_trigger_took_some(loop: Callable[..., Loop], clock: Clock) -> None:
    oracle = Oracle()
    parts = [[("a", number)] for number in range(5)] + [[("b", number)] for number in range(4)] + [[("a", 9)]]
    source = Given(parts)
    loop(source, Rows(), OnChange(column=STREAM), OnCount(count=3), predictor=oracle, **clock.options(1)).run()
    assert oracle.asked == [3, 2, 3, 1, 1]


@pytest.mark.parametrize("fails_at", range(2, 6))
def test_a_batch_that_is_answered_in_part_is_not_answered_again(
    loop: Callable[..., Loop], state: RunState, fails_at: int
) -> None:
    parts = [
        [("a", 0), ("b", 10), ("a", 1), ("b", 11), ("a", 2)],
        [("b", 12), ("c", 5), ("a", 3), ("b", 13)],
        [("a", 4), ("c", 6)],
    ]
    names = [f"{stream}:{offset}" for part in parts for stream, offset in part]
    sink = Rows(fails_at=fails_at)
    with pytest.raises(TransientError, match="the disk is full"):
        loop(Given(parts), sink, OnCount(count=2)).run()
    committed = sink.ids[: int(state.marks().get("rows:0", 0))]
    assert committed == names[: {2: 0, 3: 4, 4: 4, 5: 8}[fails_at]]
    source = Given(parts)
    assert loop(source, sink, OnCount(count=2)).run().answered == len(names) - len(committed)
    assert sorted(sink.ids) == sorted(names)
    assert not [stream for stream in source.opened if stream.startswith("_loop:")]
    assert state.counters()["answered"] == len(names)


def test_what_is_carried_agrees_with_what_is_answered(loop: Callable[..., Loop]) -> None:
    sink = Rows(fails_at=3)
    with pytest.raises(TransientError, match="the disk is full"):
        loop(Numbers([5, 4, 3]), sink, OnCount(count=2), predictor=Pairs()).run()
    loop(Numbers([5, 4, 3]), sink, OnCount(count=2), predictor=Pairs()).run()
    assert [(row["id"], row["prediction"]) for row in sink.rows] == [
        (f"numbers:{number}", float(number - 1)) for number in range(1, 12)
    ]


def test_any_trigger_fires(loop: Callable[..., Loop], clock: Clock) -> None:
    oracle = Oracle()
    source = Numbers([2, 5, 0, 0, 1, 0])
    loop(source, Rows(), OnCount(count=4), OnIdle(after="7s"), predictor=oracle, **clock.options(4)).run()
    assert oracle.asked == [4, 3, 1]


def test_it_wakes_when_a_trigger_wants_to_be_asked(loop: Callable[..., Loop]) -> None:
    told: list[tuple[int, float]] = []
    started = time.monotonic()

    def tell(tally: Tally) -> None:
        told.append((tally.answered, time.monotonic() - started))

    loop(Slow([2]), Rows(), OnIdle(after="200ms"), told=tell).run()
    assert 0.2 <= next(seconds for answered, seconds in told if answered) < 1.0


def test_the_rest_of_a_count_does_not_wait_for_ever(loop: Callable[..., Loop], clock: Clock) -> None:
    oracle = Oracle()
    source = Numbers([5, 0, 0, 0, 1, 0])
    loop(source, Rows(), OnCount(count=3, at_most="10s"), predictor=oracle, **clock.options(4)).run()
    assert oracle.asked == [3, 2, 1]


def test_a_day_of_schedules_in_the_loop(loop: Callable[..., Loop], state: RunState, clock: Clock) -> None:
    oracle = Oracle()
    clock.wall = 1_800_000_000 // DAY * DAY + 1
    cron = Cron(expression="0 */6 * * *")
    source = Numbers([1] * (24 * 60))
    tally = loop(source, Rows(), cron, predictor=oracle, **clock.options(60)).run()
    # Runs at 6, 12 and 18 o'clock; the rest by the end of the source.
    assert (oracle.asked, tally.runs, tally.answered) == ([361, 360, 360, 359], 3, 1440)
    assert state.counters()["runs"] == 3


@pytest.mark.parametrize(("catch_up", "asked", "runs"), [("last", [4, 2], 1), ("all", [4, 2], 6), ("none", [6], 0)])
def test_runs_that_were_missed_while_it_was_down(
    loop: Callable[..., Loop], state: RunState, clock: Clock, catch_up: str, asked: list[int], runs: int
) -> None:
    every, oracle = Every(every="1h", catch_up=catch_up), Oracle()
    clock.wall = HOUR * 500_000 - 1
    loop(Resting([1, 0]), Rows(), every, **clock.options(10)).run()
    assert state.counters()["runs"] == 1
    # More than six hours later: three records have come, and two come after the source had no more for a while.
    clock.wall = HOUR * 500_006 + 600
    tally = loop(Resting([1, 1, 3, 0, 2]), Rows(), every, predictor=oracle, **clock.options(10)).run()
    assert (oracle.asked, tally.runs) == (asked, runs)


def test_a_run_without_records_is_remembered(loop: Callable[..., Loop], state: RunState, clock: Clock) -> None:
    clock.wall = HOUR * 500_000 - 1
    loop(Resting([0, 0, 0]), Rows(), Every(every="1h"), **clock.options(10)).run()
    (mark,) = [cursor for stream, cursor in state.positions().items() if stream.startswith("_loop:trigger")]
    assert float(mark) == pytest.approx(HOUR * 500_000 + 9)


def test_more_records_than_may_wait_are_answered(loop: Callable[..., Loop]) -> None:
    oracle, warned = Oracle(), []
    options = {"predictor": oracle, "most_bytes": 3 * 4096, "warned": warned.append}
    loop(Numbers([1] * 8), Rows(), OnCount(count=1000), **options).run()
    assert oracle.asked == [3, 3, 2]
    assert warned == [
        "trigger: 3 records wait and take more than 12,288 bytes; whenever there are so many, they are answered before "
        "a trigger fires"
    ]
