"""Triggers that leave records waiting or pass some by: nothing is lost, nothing is answered twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from afield.connectors.base import OFFSET, STREAM, Batch, Position
from afield.runtime.loop import Loop
from afield.runtime.predictor import Answers
from afield.runtime.state import RunState
from afield.runtime.triggers import Firings, OnArrival
from afield.store.store import open_store


class Numbers:
    """A source of numbered records, in batches of the given sizes."""

    replayable = True
    splittable = False

    def __init__(self, sizes: list[int]) -> None:
        self._sizes = sizes

    def batches(self, position: Position) -> Iterator[Batch]:
        start, first = int(position.get("s", 0)), 0
        for size in self._sizes:
            if first >= start:
                numbers = pa.array(range(first, first + size), pa.int64())
                stream = pa.array(["s"] * size).dictionary_encode()
                yield Batch(pa.RecordBatch.from_pydict({STREAM: stream, OFFSET: numbers}), {"s": str(first + size)})
            first += size

    def acknowledge(self, position: Position) -> None: ...

    def close(self) -> None: ...


class Kept:
    """A sink in memory that takes back what was written after a mark."""

    idempotent = False

    def __init__(self, rows: list[str]) -> None:
        self.rows = rows

    def restore(self, mark: str | None) -> None:
        del self.rows[int(mark or 0) :]

    def write(self, answers: pa.RecordBatch) -> str:
        self.rows += answers.column("id").to_pylist()
        return str(len(self.rows))

    def close(self) -> None: ...


class Sure:
    """A predictor of one answer."""

    version = "v1"

    def answer(self, records: pa.RecordBatch) -> Answers:
        return Answers(pa.array(["yes"]), np.ones((records.num_rows, 1), np.float32))


class OnCount:
    """Answers full groups, of each of which it passes the first records by."""

    def __init__(self, count: int, passed: int = 0) -> None:
        self._count, self._passed = count, passed

    def plan(self, pending: int, now: float) -> Firings:
        groups = range(0, pending - self._count + 1, self._count)
        return Firings([(group + self._passed, group + self._count) for group in groups])


@pytest.fixture
def state(tmp_path: Path) -> Iterator[RunState]:
    (tmp_path / ".afield").mkdir()
    store = open_store(tmp_path)
    yield RunState(store, "case")
    store.close()


def run(sizes: list[int], triggers: list[Any], sink: Kept, state: RunState) -> int:
    return Loop(Numbers(sizes), Sure(), triggers, {"kept": sink}, state).run().answered


def ids(numbers: range | list[int]) -> list[str]:
    return [f"s:{number}" for number in numbers]


def test_a_rest_waits_for_the_next_batch(state: RunState) -> None:
    sink = Kept([])
    assert run([3, 0, 4, 5, 1], [OnCount(5)], sink, state) == 10
    assert sink.rows == ids(range(10))


def test_what_was_not_committed_is_answered_after_a_restart(state: RunState) -> None:
    sizes = [3, 4, 5, 1]
    rows: list[str] = []
    run(sizes, [OnCount(5)], Kept(rows), state)
    assert state.positions() == {"s": "7"}  # the batch that ends with record 11 is not done with
    run(sizes, [OnArrival()], Kept(rows), state)
    assert rows == ids(range(13))
    assert state.counters() == {"answered": 13}


def test_records_before_the_end_of_a_slice_are_done_with(state: RunState) -> None:
    sink = Kept([])
    assert run([4, 4, 4], [OnCount(4, passed=3)], sink, state) == 3
    assert sink.rows == ids([3, 7, 11])
    assert state.positions() == {"s": "12"}


def test_the_first_trigger_that_wants_to_decides(state: RunState) -> None:
    sink = Kept([])
    assert run([3, 3], [OnCount(5), OnArrival()], sink, state) == 6
    assert sink.rows == ids(range(6))
