"""The three parts: disjoint, whole, of the wanted sizes, and kept apart as asked."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.connectors.base import FILE
from afield.errors import DataError
from afield.train.layout import covered
from afield.train.split import Parts, by_file, by_group, by_time, drawn, purged

targets_of = st.lists(st.integers(0, 4), min_size=12, max_size=300).map(np.array)
seeds = st.integers(0, 2**32 - 1)


def assert_whole(parts: Parts, rows: int) -> None:
    everything = np.concatenate([part for _, part in parts.items()])
    np.testing.assert_array_equal(np.sort(everything), np.arange(rows))


@given(targets_of, seeds, st.booleans())
def test_drawn_is_whole(targets: np.ndarray, seed: int, stratify: bool) -> None:
    parts = drawn(targets, (0.25, 0.1), seed, stratify=stratify)
    assert_whole(parts, len(targets))
    again = drawn(targets, (0.25, 0.1), seed, stratify=stratify)
    np.testing.assert_array_equal(parts.test, again.test)


@given(targets_of, seeds)
def test_stratified_keeps_shares(targets: np.ndarray, seed: int) -> None:
    parts = drawn(targets, (0.25, 0.1), seed, stratify=True)
    for target in np.unique(targets):
        rows = int((targets == target).sum())
        tested = int((targets[parts.test] == target).sum())
        assert abs(tested - rows * 0.25) <= 1.5
        assert (targets[parts.training] == target).any()
        assert rows < 2 or tested >= 1
    assert abs(len(parts.test) - len(targets) * 0.25) <= 5


def test_time_keeps_the_newest_for_the_test() -> None:
    times = np.array([5, 1, 4, 2, 3, 9, 8, 7, 6, 0])
    parts = by_time(times, (0.2, 0.1))
    assert set(times[parts.test]) == {8, 9}
    assert set(times[parts.validation]) == {7}
    assert_whole(parts, 10)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=20, max_size=300), seeds)
def test_groups_stay_together(rows: list[tuple[int, int]], seed: int) -> None:
    groups, targets = (np.array(column) for column in zip(*rows, strict=True))
    parts = by_group(groups, targets, (0.25, 0.1), seed)
    assert_whole(parts, len(rows))
    of = [set(groups[part]) for _, part in parts.items()]
    assert not of[0] & of[1]
    assert not of[0] & of[2]
    assert not of[1] & of[2]


def test_groups_have_their_share() -> None:
    groups = np.repeat(np.arange(400), 5)
    targets = np.repeat(np.arange(4), 500)
    parts = by_group(groups, targets, (0.25, 0.1), 3)
    assert len(parts.test) == pytest.approx(500, abs=20)
    assert len(parts.validation) == pytest.approx(200, abs=20)


def test_a_class_of_one_group_stays_in_training() -> None:
    groups = np.array([0, 0, 0, 1, 2, 3, 4, 5])
    targets = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    assert {0, 1, 2} <= set(by_group(groups, targets, (0.25, 0.1), 0).training)


@given(st.lists(st.integers(0, 3), min_size=8, max_size=60), st.floats(0, 0.5), seeds)
def test_files_are_tested_whole(members: list[int], validation: float, seed: int) -> None:
    members[:4] = [0, 1, 2, 3]
    files = pa.table({FILE: [f"logs/{member}.log" for member in members]})
    ends = np.arange(0, len(members), 2)
    targets = np.arange(len(ends)) % 2
    if not {members[end] for end in ends} - {2}:
        return
    parts = by_file(files, ends, "2.*", validation, targets, seed)
    assert_whole(parts, len(ends))
    assert [members[ends[example]] for example in parts.test] == [2] * sum(members[end] == 2 for end in ends)


def test_a_file_whose_records_make_no_example() -> None:
    files = pa.table({FILE: ["a.log", "a.log", "b.log"]})
    parts = by_file(files, np.array([0, 1]), "b.log", 0.0, np.zeros(2, int), 0)
    assert [len(part) for _, part in parts.items()] == [2, 0, 0]
    with pytest.raises(DataError, match=r"^train\.split\.test_files: .* match 'B\*', none does: a\.log, b\.log$"):
        by_file(files, np.array([0]), "B*", 0.0, np.zeros(1, int), 0)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=20, unique=True), st.integers(1, 9))
def test_rows_that_a_window_covers(starts: list[int], length: int) -> None:
    found = covered(np.array(starts), length, 70)
    expected = {row for start in starts for row in range(start, start + length)}
    assert set(np.flatnonzero(found)) == expected


@given(st.integers(1, 6), st.integers(1, 4), st.integers(10, 60), seeds)
def test_no_row_stands_in_two_parts(length: int, stride: int, count: int, seed: int) -> None:
    starts = stride * np.arange(count)
    before = drawn(np.zeros(count, int), (0.25, 0.1), seed, stratify=False)
    later = np.concatenate([before.validation, before.test])
    expected = [window for window in before.training if (np.abs(starts[later] - starts[window]) >= length).all()]
    if not expected:
        with pytest.raises(DataError, match=r"^train\.split: every window of the training part shares records"):
            purged(before, starts, length)
        return
    parts = purged(before, starts, length)
    rows = [{row for start in starts[part] for row in range(start, start + length)} for _, part in parts.items()]
    assert not rows[0] & rows[1]
    assert not rows[0] & rows[2]
    assert not rows[1] & rows[2]
    # The test part loses nothing, and no window goes that met no other part.
    np.testing.assert_array_equal(parts.test, before.test)
    assert parts.training.tolist() == expected


def test_windows_apart_are_all_kept() -> None:
    parts = Parts(np.array([0, 1]), np.array([], int), np.array([2]))
    kept = purged(parts, np.array([0, 4, 8]), 4)
    assert [part.tolist() for _, part in kept.items()] == [[0, 1], [], [2]]
