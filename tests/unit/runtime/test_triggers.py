"""When the model answers, where no clock is asked."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from afield.connectors.base import Batch
from afield.runtime.triggers import OnArrival, Waiting
from afield.runtime.triggers.arrival import OnIdle
from afield.runtime.triggers.base import in_seconds
from afield.runtime.triggers.change import OnChange
from afield.runtime.triggers.counting import OnCount
from afield.runtime.triggers.cron import Cron
from afield.runtime.triggers.every import Every
from afield.runtime.waiting import Queue
from afield.usecase.base import Component


def waiting(pending: int, **facts: Any) -> Waiting:
    return Waiting(pending, lambda start: [], **facts)


def batches(*parts: list[Any], column: str = "x") -> Waiting:
    records = [pa.record_batch({column: part}) for part in parts]
    return Waiting(sum(map(len, parts)), lambda start: records)


@pytest.mark.parametrize("pending", [1, 2, 1_000_000])
def test_on_arrival_answers_all_at_once(pending: int) -> None:
    firings = OnArrival().open().plan(waiting(pending))
    assert (list(firings.slices), firings.wake_at) == ([(0, pending)], None)


def test_on_arrival_waits_for_nothing() -> None:
    firings = OnArrival().open().plan(waiting(0, now=1e9))
    assert (list(firings.slices), firings.wake_at) == ([], None)


def test_on_count_answers_whole_counts() -> None:
    trigger = OnCount(count=500).open()
    assert list(trigger.plan(waiting(499)).slices) == []
    assert list(trigger.plan(waiting(500)).slices) == [(0, 500)]
    assert list(trigger.plan(waiting(1700)).slices) == [(0, 500), (500, 1000), (1000, 1500)]
    assert trigger.plan(waiting(499, now=1e9)).wake_at is None


def test_the_rest_of_a_count_waits_no_longer_than_it_may() -> None:
    trigger = OnCount(count=500, at_most="10s").open()
    early = trigger.plan(waiting(20, now=109.5, since=100))
    assert (list(early.slices), early.wake_at) == ([], 110)
    assert list(trigger.plan(waiting(20, now=110, since=100)).slices) == [(0, 20)]
    # Whole counts first: when the rest arrived is asked again.
    assert list(trigger.plan(waiting(520, now=110, since=100)).slices) == [(0, 500)]
    assert trigger.plan(waiting(0, now=110, since=110)).wake_at is None


def test_on_idle_waits_until_nothing_comes() -> None:
    trigger = OnIdle(after="1500ms").open()
    early = trigger.plan(waiting(3, now=11.0, latest=10.0))
    assert (list(early.slices), early.wake_at) == ([], 11.5)
    assert list(trigger.plan(waiting(3, now=11.5, latest=10.0)).slices) == [(0, 3)]
    none = trigger.plan(waiting(0, now=99.0, latest=10.0))
    assert (list(none.slices), none.wake_at) == ([], None)


@pytest.mark.parametrize(
    ("parts", "slices"),
    [
        ([["a", "a", "a"]], []),
        ([["a", "a", "b", "b", "a"]], [(0, 2), (2, 4)]),
        ([["a"], ["a"], ["b"]], [(0, 2)]),
        ([["a", "b"], ["b", "c"]], [(0, 1), (1, 3)]),
        ([["a"], ["b"], ["c"]], [(0, 1), (1, 2)]),
        ([[None, None, "a", "a", None]], [(0, 2), (2, 4)]),
        ([[float("nan"), float("nan")], [float("nan"), 1.0]], [(0, 3)]),
        ([[1, 1], [1.0, 2.0]], [(0, 3)]),
        ([[[1], [1], [2]]], [(0, 2)]),
        ([[True, False]], [(0, 1)]),
    ],
)
def test_on_change_answers_what_came_before(parts: list[list[Any]], slices: list[tuple[int, int]]) -> None:
    assert list(OnChange(column="x").open().plan(batches(*parts)).slices) == slices


def test_on_change_looks_at_what_is_new() -> None:
    arrived = Queue()
    for part in (["a", "a"], ["a"], ["a", "b"], ["c"]):
        arrived.add(Batch(pa.record_batch({"x": part}), {}), 0.0)
    asked: list[int] = []

    def records(start: int) -> list[pa.RecordBatch]:
        asked.append(start)
        return arrived.records(start)

    trigger = OnChange(column="x").open()
    assert list(trigger.plan(Waiting(6, records, seen=3)).slices) == [(0, 4), (4, 5)]
    assert list(trigger.plan(Waiting(6, records)).slices) == [(0, 4), (4, 5)]
    assert asked == [2, 0]
    arrived.take(1)
    assert [batch.column("x").to_pylist() for batch in arrived.records(1)] == [["a"], ["a", "b"], ["c"]]
    assert arrived.records(5) == []


def test_on_change_of_words() -> None:
    records = [pa.record_batch({"x": pa.array(part).dictionary_encode()}) for part in (["a", "a", "b"], ["b", "a"])]
    assert list(OnChange(column="x").open().plan(Waiting(5, lambda start: records)).slices) == [(0, 2), (2, 4)]


def test_records_without_the_column_are_not_kept_waiting() -> None:
    records = [pa.record_batch({name: [1, 1]}) for name in ("x", "y", "x", "x", "y")]
    slices = list(OnChange(column="x").open().plan(Waiting(10, lambda start: records)).slices)
    assert slices == [(0, 2), (2, 4), (4, 8), (8, 10)]


@pytest.mark.parametrize(
    ("kind", "short", "whole"),
    [
        (OnIdle, "2s", {"after": "2s"}),
        (OnCount, 500, {"count": 500}),
        (OnChange, "shift", {"column": "shift"}),
        (Every, "60s", {"every": "60s"}),
        (Cron, "*/5 * * * *", {"expression": "*/5 * * * *", "zone": "UTC"}),
    ],
)
def test_each_is_written_in_short(kind: type[Component], short: Any, whole: dict[str, Any]) -> None:
    assert kind.model_validate(short) == kind.model_validate(whole)


@pytest.mark.parametrize("duration", ["0s", "60", "1.5s", "s", "1w", "-1s", "60 s", "", "9999999999s"])
def test_what_is_no_time(duration: str) -> None:
    with pytest.raises(ValidationError, match="String should match pattern"):
        OnIdle(after=duration)


@pytest.mark.parametrize(
    ("duration", "seconds"), [("250ms", 0.25), ("2s", 2), ("3m", 180), ("4h", 14400), ("5d", 432000)]
)
def test_times_in_seconds(duration: str, seconds: float) -> None:
    assert in_seconds(duration) == seconds
