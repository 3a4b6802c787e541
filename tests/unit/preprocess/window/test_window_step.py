"""Windows of rows: the same however a stream is cut, and beside a plain account of the same rules."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afield.errors import DataError
from afield.preprocess.base import Carry
from afield.preprocess.window.spec import Window
from afield.preprocess.window.step import WindowStep

Rows = list[tuple[str | None, float | None]]


def batch_of(rows: Rows) -> pa.RecordBatch:
    keys, times = zip(*rows, strict=True) if rows else ((), ())
    return pa.record_batch({"node": pa.array(keys, pa.string()), "at": pa.array(times, pa.float64())})


def numbered(rows: int, first: int = 0) -> dict[str, np.ndarray]:
    """A feature that is the number of the row, so that a window shows which rows it holds."""
    return {"table": np.arange(first, first + rows, dtype=np.float32)[:, None]}


def streamed(step: WindowStep, rows: Rows, cuts: list[int]) -> tuple[list[list[int]], list[int], Carry]:
    """The rows of each window, the row it ends at, and the carry, of a stream in batches."""
    found, ends, carry = list[list[int]](), list[int](), None
    bounds = [0, *sorted(cuts), len(rows)]
    for begin, end in pairwise(bounds):
        windows, last, carry = step.windows(carry, numbered(end - begin, begin), batch_of(rows[begin:end]))
        joined: Any = windows["table"]
        assert joined.shape == (step.length, 1)
        found += joined.dense()[:, :, 0].astype(int).tolist()
        ends += (last + begin).tolist()
    return found, ends, carry


def plainly(declared: Window, rows: Rows) -> tuple[list[list[int]], int, int]:
    """The rows of each window, and how many rows are late and undated, by the rules told one after the other."""
    runs: dict[str | None, list[int]] = {}
    latest: dict[str | None, float] = {}
    found, late, undated = list[list[int]](), 0, 0
    for row, (key, at) in enumerate(rows):
        at = 0.0 if declared.time is None else at
        if at is None:
            undated += 1
            continue
        run = runs.get(key, [])
        if run and row - run[-1] > declared.forget:
            run, latest[key] = [], -np.inf
        if at < latest.get(key, -np.inf):
            late += 1
            continue
        if declared.gap_seconds is not None and at - latest.get(key, at) > declared.gap_seconds:
            run = []
        run = [*run, row]
        runs[key], latest[key] = run, at
        if len(run) >= declared.length and (len(run) - declared.length) % declared.stride == 0:
            found.append(run[-declared.length :])
    return found, late, undated


row = st.tuples(st.sampled_from(["a", "b", None]), st.one_of(st.none(), st.integers(0, 12).map(float)))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(row, max_size=40),
    st.lists(st.integers(0, 40), max_size=6),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from([None, "2s"]),
    st.sampled_from([3, 1000]),
    st.booleans(),
)
def test_any_cut_of_a_stream_gives_the_windows_of_the_rules(
    rows: Rows, cuts: list[int], length: int, stride: int, gap: str | None, forget: int, sorted_: bool
) -> None:
    if sorted_:
        rows = sorted(rows, key=lambda one: one[1] or 0)
    declared = Window(length=length, stride=stride, key="node", time="at", gap=gap, forget=forget)
    found, ends, carry = streamed(declared.open(), rows, [min(cut, len(rows)) for cut in cuts])
    expected, late, undated = plainly(declared, rows)
    assert found == expected
    assert ends == [window[-1] for window in expected]
    assert (carry["late"], carry["undated"], carry["count"]) == (late, undated, len(rows))
    # What is kept is no more than the next window needs.
    assert len(carry["tails"]["table"]) <= len(carry["keys"]) * (length - 1)


@given(st.lists(row, min_size=12, max_size=40), st.integers(1, 3), st.integers(1, 3))
def test_a_whole_table_gives_the_windows_of_its_sorted_rows(rows: Rows, length: int, stride: int) -> None:
    declared = Window(length=length, stride=stride, key="node", time="at", gap="2s")
    order = [number for number, (_, at) in enumerate(rows) if at is not None]
    order.sort(key=lambda number: rows[number][1] or 0)
    expected = [[order[place] for place in window] for window in plainly(declared, [rows[one] for one in order])[0]]
    if not expected:
        with pytest.raises(DataError):
            declared.open().cut(batch_of(rows))
        return
    cut = declared.open().cut(batch_of(rows))
    found: Any = cut.features(numbered(len(rows)))["table"]
    assert sorted(found.dense()[:, :, 0].astype(int).tolist()) == sorted(expected)
    assert cut.ends.tolist() == [int(window[-1]) for window in found.dense()[:, :, 0]]
    assert cut.undated == sum(at is None for _, at in rows)
    # Windows that share a row lie in one run.
    runs: dict[int, int] = {}
    for window, run in zip(found.dense()[:, :, 0].astype(int).tolist(), cut.runs.tolist(), strict=True):
        assert {runs.setdefault(one, run) for one in window} == {run}


def test_a_stream_carries_what_it_needs_and_changes_nothing_given() -> None:
    step = Window(length=3).open()
    _, _, first = step.windows(None, numbered(2), batch_of([(None, None)] * 2))
    kept = {name: np.copy(value) for name, value in first.items() if isinstance(value, np.ndarray)}
    for _ in range(2):
        windows, ends, _ = step.windows(first, numbered(2, 2), batch_of([(None, None)] * 2))
        joined: Any = windows["table"]
        assert joined.dense()[:, :, 0].tolist() == [[0, 1, 2], [1, 2, 3]]
        assert ends.tolist() == [0, 1]
    for name, value in kept.items():
        np.testing.assert_array_equal(first[name], value)


def test_several_features_of_any_shape() -> None:
    step, batch = Window(length=2).open(), batch_of([(None, None)] * 3)
    features = {"image": np.zeros((3, 4, 4), np.float32), "categories": np.array([[1], [2], [3]], np.int32)}
    windows, _, carry = step.windows(None, features, batch)
    shown = {name: np.asarray(joined.dense()) for name, joined in windows.items()}  # type: ignore[union-attr]
    assert shown["image"].shape == (2, 2, 4, 4)
    assert shown["categories"].dtype == np.int32
    assert shown["categories"][:, :, 0].tolist() == [[1, 2], [2, 3]]
    assert carry["tails"]["categories"].dtype == np.int32


def test_sequences_that_are_idle_are_forgotten() -> None:
    step, carry = Window(length=5, key="node", forget=10).open(), None
    for number in range(100):
        rows: Rows = [(f"node {number}", None)]
        _, _, carry = step.windows(carry, numbered(1), batch_of(rows))
        assert len(carry["keys"]) <= 11
        assert len(carry["tails"]["table"]) == len(carry["keys"])


def test_times_are_read_from_text_and_keys_from_numbers() -> None:
    batch = pa.record_batch({"node": [7, 7, 7, 7], "at": ["20200629105900", "20200629110000", "20200629110200", "x"]})
    declared = Window(length=2, key="node", time="at", gap="1m")
    windows, ends, carry = declared.open().windows(None, numbered(4), batch)
    assert (len(windows["table"]), ends.tolist(), carry["undated"], carry["keys"]) == (1, [1], 1, ["7"])


def test_columns_are_demanded() -> None:
    step = Window(length=2, key="nod", time="at").open()
    with pytest.raises(DataError) as raised:
        step.columns(None, batch_of([]).schema)
    assert str(raised.value) == "preprocess.window.key: the records have no column 'nod'; did you mean 'node'?"
    assert Window(length=2, time="at", key="node").open().columns(None, batch_of([]).schema) == ["node", "at"]
    assert Window(length=2).open().columns(None, batch_of([]).schema) == []


def test_a_table_without_a_window_is_an_error() -> None:
    rows: Rows = [("a", 0), ("a", 1), ("a", 90), ("b", 0)]
    with pytest.raises(DataError) as raised:
        Window(length=3, key="node", time="at", gap="60s").open().cut(batch_of(rows))
    assert str(raised.value) == (
        "preprocess.window.length: expected 3 rows or more without a gap, found at most 2 in 4 rows; shorten the "
        "window or allow a longer gap"
    )
    with pytest.raises(DataError) as raised:
        Window(length=1, time="node").open().cut(batch_of(rows))
    assert str(raised.value) == (
        "preprocess.window.time: expected times in column 'node' (2024-05-31 13:45:00, or seconds), found 'a'; name "
        "another column"
    )


def ruled(declared: Window, codes: list[int], classes: list[str]) -> list[int]:
    step = declared.open()
    cut = step.cut(pa.table(batch_of([(None, None)] * len(codes)).to_pydict()))
    return step.labels(cut, np.array(codes, np.int32), classes).tolist()


def test_labels_by_each_rule() -> None:
    classes = ["busy", "down", "normal"]
    codes = [2, 2, 2, 0, 1, 1, 2, 2, -1, -1, -1]
    assert ruled(Window(length=3, label="last"), codes, classes) == codes[2:]
    assert ruled(Window(length=3, label="any"), codes, classes) == [2, 0, 1, 1, 1, 1, 2, 2, -1]
    assert ruled(Window(length=3, label="all_same"), codes, classes) == [2, -1, -1, -1, -1, -1, -1, -1, -1]


@given(st.lists(st.integers(-1, 3), min_size=4, max_size=40), st.integers(1, 4))
def test_the_most_frequent_fault_names_the_window_and_the_latest_of_equals(codes: list[int], length: int) -> None:
    def expected(window: list[int]) -> int:
        counts = Counter(code for code in window if code not in (-1, 0))
        if counts:
            return max(counts, key=lambda code: (counts[code], len(window) - window[::-1].index(code)))
        return 0 if 0 in window else -1

    windows = [codes[begin : begin + length] for begin in range(len(codes) - length + 1)]
    found = ruled(Window(length=length, label="any", normal="0"), codes, ["0", "1", "2", "3"])
    assert found == [expected(window) for window in windows]


def test_the_normal_answer_must_be_one() -> None:
    with pytest.raises(DataError) as raised:
        ruled(Window(length=1, label="any"), [0, 1], ["ok", "down"])
    assert str(raised.value) == (
        "preprocess.window.normal: no row has the answer 'normal'; there are ok, down; name the one that says that "
        "nothing is wrong"
    )


def test_many_windows_are_fast() -> None:
    rows = 500_000
    random = np.random.default_rng(0)
    table = pa.table({"node": random.integers(0, 50, rows).astype(str), "at": np.arange(rows)})
    step = Window(length=60, key="node", time="at", label="any", normal="0").open()
    codes = random.integers(0, 8, rows).astype(np.int32)
    begin = time.process_time()
    cut = step.cut(table)
    labels = step.labels(cut, codes, [str(code) for code in range(8)])
    assert time.process_time() - begin < 1.5
    assert len(labels) == rows - 50 * 59
    begin = time.process_time()
    windows, ends, _ = step.windows(None, {"table": np.zeros((rows, 4), np.float32)}, table.to_batches()[0])
    assert time.process_time() - begin < 1.5
    assert len(windows["table"]) == len(ends) == len(labels)
