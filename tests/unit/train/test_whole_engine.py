"""Epochs on dense data that lies on the device mean what Keras means."""

from __future__ import annotations

from typing import Any

import jax
import keras
import numpy as np
import pytest

from afield.preprocess.windows import Windows
from afield.train.compiled.loop import Loop, Plan
from afield.train.compiled.whole import WholeEngine

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(75, 4)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 0).astype(np.int32)


def network(*shape: int, rate: float = 0.01) -> keras.Model:
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.layers.Input(shape),
            keras.layers.Flatten(),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def order(seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(len(X))


def test_equals_keras_with_weights_and_validation() -> None:
    weights = RANDOM.uniform(0.5, 2, len(X)).astype(np.float32)
    engine = WholeEngine(network(4), {"x": X}, Y, ({"x": X[:30]}, Y[:30]), 32, seed=5, row_weights=weights)
    loop = Loop(engine, Plan(epochs=2))
    state = loop.run()
    model = network(4)
    for number, epoch in enumerate(loop.progress.history, 1):
        rows = order(5, number)
        settings: dict[str, Any] = {"batch_size": 32, "shuffle": False, "verbose": 0}
        history = model.fit(X[rows], Y[rows], sample_weight=weights[rows], **settings).history
        assert epoch.loss == pytest.approx(history["loss"][0], rel=1e-6)
        loss, accuracy = model.evaluate(X[:30], Y[:30], verbose=0)
        assert epoch.validation_loss == pytest.approx(loss, rel=1e-5)
        assert epoch.validation_accuracy == pytest.approx(accuracy)
    for ours, theirs in zip(engine.weights(state), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    np.testing.assert_allclose(engine.predict(state, {"x": X}), model.predict(X, verbose=0), atol=1e-6)


def test_windows_are_their_dense_form() -> None:
    values = RANDOM.normal(size=(90, 2)).astype(np.float32)
    windows = Windows(values, RANDOM.integers(0, 87, 75), 3)
    nothing = ({"x": windows.take(np.arange(0))}, Y[:0])
    losses: list[list[float]] = []
    answers: list[np.ndarray] = []
    for features in (windows, windows.dense()):
        engine = WholeEngine(network(3, 2), {"x": features}, Y, nothing, 32, seed=5)
        loop = Loop(engine, Plan(epochs=2))
        state = loop.run()
        losses.append([epoch.loss for epoch in loop.progress.history])
        answers.append(engine.predict(state, {"x": features}))
        assert loop.progress.history[0].validation_loss is None
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-6)


def test_rows_drawn_on_the_device() -> None:
    """A network fed with triplets: anchor, one of the same class, one of another."""

    def draw(key: Any, step: Any) -> Any:
        return jax.random.randint(key, (9,), 0, 40)  # the last 35 rows are never drawn

    def triplets(kept: list[Any]) -> Any:
        def loss(y_true: Any, y_pred: Any) -> Any:
            kept.append(y_pred.shape)
            anchor, same, other = keras.ops.split(y_pred, 3)
            margin = keras.ops.sum((anchor - same) ** 2 - (anchor - other) ** 2, axis=-1)
            return keras.ops.mean(keras.ops.relu(margin + 0.2))

        return loss

    shapes: list[Any] = []
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", triplets(shapes))
    poisoned = np.where(np.arange(75)[:, None] < 40, X, np.nan)
    engine = WholeEngine(model, {"x": poisoned}, Y, ({"x": X[:0]}, Y[:0]), 9, seed=1, draw=draw, steps=7)
    told: list[int] = []
    state, logs = engine.epoch(engine.start(), 1, told.append)
    assert np.isfinite(logs["loss"])
    assert set(shapes) == {(9, 3)}
    assert sum(told) == 63
    other = engine.epoch(engine.start(), 1, told.append)[1]
    assert other == logs
    assert engine.epoch(engine.start(), 2, told.append)[1] != logs
    assert engine.predict(state, {"x": X}).shape == (75, 3)


def test_several_inputs_and_the_learning_rate() -> None:
    left, right = keras.layers.Input((2,), name="left"), keras.layers.Input((2,), name="right")
    joined = keras.layers.Dense(1)(keras.layers.concatenate([left, right]))
    model = keras.Model([left, right], joined)
    model.compile(keras.optimizers.SGD(0.5), "mse", metrics=["mae"])
    features = {"left": X[:, :2], "right": X[:, 2:]}
    targets = X.sum(axis=1, keepdims=True)
    engine = WholeEngine(model, features, targets, (features, targets), 25, seed=1)
    loop = Loop(engine, Plan(epochs=30, plateau=(0.5, 1, 10.0, 0, 0.0)))
    state = loop.run()
    assert loop.progress.history[0].learning_rate == 0.5
    assert engine.learning_rate(state) < 0.1
    assert loop.progress.history[-1].validation_metrics["mae"] < loop.progress.history[0].metrics["mae"]
