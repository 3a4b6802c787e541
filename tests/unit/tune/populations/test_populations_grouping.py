"""Networks share a program where they may, and never where a member's numbers would not be its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
from keras_models import TABLE

from afield.tune.populations import grouped

L = keras.layers


def network(*layers: Any, shape: tuple[int, ...] = (6,), optimizer: Any = None, **compiled: Any) -> keras.Model:
    model = keras.Sequential([L.Input(shape), *layers])
    model.compile(optimizer or keras.optimizers.Adam(1e-3), **{"loss": "mse"} | compiled)
    return model


def dense(**arguments: Any) -> keras.Model:
    return network(L.Dense(**{"units": 8, "activation": "relu"} | arguments), L.Dropout(0.2), L.Dense(1))


def trained_with(optimizer: Any, units: int = 8) -> keras.Model:
    return network(L.Dense(units), L.Dense(1), optimizer=optimizer)


def functional(name: str) -> keras.Model:
    left, right = L.Input((4,), name=name), L.Input((4,), name="right")
    model = keras.Model([left, right], L.Dense(1)(L.concatenate([L.Dense(3)(left), right])))
    model.compile("adam", "mse")
    return model


def penalty(values: Any) -> Any:
    return keras.ops.sum(values)


def excluding() -> keras.Model:
    model = trained_with(keras.optimizers.AdamW())
    model.optimizer.exclude_from_weight_decay(var_names=["bias"])
    return model


Pair = Callable[[], tuple[keras.Model, keras.Model]]
TOGETHER: dict[str, Pair] = {
    "seeds": lambda: (dense(), dense()),
    "learning rate": lambda: (trained_with(keras.optimizers.SGD(0.1)), trained_with(keras.optimizers.SGD(0.2))),
    "weight decay": lambda: (
        trained_with(keras.optimizers.AdamW(0.1, weight_decay=0.1)),
        trained_with(keras.optimizers.AdamW(0.1, weight_decay=0.2)),
    ),
    "dropout rate": lambda: (network(L.Dense(8), L.Dropout(0.0)), network(L.Dense(8), L.Dropout(0.5))),
    "width": lambda: (dense(), dense(units=5)),
    "initial weights": lambda: (dense(), dense(kernel_initializer="he_normal")),
    "names of layers": lambda: (dense(name="one"), dense(name="other")),
    "names of metrics": lambda: (
        network(L.Dense(1), metrics=[keras.metrics.AUC()]),
        network(L.Dense(1), metrics=[keras.metrics.AUC()]),
    ),
}
APART: dict[str, Pair] = {
    "depth": lambda: (dense(), network(L.Dense(8, activation="relu"), L.Dense(1))),
    "activation": lambda: (dense(), dense(activation="tanh")),
    "penalty": lambda: (dense(), dense(kernel_regularizer="l2")),
    "loss": lambda: (dense(), network(L.Dense(8, activation="relu"), L.Dropout(0.2), L.Dense(1), loss="mae")),
    "optimizer": lambda: (trained_with(keras.optimizers.Adam()), trained_with(keras.optimizers.SGD())),
    "momentum": lambda: (
        trained_with(keras.optimizers.SGD(momentum=0.5)),
        trained_with(keras.optimizers.SGD(momentum=0.9)),
    ),
    "frozen": lambda: (dense(), dense(trainable=False)),
    "type of numbers": lambda: (dense(), dense(dtype="mixed_bfloat16")),
    "weights without decay": lambda: (trained_with(keras.optimizers.AdamW()), excluding()),
    "names of inputs": lambda: (functional("left"), functional("other")),
    "a function of one's own": lambda: (dense(kernel_regularizer=penalty), dense(kernel_regularizer=penalty)),
    "a step of one's own": lambda: (TABLE["logs of one's own"].make(), TABLE["logs of one's own"].make()),
    "width of the answer": lambda: (network(L.Dense(2)), network(L.Dense(3))),
    "width before a layer norm": lambda: (
        network(L.Dense(8), L.LayerNormalization(), L.Dense(1)),
        network(L.Dense(5), L.LayerNormalization(), L.Dense(1)),
    ),
    "width of what is drawn with noise": lambda: (
        network(L.Dense(8), L.GaussianNoise(0.1), L.Dense(1)),
        network(L.Dense(5), L.GaussianNoise(0.1), L.Dense(1)),
    ),
    "width of a softmax": lambda: (
        network(L.Dense(8, activation="softmax"), L.Dense(1)),
        network(L.Dense(5, activation="softmax"), L.Dense(1)),
    ),
    "width of a recurrence with dropout": lambda: (
        network(L.LSTM(8, dropout=0.1), L.Dense(1), shape=(5, 3)),
        network(L.LSTM(5, dropout=0.1), L.Dense(1), shape=(5, 3)),
    ),
    "width, with an optimizer that looks at whole matrices": lambda: (
        trained_with(keras.optimizers.Adafactor()),
        trained_with(keras.optimizers.Adafactor(), units=5),
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_networks_that_share_a_program(name: str) -> None:
    assert [group.places for group in grouped(TOGETHER[name]())] == [(0, 1)]


@pytest.mark.parametrize("name", APART)
def test_networks_that_do_not(name: str) -> None:
    assert [group.places for group in grouped(APART[name]())] == [(0,), (1,)]


def test_groups_stand_in_the_order_of_their_first() -> None:
    models = [dense(), dense(activation="tanh"), dense(units=3), dense(activation="tanh", units=9)]
    groups = grouped(models)
    assert [group.places for group in groups] == [(0, 2), (1, 3)]
    assert groups[1].models == (models[1], models[3])
    assert grouped([]) == []
