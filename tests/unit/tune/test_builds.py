"""`afield.tune`: any function that builds a Keras model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

import afield
from afield.errors import StateError, UseCaseError

DIGITS = load_digits()
X, Y = (DIGITS.data[:500] / 16).astype(np.float32), DIGITS.target[:500].astype(np.int32)  # pyright: ignore


def build(units: int, learning_rate: float) -> keras.Model:
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((64,)), layers.Dense(units, activation="relu"), layers.Dense(10, activation="softmax")]
    )
    model.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


SPACE: dict[str, Any] = {"units": [8, 32], "learning_rate": afield.Range(1e-4, 1e-1, log=True)}


@pytest.fixture(scope="module")
def found() -> Any:
    return afield.tune(build, X, Y, SPACE, trials=9, epochs=4, monitor="val_accuracy", sampler="random")


def test_the_best_values_and_all_trials_are_given_back(found: Any) -> None:
    assert set(found.best) == {"units", "learning_rate"}
    table = found.trials
    assert table.column_names == ["number", "state", "score", "epochs", "seconds", "reason", "units", "learning_rate"]
    states = table.column("state").to_pylist()
    assert (states.count("complete"), states.count("pruned")) == (3, 6)
    scores = [
        score for score, state in zip(table.column("score").to_pylist(), states, strict=True) if state == "complete"
    ]
    assert found.score == max(scores)
    assert sum(found.importances.values()) == pytest.approx(1)


def test_the_model_is_fitted_as_its_trial_was(found: Any) -> None:
    _, accuracy = found.model.evaluate(X[400:], Y[400:], verbose=0)
    assert accuracy == pytest.approx(found.score, abs=1e-6)
    assert found.model.layers[0].units == found.best["units"]


def test_batch_size_and_epochs_are_for_the_training() -> None:
    space = {"batch_size": [16, 64], "epochs": (1, 2)}
    found = afield.tune(
        lambda: build(8, 0.01), X, Y, space, trials=4, sampler="grid", halving=False, validation_data=(X[:50], Y[:50])
    )
    assert sorted(found.trials.column("epochs").to_pylist()) == [1, 1, 2, 2]
    assert set(found.best) == {"batch_size", "epochs"}


def test_a_metric_that_is_not_measured_is_told() -> None:
    with pytest.raises(StateError) as refused:
        afield.tune(build, X, Y, SPACE, trials=2, epochs=1, monitor="val_auc")
    assert str(refused.value).endswith(
        "): trials are compared by 'auc', which the model does not measure; it measures accuracy, loss"
    )


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "space: nothing to search: expected at least one name with choices or a range"),
        ({"units": 5}, "space['units']: expected a list of choices, a tuple (low, high) or afield.Range, found 5"),
        (
            {"units": [8]},
            "space['units']: expected at least two values to try, found 1; add others, or write one value",
        ),
        (
            {"units": (9, 3)},
            "space['units']: an empty range, expected the first number below the second, found 9 and 3",
        ),
        ({"units": afield.Range(0, 3, log=True)}, "space['units']: with `log: true` it must begin above 0, found 0"),
    ],
)
def test_a_space_that_is_none(space: dict[str, Any], message: str) -> None:
    with pytest.raises(UseCaseError) as refused:
        afield.tune(build, X, Y, space)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("made", "described"),
    [(lambda units: units, "int"), (lambda units: keras.Sequential(), "one that is not compiled")],
)
def test_a_function_that_builds_no_compiled_model(made: Any, described: str) -> None:
    with pytest.raises(StateError) as refused:
        afield.tune(made, X, Y, {"units": [8, 16]}, trials=1)
    assert str(refused.value).endswith(f"build: expected a compiled keras.Model, found {described}; call model.compile")


def test_shares_that_leave_no_rows() -> None:
    with pytest.raises(UseCaseError) as refused:
        afield.tune(build, X, Y, SPACE, validation_split=0.0)
    assert str(refused.value) == (
        "validation_split: expected a share that leaves some of the 500 rows on both sides, found 0.0"
    )
