"""`afield.fit` leaves what `model.fit` leaves: losses, weights, optimizer and metrics, over a table of models."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras_models import RECURRENT, TABLE, Case

import afield

SETTINGS: dict[str, Any] = {"batch_size": 16, "epochs": 2, "shuffle": False, "verbose": 0}


def fitted(case: Case) -> tuple[keras.Model, dict[str, list[float]], keras.Model, dict[str, list[float]]]:
    x, y, more = case.arrays()
    ours, theirs = case.make(), case.make()
    validation = {"validation_data": (x, y)}
    one = afield.fit(ours, x, y, **SETTINGS, **validation, **more)
    other = theirs.fit(x, y, **SETTINGS, **validation, **more)
    assert list(one.history) == list(other.history)
    return ours, one.history, theirs, other.history


def assert_same(ours: keras.Model, theirs: keras.Model, atol: float) -> None:
    for kind in ("variables", "metrics_variables"):
        left, right = getattr(ours, kind), getattr(theirs, kind)
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            np.testing.assert_allclose(np.array(one, float), np.array(other, float), atol=atol, rtol=1e-5)
    for one, other in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_allclose(np.array(one), np.array(other), atol=atol, rtol=1e-5)


@pytest.mark.parametrize("name", TABLE)
def test_equals_keras(name: str) -> None:
    ours, one, theirs, other = fitted(TABLE[name])
    for key, values in other.items():
        np.testing.assert_allclose(one[key], values, rtol=1e-6, atol=1e-6, err_msg=key)
    assert_same(ours, theirs, 2e-6)


@pytest.mark.parametrize("name", RECURRENT)
def test_a_kernel_of_our_own_rounds_otherwise(name: str) -> None:
    ours, one, theirs, other = fitted(RECURRENT[name])
    for key, values in other.items():
        np.testing.assert_allclose(one[key], values, rtol=1e-5, err_msg=key)
    assert_same(ours, theirs, 1e-5)


def test_a_second_fit_goes_on_where_the_first_ended() -> None:
    case = TABLE["dropout"]
    x, y, _ = case.arrays()
    ours, theirs = case.make(), case.make()
    for epochs in (1, 2):
        one = afield.fit(ours, x, y, **SETTINGS | {"epochs": epochs})
        other = theirs.fit(x, y, **SETTINGS | {"epochs": epochs})
    np.testing.assert_allclose(one.history["loss"], other.history["loss"], rtol=1e-6)
    assert_same(ours, theirs, 2e-6)


def test_keras_goes_on_where_we_ended() -> None:
    case = TABLE["batch norm"]
    x, y, _ = case.arrays()
    ours, theirs = case.make(), case.make()
    afield.fit(ours, x, y, **SETTINGS)
    theirs.fit(x, y, **SETTINGS)
    np.testing.assert_allclose(
        ours.fit(x, y, **SETTINGS).history["loss"], theirs.fit(x, y, **SETTINGS).history["loss"], rtol=1e-6
    )
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-5)


def test_validation_split_takes_the_last_rows() -> None:
    case = TABLE["dense"]
    x, y, _ = case.arrays()
    settings = SETTINGS | {"validation_split": 0.3, "validation_batch_size": 5, "epochs": 3, "validation_freq": 2}
    one = afield.fit(case.make(), x, y, **settings).history
    other = case.make().fit(x, y, **settings).history
    assert list(one) == list(other)
    for key, values in other.items():
        np.testing.assert_allclose(one[key], values, rtol=1e-6)


def test_the_seed_gives_the_order() -> None:
    case = TABLE["dense"]
    x, y, _ = case.arrays()

    def losses(seed: int, **more: Any) -> list[float]:
        return afield.fit(case.make(), x, y, batch_size=16, epochs=2, verbose=0, seed=seed, **more).history["loss"]

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)
    order = [np.random.default_rng([1, epoch]).permutation(len(x)) for epoch in range(2)]
    keras_model = case.make()
    for epoch in range(2):
        rows = order[epoch]
        expected = keras_model.fit(x[rows], y[rows], batch_size=16, shuffle=False, verbose=0).history["loss"][0]
        assert losses(1)[epoch] == pytest.approx(expected, rel=1e-6)
    # An epoch has its own order, whichever epoch a training begins with.
    model = case.make()
    first = afield.fit(model, x, y, batch_size=16, epochs=1, verbose=0, seed=1).history["loss"]
    second = afield.fit(model, x, y, batch_size=16, epochs=2, initial_epoch=1, verbose=0, seed=1).history["loss"]
    assert first + second == pytest.approx(losses(1), rel=1e-6)


def test_every_row_is_seen_once_an_epoch() -> None:
    """The loss of a model that cannot learn is the mean over all rows, in whatever order they come."""
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Rescaling(1.0), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    x = np.random.default_rng(0).normal(size=(101, 1))
    for shuffle in (True, False, "batch"):
        history = afield.fit(model, x, np.zeros(101), batch_size=8, shuffle=shuffle, seed=1, verbose=0).history
        assert history["loss"][0] == pytest.approx(float((x**2).mean()), rel=1e-5)


def test_steps_per_epoch_goes_on_in_the_next_epoch() -> None:
    case = TABLE["dense"]
    x, y, _ = case.arrays()
    settings = SETTINGS | {"steps_per_epoch": 2, "epochs": 3}
    one = afield.fit(case.make(), x, y, **settings).history["loss"]
    model = case.make()

    def trained(start: int, end: int) -> float:
        return model.fit(x[start:end], y[start:end], batch_size=16, shuffle=False, verbose=0).history["loss"][0]

    assert one[0] == pytest.approx(trained(0, 32), rel=1e-6)
    assert one[1] == pytest.approx((11 * trained(32, 43) + 16 * trained(0, 16)) / 27, rel=1e-6)
    assert one[2] == pytest.approx((16 * trained(16, 32) + 11 * trained(32, 43)) / 27, rel=1e-6)


def test_the_second_epoch_compiles_nothing() -> None:
    case = TABLE["dense"]
    x, y, _ = case.arrays()
    model = case.make()
    seen: list[int] = []
    count = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(model._afield_steps[1].programs()))
    afield.fit(model, x, y, batch_size=16, epochs=3, validation_data=(x, y), callbacks=[count], verbose=0)
    afield.fit(model, x, y, batch_size=16, epochs=1, validation_data=(x, y), callbacks=[count], verbose=0)
    # Whole batches and the short last one, trained and tested.
    assert seen == [4, 4, 4, 4]
