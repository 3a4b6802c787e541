"""Members come and go, and no member's numbers depend on the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import keras
import numpy as np
import pytest
from keras_models import TABLE

import afield
from afield.errors import UseCaseError
from afield.tune.populations import Population, PopulationMemoryError, PopulationState, grouped, population
from afield.tune.populations.program import Program

L = keras.layers
RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(40, 6)).astype(np.float32)
Y = RANDOM.integers(0, 3, 40).astype(np.int32)
RATES = (1e-2, 3e-3, 1e-3, 3e-2, 1e-2)
BATCH = 16
"""Does not divide the rows, so that the last step is a smaller one."""


def make(rate: float = 1e-2, dropout: float = 0.4, seed: int = 1, width: int = 8) -> keras.Model:
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [L.Input((6,)), L.Dense(width, activation="relu"), L.Dropout(dropout), L.Dense(3, activation="softmax")]
    )
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def of_rates(rates: Sequence[float] = RATES, **more: Any) -> Population:
    models = [make(rate, seed=place) for place, rate in enumerate(rates)]
    return Population(models, X, Y, (X, Y), **{"batch_size": BATCH, "seeds": range(len(rates))} | more)


def trained(members: Population, state: PopulationState, epochs: Sequence[int]) -> tuple[PopulationState, Any]:
    results: Any = {}
    for number in epochs:
        state, results = members.epoch(state, number)
    return state, results


def assert_equal(left: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> None:
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("room", [1, 5])
def test_members_do_not_depend_on_how_many_train_in_a_call(room: int) -> None:
    whole, parts = of_rates(room=2), of_rates(room=room)
    one, results = trained(whole, whole.start(), range(2))
    other, split = trained(parts, parts.start(), range(2))
    assert one.members == other.members == (0, 1, 2, 3, 4)
    for name, values in results.items():
        np.testing.assert_allclose(split[name], values, rtol=1e-6)
    for name, values in whole.validate(one).items():
        np.testing.assert_allclose(parts.validate(other)[name], values, rtol=1e-6)
    for member in range(5):
        for left, right in zip(whole.weights(one, member), parts.weights(other, member), strict=True):
            np.testing.assert_allclose(left, right, atol=1e-6)


def test_who_leaves_changes_nothing_for_those_who_stay() -> None:
    members = of_rates(room=2)
    all_of_them, results = trained(members, members.start(), range(3))
    state, _ = trained(members, members.start(), [0])
    state = members.kept(state, [1, 4, 3])
    state, of_three = trained(members, state, [1, 2])
    assert state.members == (1, 4, 3)
    np.testing.assert_array_equal(of_three["loss"], results["loss"][[1, 4, 3]])
    for member in state.members:
        assert_equal(members.weights(state, member), members.weights(all_of_them, member))


def test_one_that_diverges_leaves_and_the_others_go_on() -> None:
    rates = (*RATES[:2], float("inf"), *RATES[3:])
    members, healthy = of_rates(rates, room=2), of_rates(room=2)
    state, results = members.epoch(members.start(), 0)
    assert np.isnan(results["loss"][2])
    assert state.members == (0, 1, 3, 4)
    state, results = members.epoch(state, 1)
    expected, _ = trained(healthy, healthy.start(), range(2))
    assert results["loss"].shape == (4,)
    for member in state.members:
        assert_equal(members.weights(state, member), healthy.weights(expected, member))


def test_nobody_is_left() -> None:
    members = of_rates([float("inf")])
    state, _ = members.epoch(members.start(), 0)
    assert state.members == ()
    assert members.epoch(state, 1) == (state, {})
    assert members.validate(state) == {}


def test_each_member_has_its_own_weights_of_classes() -> None:
    weights: list[Any] = [None, {0: 5.0}, {1: 0.1, 2: 2.0}]
    models = [make(rate) for rate in RATES[:3]]
    members = Population(models, X, Y, batch_size=BATCH, seeds=[7, 7, 7], class_weights=weights)
    state, results = trained(members, members.start(), range(2))
    for place, (rate, of_classes) in enumerate(zip(RATES, weights, strict=False)):
        alone = make(rate)
        settings = {"batch_size": BATCH, "epochs": 2, "seed": 7, "verbose": 0}
        history = afield.fit(alone, X, Y, class_weight=of_classes, **settings).history
        np.testing.assert_allclose(results["loss"][place], history["loss"][-1], rtol=1e-6)
        for left, right in zip(members.weights(state, place), alone.get_weights(), strict=True):
            np.testing.assert_allclose(left, right, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["conv", "two inputs", "two outputs", "logs of one's own", "weights of classes", "mixed precision"]
)
def test_any_model_that_can_be_fitted(name: str) -> None:
    case = TABLE[name]
    x, y, more = case.arrays()
    weights = {"class_weights": [more["class_weight"]]} if "class_weight" in more else {}
    (group,) = grouped([case.make()])
    members = Population(group.models, x, y, batch_size=16, seeds=[3], **weights)
    state, results = trained(members, members.start(), range(2))
    alone = case.make()
    history = afield.fit(alone, x, y, batch_size=16, epochs=2, seed=3, verbose=0, **more).history
    assert set(results) == set(history)
    for key, values in history.items():
        np.testing.assert_allclose(results[key][0], values[-1], rtol=1e-6, err_msg=key)
    for left, right in zip(members.weights(state, 0), alone.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, atol=2e-6)


def test_models_stay_as_they_were() -> None:
    models = [make(), make(3e-3)]
    before = [model.get_weights() for model in models]
    members = Population(models, X, Y, batch_size=BATCH, seeds=[1, 2])
    trained(members, members.start(), [0])
    for model, weights in zip(models, before, strict=True):
        assert_equal(model.get_weights(), weights)


def test_a_fitted_network_goes_on_from_where_it_is() -> None:
    settings: dict[str, Any] = {"batch_size": BATCH, "seed": 1, "verbose": 0}
    model, alone = make(), make()
    afield.fit(model, X, Y, epochs=1, **settings)
    afield.fit(alone, X, Y, epochs=3, **settings)
    members = Population([model], X, Y, batch_size=BATCH, seeds=[1])
    state, _ = trained(members, members.start(), [1, 2])
    for left, right in zip(members.weights(state, 0), alone.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6)


def test_a_later_epoch_compiles_nothing() -> None:
    members = of_rates(room=2)
    state, _ = members.epoch(members.start(), 0)
    members.validate(state)
    before = members.programs()
    state, _ = members.epoch(members.kept(state, [0, 3, 4]), 1)
    members.validate(state)
    assert members.programs() == before == 3


def test_progress_is_told() -> None:
    told: list[int] = []
    members = of_rates(room=2)
    members.epoch(members.start(), 0, told.append)
    assert sum(told) == 5 * 40


def test_a_call_is_made_as_large_as_the_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population, "processors", lambda: 1)
    room_for_two, room_for_three = of_rates(room=2).memory(), of_rates(room=3).memory()
    assert room_for_two < room_for_three
    monkeypatch.setattr(population, "device_room", lambda: room_for_three - 1)
    assert of_rates().room == 2
    monkeypatch.setattr(population, "device_room", lambda: 1000)
    with pytest.raises(
        PopulationMemoryError, match=r"^models: a network needs .* GB to train, of which .* GB are there; "
    ):
        of_rates()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": [1]}, "seeds: expected one for each of 2 networks, found 1"),
        ({"class_weights": [None]}, "class_weights: expected one for each of 2 networks, found 1"),
        (
            {"class_weights": [None, None], "row_weights": np.ones(40, np.float32)},
            "class_weights: cannot be given with row_weights; multiply them into row_weights",
        ),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UseCaseError) as refused:
        Population([make(), make()], X, Y, **{"batch_size": BATCH, "seeds": [1, 2]} | arguments)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X, Y[1:], "targets: expected 40 rows, as in features, found 39"),
        (X[:, 1:], Y, "features: x: the model's input 'numbers' takes rows of shape (6), found (5)"),
    ],
)
def test_data_that_does_not_fit(x: np.ndarray, y: np.ndarray, message: str) -> None:
    model = keras.Sequential([L.Input((6,), name="numbers"), L.Dense(3)])
    model.compile("sgd", "mse")
    with pytest.raises(UseCaseError) as refused:
        Population([model], x, y, batch_size=BATCH, seeds=[1])
    assert str(refused.value) == message


def test_memory_that_is_gone_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes.\nmore")

    members = of_rates(room=2)
    state = members.start()
    monkeypatch.setattr(Program, "train", full)
    with pytest.raises(PopulationMemoryError) as refused:
        members.epoch(state, 0)
    assert str(refused.value) == (
        "the device has too little memory to train 2 networks at a time"
        " (RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes.); make the population smaller, or lower batch_size"
    )


def test_networks_of_two_groups_are_refused() -> None:
    other = make()
    other.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(UseCaseError) as refused:
        Population([make(), other], X, Y, batch_size=BATCH, seeds=[1, 2])
    assert str(refused.value) == "models: cannot share one program; take those of one group that `grouped` gives"
