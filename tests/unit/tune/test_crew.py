"""Populations that do not fit the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest

from afield.tune import crew
from afield.tune.base import Outcome
from afield.tune.crew import Crew, Rows
from afield.tune.member import Member
from afield.tune.populations import Population, PopulationMemoryError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(96, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int32)
ROWS = Rows({"x": X[:64]}, Y[:64], ({"x": X[64:]}, Y[64:]), 16)


class Nobody:
    """A referee that sends nobody away."""

    over = False
    rungs: tuple[int, ...] = ()

    def leave(self, epoch: int, values: Mapping[int, float]) -> set[int]:
        return set()


def member(number: int) -> Member:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.01 * (number + 1)), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Member(
        number=number,
        model=model,
        epochs=2,
        seed=0,
        watched="loss",
        score=lambda measured, _: measured["loss"],
        needs_weights=False,
        row_seconds=lambda _: None,
    )


def trained(count: int) -> list[Outcome]:
    found = Crew(None, "").train([member(number) for number in range(count)], ROWS, Nobody())
    return sorted(found, key=lambda outcome: outcome.number)


def scores(outcomes: list[Outcome]) -> list[tuple[Any, ...]]:
    return [(outcome.number, outcome.state, outcome.score, outcome.curve) for outcome in outcomes]


def limited(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Lets a population of more members than that run out of memory; gives the sizes that were tried."""
    sizes: list[int] = []

    class Limited(Population):
        def __init__(self, models: Any, *arguments: Any, **named: Any) -> None:
            sizes.append(len(models))
            if len(models) > most:
                raise PopulationMemoryError("the device has too little memory")
            super().__init__(models, *arguments, **named)

    monkeypatch.setattr(crew, "Population", Limited)
    return sizes


def test_a_population_that_is_too_large_is_trained_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(5)
    sizes = limited(monkeypatch, 2)
    halves = trained(5)
    assert sizes == [5, 2, 3, 1, 2]
    assert [one[:2] for one in scores(halves)] == [one[:2] for one in scores(whole)]
    for ours, theirs in zip(halves, whole, strict=True):
        assert ours.curve == pytest.approx(theirs.curve, rel=1e-6)


def test_a_network_that_does_not_fit_at_all_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, 0)
    assert [(one.state, one.reason) for one in trained(2)] == [("failed", "the device has too little memory")] * 2


def test_ended_trials_are_not_trained_again() -> None:
    found = Crew(None, "").train([member(number) for number in range(3)], ROWS, Nobody(), ended={0, 2})
    assert [outcome.number for outcome in found] == [1]
