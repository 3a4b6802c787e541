"""Dimensions of a search as Optuna knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.tune.space import decided, grid, labels, suggested, values
from afield.usecase.searches import Dimension

UNITS = Dimension("units", ("units",), choices=(8, 16, 32))
RATE = Dimension("rate", ("rate",), bounds=(0.0001, 0.1), log=True)
DEPTH = Dimension("depth", ("depth",), bounds=(1, 3))
OPTIMIZER = Dimension("optimizer", ("optimizer",), choices=("adam", {"sgd": {"momentum": 0.9}}))
MOMENTUM = Dimension("optimizer[1].sgd.momentum", ("optimizer", "search", 1), bounds=(0.5, 0.9))


def conditional(decisions: Mapping[str, Any]) -> Sequence[Dimension]:
    return [OPTIMIZER, *([MOMENTUM] if decisions.get("optimizer") == 1 else [])]


def flat(*dimensions: Dimension) -> Any:
    return lambda decisions: dimensions


def test_plain_alternatives_stand_for_themselves() -> None:
    assert labels(UNITS) == [8, 16, 32]
    assert labels(Dimension("a", (), choices=(None, "relu", True))) == [None, "relu", True]


@pytest.mark.parametrize("choices", [(1, True), (1, 1.0, 2), ([8], [8, 8]), ("adam", {"sgd": {}})])
def test_alternatives_that_a_storage_cannot_tell_apart_are_written_as_text(choices: tuple[Any, ...]) -> None:
    written = labels(Dimension("a", (), choices=choices))
    assert all(isinstance(label, str) for label in written)
    assert len(set(written)) == len(choices)


def test_suggestions_stay_within_the_space_and_are_read_back() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(20):
        trial = study.ask()
        decisions = suggested(trial, flat(UNITS, RATE, DEPTH))
        assert decisions["units"] in (0, 1, 2)
        assert 0.0001 <= decisions["rate"] <= 0.1
        assert decisions["depth"] in (1, 2, 3)
        assert trial.params == values(decisions, [UNITS, RATE, DEPTH])
        assert decided(trial.params, flat(UNITS, RATE, DEPTH)) == decisions


def test_a_search_in_an_alternative_is_suggested_only_with_it() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    found = [suggested(study.ask(), conditional) for _ in range(20)]
    assert {tuple(decisions) for decisions in found} == {("optimizer",), ("optimizer", MOMENTUM.name)}
    assert all((MOMENTUM.name in decisions) == (decisions["optimizer"] == 1) for decisions in found)


def test_a_grid_has_every_combination_once() -> None:
    points = list(grid(flat(UNITS, DEPTH)))
    assert len(points) == 9
    assert points[0] == {"units": 8, "depth": 1}
    assert len({tuple(point.values()) for point in points}) == 9


def test_a_grid_of_a_range_goes_from_end_to_end() -> None:
    rates = [point["rate"] for point in grid(flat(RATE))]
    assert rates[0] == 0.0001
    assert rates[-1] == 0.1
    ratios = [later / earlier for earlier, later in pairwise(rates)]
    assert ratios == pytest.approx([ratios[0]] * 4)


def test_a_grid_enters_an_alternative_only_where_it_is_taken() -> None:
    points = list(grid(conditional))
    assert len(points) == 1 + 5
    assert points[0] == {"optimizer": '"adam"'}
    assert points[1] == {"optimizer": '{"sgd": {"momentum": 0.9}}', MOMENTUM.name: 0.5}


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.booleans())
def test_points_of_whole_ranges_are_whole_and_within(low: int, width: int, log: bool) -> None:
    dimension = Dimension("n", (), bounds=(low, low + width), log=log)
    points = [point["n"] for point in grid(flat(dimension))]
    assert all(isinstance(point, int) and low <= point <= low + width for point in points)
    assert points[0] == low
    assert points[-1] == low + width
    assert points == sorted(set(points))
