"""Keras callbacks in `afield.fit`: they run where Keras runs them, and find the model as Keras leaves it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras_models import TABLE

import afield
from afield.errors import DataError

CASE = TABLE["dense"]
X, Y, _ = CASE.arrays()
SETTINGS: dict[str, Any] = {"batch_size": 16, "shuffle": False, "verbose": 0}


class Recorder(keras.callbacks.Callback):
    """Writes down each call at an epoch, with the first weight that the model has then."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []

    def seen(self, name: str, number: Any, logs: Any) -> None:
        weight = float(np.array(self.model.trainable_variables[0]).ravel()[0])
        shown = {key: round(float(value), 5) for key, value in (logs or {}).items()}
        self.calls.append((name, number, round(weight, 5), int(self.model.optimizer.iterations), shown))

    def on_train_begin(self, logs: Any = None) -> None:
        self.seen("train begin", None, logs)

    def on_train_end(self, logs: Any = None) -> None:
        self.seen("train end", None, logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.seen("epoch begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen("epoch end", epoch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        self.calls.append(("test begin",))

    def on_test_end(self, logs: Any = None) -> None:
        self.calls.append(("test end", sorted(logs or {})))


def test_calls_at_epochs_are_those_of_keras() -> None:
    ours, theirs = Recorder(), Recorder()
    afield.fit(CASE.make(), X, Y, epochs=2, validation_data=(X, Y), callbacks=[ours], **SETTINGS)
    CASE.make().fit(X, Y, epochs=2, validation_data=(X, Y), callbacks=[theirs], **SETTINGS)
    assert ours.calls == theirs.calls


def test_calls_at_batches_are_those_of_keras() -> None:
    class Batches(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.calls: list[Any] = []

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.calls.append(batch)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.calls.append((batch, {name: round(value, 5) for name, value in (logs or {}).items()}))

    class Looks(Batches):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            super().on_train_batch_end(batch, logs)
            self.calls.append(int(self.model.optimizer.iterations))

    ours, theirs, looks = Batches(), Batches(), Looks()
    afield.fit(CASE.make(), X, Y, epochs=2, callbacks=[ours], **SETTINGS)
    CASE.make().fit(X, Y, epochs=2, callbacks=[theirs], **SETTINGS)
    assert ours.calls == theirs.calls
    afield.fit(CASE.make(), X, Y, callbacks=[looks], **SETTINGS)
    assert looks.calls[2::3] == [1, 2, 3]


def test_a_batch_callback_may_change_the_learning_rate_and_stop() -> None:
    class Warm(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = 0.01 * (batch + 1)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = batch == 1

    ours, theirs = CASE.make(), CASE.make()
    one = afield.fit(ours, X, Y, epochs=4, callbacks=[Warm()], **SETTINGS).history
    other = theirs.fit(X, Y, epochs=4, callbacks=[Warm()], **SETTINGS).history
    np.testing.assert_allclose(one["loss"], other["loss"], rtol=1e-6)
    np.testing.assert_allclose(ours.get_weights()[0], theirs.get_weights()[0], atol=1e-6)


def test_steps_per_execution_are_a_call() -> None:
    batches: list[int] = []
    callback = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))
    model = CASE.make()
    model.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=2)
    afield.fit(model, X, Y, batch_size=8, callbacks=[callback], verbose=0, shuffle=False)
    assert batches == [1, 3, 4, 5]  # five whole batches and a short one, which is a program of its own


def test_early_stopping_restores_the_best_weights() -> None:
    noise = np.random.default_rng(5).permutation(Y)

    def run(fit: Any, model: keras.Model) -> tuple[dict[str, list[float]], list[np.ndarray]]:
        stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
        model.optimizer.learning_rate = 0.05
        history = fit(X, Y, epochs=30, validation_data=(X, noise), callbacks=[stop], **SETTINGS).history
        return history, model.get_weights()

    ours, theirs = CASE.make(), CASE.make()
    one, kept = run(lambda *a, **k: afield.fit(ours, *a, **k), ours)
    other, expected = run(theirs.fit, theirs)
    assert 3 <= len(one["loss"]) < 30
    np.testing.assert_allclose(one["val_loss"], other["val_loss"], rtol=1e-5)
    for left, right in zip(kept, expected, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)


def test_callbacks_that_change_and_keep(tmp_path: Path) -> None:
    model = CASE.make()
    weights: list[np.ndarray] = []
    callbacks = [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.01 / (epoch + 1)),
        keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, min_delta=10.0),
        keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True),
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: weights.append(model.get_weights()[0])),
    ]
    history = afield.fit(model, X, Y, epochs=3, callbacks=callbacks, **SETTINGS)
    np.testing.assert_allclose(history.history["learning_rate"], [0.01, 0.005, 0.01 / 3], rtol=1e-6)
    assert model.optimizer.learning_rate.numpy() < 0.001
    for epoch in (1, 3):
        model.load_weights(tmp_path / f"{epoch}.weights.h5")
        np.testing.assert_array_equal(model.get_weights()[0], weights[epoch - 1])
    rows = list(csv.DictReader((tmp_path / "log.csv").read_text().splitlines()))
    np.testing.assert_allclose([float(row["loss"]) for row in rows], history.history["loss"])


def test_the_progress_bar_ends_full(capsys: pytest.CaptureFixture[str]) -> None:
    afield.fit(CASE.make(), X, Y, epochs=2, batch_size=16, verbose=2, validation_data=(X, Y))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2"
    assert lines[1].startswith("3/3 - ")
    assert "val_loss" in lines[1]


def test_a_callback_that_fails_leaves_the_weights_of_the_epoch() -> None:
    class Fails(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise KeyError("mine")

    model, other = CASE.make(), CASE.make()
    with pytest.raises(KeyError, match="mine"):
        afield.fit(model, X, Y, callbacks=[Fails()], **SETTINGS)
    other.fit(X, Y, **SETTINGS)
    np.testing.assert_allclose(model.get_weights()[0], other.get_weights()[0], atol=1e-6)


def runaway(rate: float) -> keras.Model:
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    return model


def test_a_loss_that_runs_away_in_the_first_epoch_is_an_error() -> None:
    model = runaway(1e30)
    with pytest.raises(DataError) as raised:
        afield.fit(model, np.ones((64, 1)), np.zeros(64), epochs=4, verbose=0)
    assert str(raised.value) == (
        "epoch 1: the loss is inf, no longer a number; the model keeps the weights from before this epoch;"
        " lower the optimizer's learning_rate, or give it a clipnorm"
    )
    assert model.get_weights()[0] == 1
    assert len(model.history.history["loss"]) == 1


def test_a_loss_that_runs_away_later_keeps_the_last_good_weights() -> None:
    model = runaway(0.0)
    rates = keras.callbacks.LearningRateScheduler(lambda epoch, _: 1e30 if epoch == 2 else 0.1)
    weights: list[np.ndarray] = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: weights.append(model.get_weights()[0]))
    with pytest.warns(RuntimeWarning, match="epoch 3: the loss is inf, no longer a number; the model"):
        history = afield.fit(model, np.ones((64, 1)), np.zeros(64), epochs=9, verbose=0, callbacks=[rates, keep])
    assert len(history.history["loss"]) == 3
    np.testing.assert_array_equal(model.get_weights()[0], weights[1])
    assert np.isfinite(model.predict(np.ones((2, 1)), verbose=0)).all()
