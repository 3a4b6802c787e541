"""Small Keras models of many kinds, each with data that it can be trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

ROWS = 43
"""Not a multiple of the batch size, so that the last batch is short."""


@dataclass(frozen=True)
class Case:
    """One row of the table of models x losses x optimizers x metrics."""

    model: Callable[[], keras.Model]
    data: Callable[[np.random.Generator], tuple[Any, Any]]
    compiled: Callable[[], dict[str, Any]]
    fitted: Callable[[np.random.Generator], dict[str, Any]] = field(default=lambda _: {})

    def make(self) -> keras.Model:
        """The model with its first weights, compiled."""
        keras.utils.set_random_seed(3)
        model = self.model()
        model.compile(**self.compiled())
        return model

    def arrays(self) -> tuple[Any, Any, dict[str, Any]]:
        """x, y, and further arguments of the fit."""
        random = np.random.default_rng(7)
        return *self.data(random), self.fitted(random)


def numbers(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda random: random.normal(size=(ROWS, *shape)).astype(np.float32)


def classes(count: int, *shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda random: random.integers(0, count, (ROWS, *shape)).astype(np.int32)


def both(x: Callable[..., Any], y: Callable[..., Any]) -> Callable[[np.random.Generator], tuple[Any, Any]]:
    return lambda random: (x(random), y(random))


def stack(shape: tuple[int, ...], *layers: Callable[[], keras.layers.Layer]) -> Callable[[], keras.Model]:
    return lambda: keras.Sequential([keras.layers.Input(shape), *(layer() for layer in layers)])


def dense(units: int, activation: str | None = None, **arguments: Any) -> Callable[[], keras.layers.Layer]:
    return lambda: keras.layers.Dense(units, activation=activation, **arguments)


def compiled(optimizer: Callable[[], Any], loss: Any, metrics: Callable[[], list[Any]] = list, **arguments: Any):
    return lambda: {"optimizer": optimizer(), "loss": loss, "metrics": metrics(), **arguments}


def _two_inputs() -> keras.Model:
    left, right = keras.layers.Input((4,), name="left"), keras.layers.Input((3,), name="right")
    joined = keras.layers.concatenate([keras.layers.Dense(5)(left), right])
    return keras.Model([left, right], keras.layers.Dense(1)(joined))


def _two_outputs() -> keras.Model:
    entering = keras.layers.Input((4,))
    middle = keras.layers.Dense(6, activation="relu")(entering)
    outputs = {
        "kind": keras.layers.Dense(3, activation="softmax", name="kind")(middle),
        "value": keras.layers.Dense(1, name="value")(middle),
    }
    return keras.Model(entering, outputs)


@keras.saving.register_keras_serializable("tests")
class Watched(keras.Model):
    """Adds a loss of its own, and a metric that only its training step updates."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = keras.layers.Dense(4, activity_regularizer="l2")
        self.last = keras.layers.Dense(1)
        self.spread = keras.metrics.Mean(name="spread")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.last(self.inner(x))

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, **more: Any):
        self.spread.update_state(keras.ops.std(y_pred))
        return super().compute_loss(x, y, y_pred, sample_weight, **more)


class OwnStep(keras.Model):
    """Has a training step of its own, whose logs are no metrics of the model."""

    def __init__(self) -> None:
        super().__init__()
        self.last = keras.layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.last(x)

    def train_step(self, state: Any, data: Any) -> Any:
        logs, state = super().train_step(state, data)
        return logs | {"twice": 2 * logs["loss"]}, state


class Largest(keras.metrics.Metric):
    """The largest answer so far."""

    def __init__(self) -> None:
        super().__init__(name="largest")
        self.value = self.add_weight(shape=(), initializer="zeros", name="value")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.value.assign(keras.ops.maximum(self.value, keras.ops.max(y_pred)))

    def result(self) -> Any:
        return keras.ops.convert_to_tensor(self.value)


def fourth_power(y_true: Any, y_pred: Any) -> Any:
    """A loss that is a function."""
    return keras.ops.mean((y_true - y_pred) ** 4, axis=-1)


def _bfloat16() -> keras.Model:
    policy = "mixed_bfloat16"
    return keras.Sequential(
        [
            keras.layers.Input((6,)),
            keras.layers.Dense(8, activation="relu", dtype=policy),
            keras.layers.Dense(3, activation="softmax", dtype="float32"),
        ]
    )


def optimizer(name: str, **arguments: Any) -> Callable[[], Any]:
    """Makes a new optimizer each time."""
    return lambda: getattr(keras.optimizers, name)(**arguments)


K = keras.layers
TABLE: dict[str, Case] = {
    "dense": Case(
        stack((6,), dense(8, "relu"), dense(3, "softmax")),
        both(numbers(6), classes(3)),
        compiled(optimizer("Adam"), "sparse_categorical_crossentropy", lambda: ["accuracy"]),
    ),
    "dropout": Case(
        stack((6,), dense(8, "relu"), lambda: K.Dropout(0.4), dense(1, "sigmoid")),
        both(numbers(6), classes(2, 1)),
        compiled(optimizer("RMSprop"), "binary_crossentropy", lambda: ["accuracy", keras.metrics.AUC(name="auc")]),
    ),
    "batch norm": Case(
        stack((6,), lambda: K.BatchNormalization(), dense(4), lambda: K.BatchNormalization(), dense(1)),
        both(numbers(6), numbers(1)),
        compiled(optimizer("SGD", learning_rate=0.05, momentum=0.9, nesterov=True), "mse", lambda: ["mae"]),
    ),
    "embedding": Case(
        stack((5,), lambda: K.Embedding(11, 4), lambda: K.GlobalAveragePooling1D(), dense(3, "softmax")),
        both(classes(11, 5), classes(3)),
        compiled(optimizer("Nadam"), "sparse_categorical_crossentropy", lambda: ["accuracy"]),
    ),
    "conv": Case(
        stack(
            (6, 6, 1),
            lambda: K.Conv2D(3, 3, activation="relu"),
            lambda: K.MaxPooling2D(),
            lambda: K.Flatten(),
            dense(3, "softmax"),
        ),
        both(
            lambda random: random.integers(0, 255, (ROWS, 6, 6, 1)).astype(np.uint8),
            lambda random: np.eye(3, dtype=np.float64)[random.integers(0, 3, ROWS)],
        ),
        compiled(optimizer("AdamW", clipnorm=1.0), "categorical_crossentropy", lambda: [keras.metrics.F1Score()]),
    ),
    "two inputs": Case(
        _two_inputs,
        both(lambda random: {"left": numbers(4)(random), "right": numbers(3)(random)}, numbers(1)),
        compiled(optimizer("Adagrad"), keras.losses.Huber(), lambda: [keras.metrics.R2Score()]),
    ),
    "two outputs": Case(
        _two_outputs,
        both(numbers(4), lambda random: {"kind": classes(3)(random), "value": numbers(1)(random)}),
        lambda: {
            "optimizer": keras.optimizers.Adamax(),
            "loss": {"kind": "sparse_categorical_crossentropy", "value": "mse"},
            "loss_weights": {"kind": 1.0, "value": 0.3},
            "metrics": {"kind": ["accuracy"], "value": ["mae"]},
        },
    ),
    "a loss and a metric of one's own": Case(
        stack((4,), dense(3, "tanh", kernel_regularizer="l2"), dense(1)),
        both(numbers(4), numbers(1)),
        compiled(optimizer("Lion", learning_rate=1e-3), fourth_power, lambda: [Largest()]),
    ),
    "a metric of the training step": Case(
        Watched, both(numbers(4), numbers(1)), compiled(optimizer("Ftrl", learning_rate=0.01), "mse")
    ),
    "logs of one's own": Case(OwnStep, both(numbers(4), numbers(1)), compiled(optimizer("Adadelta"), "mse")),
    "weights of rows": Case(
        stack((4,), dense(1)),
        both(numbers(4), numbers(1)),
        compiled(optimizer("Adafactor"), "mse", weighted_metrics=["mae"]),
        lambda random: {"sample_weight": random.uniform(0, 2, ROWS)},
    ),
    "weights of classes": Case(
        stack((4,), dense(3, "softmax")),
        both(numbers(4), classes(3)),
        compiled(
            lambda: keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 9)),
            "sparse_categorical_crossentropy",
            weighted_metrics=["accuracy"],
        ),
        lambda _: {"class_weight": {0: 1.0, 1: 3.0}},
    ),
    "moving average of weights": Case(
        stack((4,), dense(1)),
        both(numbers(4), numbers(1)),
        compiled(optimizer("Adam", use_ema=True, ema_momentum=0.8, gradient_accumulation_steps=2), "mse"),
    ),
    "mixed precision": Case(
        _bfloat16,
        both(numbers(6), classes(3)),
        compiled(optimizer("Adam"), "sparse_categorical_crossentropy", lambda: ["accuracy"]),
    ),
}
RECURRENT: dict[str, Case] = {
    name: Case(
        stack((5, 3), lambda layer=layer: layer(4), dense(1)),
        both(numbers(5, 3), numbers(1)),
        compiled(optimizer("Adam"), "mse"),
    )
    for name, layer in (("lstm", K.LSTM), ("gru", K.GRU))
}
"""Here a kernel of Afield's own takes Keras's place, and sums are rounded in another order."""
