"""Keras on each of its backends, and Afield on the same Keras model."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from peers.networks import EPSILON, RATE, Layer, Network
from peers.turns import Turns


def built(shape: tuple[int, ...], layers: tuple[Layer, ...]) -> keras.Model:
    """The network as a Keras model."""
    made: list = [keras.layers.Input(shape)]
    for kind, *arguments in layers:
        if kind == "batch_norm":
            made.append(keras.layers.BatchNormalization())
        elif kind == "lstm":
            made.append(keras.layers.LSTM(arguments[0], return_sequences=arguments[1]))
        else:
            made.append(keras.layers.Dense(arguments[0], activation=arguments[1]))
    return keras.Sequential(made)


def train(network: Network, turns: Turns, fit: Callable, sync: Callable[[], object]) -> Callable:
    """Trains while there are turns; one call of `fit`, which each epoch is a turn of.

    Args:
        network: what to train.
        turns: when.
        fit: `keras.Model.fit`, or one with its arguments.
        sync: waits until the device has done its work.

    Returns:
        x -> probabilities.
    """

    class Pause(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            sync()
            self.model.stop_training = not turns.ended()

    x, y = network.data(1)
    keras.utils.set_random_seed(1)
    model = built(network.shape, network.layers)
    model.compile(
        keras.optimizers.Adam(RATE, epsilon=EPSILON),
        "binary_crossentropy" if network.binary else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    turns.begin()
    fit(model, x, y, batch_size=network.batch, epochs=1_000_000, callbacks=[Pause()], verbose=0)
    return lambda rows: model.predict(rows, verbose=0)


def one_row(shape: tuple[int, ...], layers: tuple[Layer, ...], row: np.ndarray) -> Callable[[], object]:
    """Answers one row, float32[1, *shape], by `predict_on_batch`."""
    model = built(shape, layers)
    return lambda: model.predict_on_batch(row)
