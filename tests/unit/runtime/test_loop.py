"""The loop: each record answered once, in the order it came, and committed with what was written for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from looping import Numbers, Oracle, Pairs, Rows, ids

from afield.errors import TransientError
from afield.runtime.loop import Loop, Tally
from afield.runtime.retry import Persistent
from afield.runtime.state import RunState
from afield.runtime.triggers import Firings, OnArrival, Waiting
from afield.store.store import open_store


class EveryThree:
    """Answers when three records wait, three at a time."""

    def plan(self, waiting: Waiting) -> Firings:
        return Firings([(start, start + 3) for start in range(0, waiting.pending - waiting.pending % 3, 3)])


class LastOfThree:
    """Answers the third of three records, and lets the others pass."""

    def plan(self, waiting: Waiting) -> Firings:
        return Firings([(start + 2, start + 3) for start in range(0, waiting.pending - waiting.pending % 3, 3)])


class Never(threading.Event):
    """An event that is not set, and for which nobody waits long."""

    def wait(self, timeout: float | None = None) -> bool:
        return False


@pytest.fixture
def state(tmp_path: Path) -> Iterator[RunState]:
    store = open_store(tmp_path)
    yield RunState(store, "numbers")
    store.close()


@pytest.fixture
def loop(state: RunState) -> Callable[..., Loop]:
    def made(source: Numbers, *sinks: Rows, triggers: Any = None, predictor: Any = None, **options: Any) -> Loop:
        named = {f"rows:{number}": sink for number, sink in enumerate(sinks)}
        return Loop(source, predictor or Oracle(), triggers or [OnArrival()], named, state, **options)

    return made


def test_every_record_once_and_in_order(loop: Callable[..., Loop], state: RunState) -> None:
    source, first, second = Numbers([3, 0, 1, 5]), Rows(), Rows()
    assert loop(source, first, second).run().answered == 9
    assert first.ids == second.ids == ids(9)
    assert first.rows[1] == {"id": "numbers:1", "prediction": "odd", "probability": 1.0, "version": "v1"}
    assert (state.positions(), state.counters()) == ({"numbers": "9"}, {"answered": 9, "terms": 18, "unknown": 4})
    assert state.marks() == {"rows:0": "9", "rows:1": "9"}
    assert source.acknowledged[-1] == {"numbers": "9"}


def test_it_goes_on_where_it_was_committed(loop: Callable[..., Loop], state: RunState) -> None:
    sink = Rows()
    loop(Numbers([3, 2]), sink).run()
    assert loop(Numbers([3, 2, 4]), sink).run().answered == 4
    assert loop(Numbers([3, 2, 4]), sink).run().answered == 0
    assert sink.ids == ids(9)
    assert state.counters() == {"answered": 9, "terms": 18, "unknown": 4}


def test_what_was_written_and_not_committed_is_taken_back(loop: Callable[..., Loop], state: RunState) -> None:
    good, full = Rows(), Rows(fails_at=3)
    with pytest.raises(TransientError, match="the disk is full"):
        loop(Numbers([3, 2, 4]), good, full).run()
    assert (len(good.rows), len(full.rows)) == (9, 5)
    assert state.positions() == {"numbers": "5"}
    assert loop(Numbers([3, 2, 4]), good, full).run().answered == 4
    assert good.ids == full.ids == ids(9)


def test_trouble_that_passes_is_waited_out(loop: Callable[..., Loop]) -> None:
    full, told = Rows(fails_at=2), []
    retry = Persistent(Never(), told.append)
    assert loop(Numbers([3, 2, 4]), full, retry=retry).run().answered == 9
    assert full.ids == ids(9)
    assert told == ["rows: the disk is full; make room and run again; trying again in 1 s"]


def test_waiting_ends_with_the_run(loop: Callable[..., Loop], state: RunState) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(TransientError, match="the disk is full"):
        loop(Numbers([3, 2]), Rows(fails_at=1), retry=Persistent(stop, lambda _: None)).run()
    assert state.positions() == {}


def test_a_rest_that_waited_is_answered_after_a_restart(loop: Callable[..., Loop], state: RunState) -> None:
    sink, stop = Rows(), threading.Event()

    def tell(tally: Tally) -> None:
        if tally.answered == 3:
            stop.set()

    assert loop(Numbers([2, 2, 1]), sink, triggers=[EveryThree()], told=tell).run(stop).answered == 3
    assert sink.ids == ids(3)
    # The batch of the fourth record is not done with, its first one is.
    assert state.positions() == {"numbers": "2", "_loop:answered": '{"numbers":2}'}
    loop(Numbers([2, 2, 1]), sink).run()
    assert sink.ids == ids(5)
    assert state.counters() == {"answered": 5, "terms": 10, "unknown": 2}


def test_records_before_the_end_of_a_slice_are_done_with(loop: Callable[..., Loop], state: RunState) -> None:
    sink = Rows()
    assert loop(Numbers([3, 3]), sink, triggers=[LastOfThree()]).run().answered == 2
    assert sink.ids == ["numbers:2", "numbers:5"]
    assert state.positions() == {"numbers": "6"}


def test_a_trigger_decides_when(loop: Callable[..., Loop], state: RunState) -> None:
    sink, oracle = Rows(), Oracle()
    assert loop(Numbers([2, 2, 0, 4]), sink, triggers=[EveryThree()], predictor=oracle).run().answered == 8
    # The source has ended: the rest is answered too.
    assert oracle.asked == [3, 3, 2]
    assert sink.ids == ids(8)
    assert state.positions() == {"numbers": "8", "_loop:answered": "{}"}


def test_the_first_trigger_that_wants_to_decides(loop: Callable[..., Loop]) -> None:
    sink = Rows()
    assert loop(Numbers([2, 3]), sink, triggers=[EveryThree(), OnArrival()]).run().answered == 5
    assert sink.ids == ids(5)


def test_it_ends_after_the_batch_in_hand(loop: Callable[..., Loop], state: RunState) -> None:
    stop, told = threading.Event(), []

    def tell(tally: Tally) -> None:
        told.append(tally.answered)
        if tally.answered == 5:
            stop.set()

    sink = Rows()
    tally = loop(Numbers([3, 2, 4], follow=True), sink, told=tell).run(stop)
    assert (tally.answered, told) == (5, [3, 5])
    assert sink.ids == ids(5)
    assert state.positions() == {"numbers": "5"}
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_it_says_how_long_it_took(loop: Callable[..., Loop]) -> None:
    moments = iter(range(0, 1000, 2))
    tally = loop(Numbers([3, 2]), Rows(), clock=lambda: float(next(moments))).run()
    assert tally.seconds > 0
    assert tally.seconds % 2 == 0


def test_a_source_without_records_commits_nothing(loop: Callable[..., Loop], state: RunState) -> None:
    assert loop(Numbers([]), Rows()).run() == Tally(0, 0.0)
    assert (state.positions(), state.marks()) == ({}, {})


def test_what_is_carried_goes_on_after_a_restart(loop: Callable[..., Loop], state: RunState) -> None:
    sink, full = Rows(), Rows(fails_at=3)
    with pytest.raises(TransientError, match="the disk is full"):
        loop(Numbers([3, 2, 4]), sink, full, predictor=Pairs()).run()
    assert state.carry("v1") is not None
    assert loop(Numbers([3, 2, 4, 0]), sink, full, predictor=Pairs()).run().answered == 4
    assert full.ids == ids(9)[1:]
    assert [row["prediction"] for row in full.rows] == list(range(8))
    assert state.counters()["answered"] == 8


def test_another_version_carries_nothing_on(loop: Callable[..., Loop], state: RunState) -> None:
    sink = Rows()
    loop(Numbers([3]), sink, predictor=Pairs()).run()
    loop(Numbers([3, 3]), sink, predictor=Pairs("v2")).run()
    assert sink.ids == ["numbers:1", "numbers:2", "numbers:4", "numbers:5"]


def test_a_batch_without_an_answer_is_committed(loop: Callable[..., Loop], state: RunState) -> None:
    sink = Rows()
    assert loop(Numbers([1]), sink, predictor=Pairs()).run().answered == 0
    assert (sink.writes, state.positions(), state.marks()) == (0, {"numbers": "1"}, {})
    loop(Numbers([1, 1]), sink, predictor=Pairs()).run()
    assert [(row["id"], row["prediction"]) for row in sink.rows] == [("numbers:1", 0.0)]
