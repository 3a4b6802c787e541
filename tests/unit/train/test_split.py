"""The three parts: disjoint, whole, of the wanted sizes, and kept apart as asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.train.split import Parts, drawn, by_group, by_time

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
