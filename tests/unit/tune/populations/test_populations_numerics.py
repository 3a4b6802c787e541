"""Each member of a population ends where `afield.fit` ends with the same network alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest

import afield
from afield.tune.populations import Population, grouped

L = keras.layers
RULES = keras.optimizers
ROWS, BATCH, EPOCHS = 32, 16, 2
WIDTHS = (4, 7)
DROPOUTS = (0.0, 0.6)
RATES = (1e-2, 3e-3)
SEEDS = (1, 2)


@dataclass(frozen=True)
class Case:
    """A network and what it is trained with.

    Args:
        layers: (width, dropout rate) -> layers from the input to the last but one.
        optimizer: learning rate -> optimizer.
        x: what enters.
        atol: how near the numbers must be; less where a kernel of Afield's own takes part.
    """

    layers: Callable[[int, float], list[Any]]
    optimizer: Callable[[float], keras.optimizers.Optimizer]
    x: np.ndarray
    atol: float = 1e-6

    def make(self, width: int, dropout: float, rate: float, seed: int) -> keras.Model:
        """The network, compiled, with the weights that the seed gives."""
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([*self.layers(width, dropout), L.Dense(3, activation="softmax")])
        model.compile(self.optimizer(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


RANDOM = np.random.default_rng(7)
NUMBERS = RANDOM.normal(size=(ROWS, 6)).astype(np.float32)
WINDOWS = RANDOM.normal(size=(ROWS, 5, 3)).astype(np.float32)
WORDS = RANDOM.integers(0, 11, (ROWS, 5)).astype(np.int32)
Y = RANDOM.integers(0, 3, ROWS).astype(np.int32)


def _dense(width: int, dropout: float) -> list[Any]:
    return [L.Input((6,)), L.Dense(width, activation="relu"), L.Dropout(dropout), L.Dense(2 * width, activation="tanh")]


CASES: dict[str, Case] = {
    "dense, adam": Case(_dense, RULES.Adam, NUMBERS),
    "dense, adamw": Case(_dense, lambda rate: RULES.AdamW(rate, weight_decay=10 * rate, clipnorm=1.0), NUMBERS),
    "dense, momentum": Case(_dense, lambda rate: RULES.SGD(rate, momentum=0.9, nesterov=True), NUMBERS),
    "dense, rmsprop": Case(_dense, lambda rate: RULES.RMSprop(rate, momentum=0.5, centered=True), NUMBERS),
    "dense, adagrad": Case(_dense, RULES.Adagrad, NUMBERS),
    "dense, nadam": Case(_dense, RULES.Nadam, NUMBERS),
    "dense, cosine": Case(
        _dense, lambda rate: RULES.SGD(RULES.schedules.CosineDecay(rate, decay_steps=3, alpha=0.1)), NUMBERS
    ),
    "dense, average of weights": Case(_dense, lambda rate: RULES.Adam(rate, use_ema=True), NUMBERS),
    "activations that are not zero at zero": Case(
        lambda w, d: [
            L.Input((6,)),
            L.Dense(w, activation="sigmoid"),
            L.Dropout(d),
            L.Dense(w),
            L.Activation("softplus"),
        ],
        RULES.Adam,
        NUMBERS,
    ),
    "batch norm, penalties": Case(
        lambda w, d: [
            L.Input((6,)),
            # A bias before a batch norm has a gradient of rounding errors alone, which Adam would blow up.
            L.Dense(w, use_bias=False, kernel_regularizer="l2", activity_regularizer="l1"),
            L.BatchNormalization(),
            L.ReLU(),
            L.Dropout(d),
        ],
        lambda rate: RULES.SGD(rate, momentum=0.9, weight_decay=rate),
        NUMBERS,
    ),
    "embedding, mean": Case(
        lambda w, d: [L.Input((5,), dtype="int32"), L.Embedding(11, w), L.Dropout(d), L.GlobalAveragePooling1D()],
        RULES.RMSprop,
        WORDS,
    ),
    "embedding, flat": Case(
        lambda w, d: [L.Input((5,), dtype="int32"), L.Embedding(11, w), L.Flatten(), L.Dropout(d), L.Dense(w)],
        RULES.AdamW,
        WORDS,
    ),
    "lstm": Case(
        lambda w, d: [L.Input((5, 3)), L.LSTM(w, return_sequences=True), L.Dropout(d), L.LSTM(2 * w)],
        RULES.Adam,
        WINDOWS,
        1e-5,
    ),
    "gru": Case(
        lambda w, d: [L.Input((5, 3)), L.GRU(w, return_sequences=True), L.Dropout(d), L.GRU(w), L.BatchNormalization()],
        lambda rate: RULES.SGD(rate, momentum=0.9),
        WINDOWS,
        1e-5,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_weights_and_results(name: str) -> None:
    case = CASES[name]
    members = list(zip(WIDTHS, DROPOUTS, RATES, SEEDS, strict=True))
    models = [case.make(*member) for member in members]
    (group,) = grouped(models)
    population = Population(group.models, case.x, Y, batch_size=BATCH, seeds=SEEDS)
    state, logs = population.start(), {}
    for number in range(EPOCHS):
        state, logs = population.epoch(state, number)
    for place, (member, seed) in enumerate(zip(members, SEEDS, strict=True)):
        alone = case.make(*member)
        history = afield.fit(alone, case.x, Y, batch_size=BATCH, epochs=EPOCHS, seed=seed, verbose=0).history
        expected = alone.get_weights()
        alone.set_weights(population.weights(state, place))
        for found, other in zip(alone.get_weights(), expected, strict=True):
            np.testing.assert_allclose(found, other, atol=case.atol)
        for key, values in history.items():
            np.testing.assert_allclose(logs[key][place], values[-1], rtol=case.atol, atol=case.atol, err_msg=key)
