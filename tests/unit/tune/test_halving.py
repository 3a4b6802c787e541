"""Successive halving: who goes on, in whatever order trials come."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.tune.halving import FACTOR, Halving, NoHalving, rungs

SCORES = st.dictionaries(st.integers(0, 200), st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9]), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(1, ()), (2, ()), (3, (1,)), (9, (1, 3)), (10, (1, 3)), (60, (2, 6, 20)), (81, (1, 3, 9, 27))],
)
def test_rungs_are_hyperbands(epochs: int, expected: tuple[int, ...]) -> None:
    assert rungs(epochs) == expected


def test_of_64_trials_22_go_on_and_then_8() -> None:
    halving = Halving(10, higher_is_better=True)
    values = {number: number / 64 for number in range(64)}
    left = halving.losers(1, values)
    assert left == set(range(42))
    assert halving.losers(2, values) == set()
    assert halving.losers(3, {number: values[number] for number in values if number not in left}) == set(range(42, 56))


def test_lower_values_win_where_lower_is_better() -> None:
    assert Halving(3, higher_is_better=False).losers(1, {0: 0.5, 1: 0.1, 2: 0.9}) == {0, 2}


def test_a_later_population_is_held_against_the_earlier_ones() -> None:
    halving = Halving(3, higher_is_better=True)
    assert halving.losers(1, {0: 0.9, 1: 0.8, 2: 0.7}) == {1, 2}
    assert halving.losers(1, {3: 0.1, 4: 0.2, 5: 0.3}) == {3, 4, 5}
    assert halving.losers(1, {6: 0.95}) == set()


def test_what_is_recalled_counts_once() -> None:
    halving = Halving(3, higher_is_better=True)
    for _ in range(2):
        for number in range(3):
            halving.recall(number, 1, number / 3)
    assert halving.losers(1, {2: 2 / 3}) == set()
    assert halving.losers(1, {3: 0.5, 4: 0.4}) == {4}


def test_without_halving_nobody_leaves() -> None:
    assert NoHalving().losers(1, {0: 0.1, 1: 0.9}) == set()


@given(SCORES)
def test_a_third_goes_on_and_is_no_worse_than_who_leaves(values: dict[int, float]) -> None:
    left = Halving(3, higher_is_better=True).losers(1, values)
    stay = set(values) - left
    assert len(stay) == math.ceil(len(values) / FACTOR)
    assert not left or min(values[number] for number in stay) >= max(values[number] for number in left)


@given(SCORES)
def test_the_order_of_a_population_means_nothing(values: dict[int, float]) -> None:
    turned = dict(reversed(list(values.items())))
    assert Halving(3, True).losers(1, values) == Halving(3, True).losers(1, turned)
