"""Many training steps as one compiled program, built around Keras's own step.

The first dense layer on sparse rows is trained on the batch-local vocabulary: a step gathers the kernel's rows (and
the optimizer's slots of these rows) that its batch touches, runs Keras's `train_step` on a network whose input is only
these columns, and scatters the rows back. Work and memory traffic of a step grow with the entries of the batch, never
with the vocabulary. What differs from Keras's dense layer: rows that a batch does not touch keep their value and their
optimizer slots (as in PyTorch's SparseAdam), and weight decay and kernel regularisation act on touched rows only. With
`exact=True` every step sees all columns, with Keras's numerics.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np

from afield.errors import UseCaseError
from afield.train.compiled.batches import Steps
from afield.train.compiled.rates import rate_of, with_rate

LAZY_OPTIMIZERS = frozenset(
    {"SGD", "Adam", "AdamW", "Adamax", "Nadam", "RMSprop", "Adagrad", "Adadelta", "Ftrl", "Lion"}
)
"""Keras optimizers whose update of a row depends on that row alone."""


class State(NamedTuple):
    """All that training changes.

    Args:
        tables: float32[V, H] each: the first kernel, then the optimizer's slots of it.
        trainable: the other trainable variables.
        rest: non-trainable variables (moving statistics, seeds of dropout).
        optimizer: the other optimizer variables.
    """

    tables: tuple[Any, ...]
    trainable: tuple[Any, ...]
    rest: tuple[Any, ...]
    optimizer: tuple[Any, ...]


class Program:
    """Compiled epochs of one network, for steps of one number of columns.

    Args:
        build: makes the compiled Keras network for a number of input columns; its first layer is dense.
        columns: columns that a step sees (U), or all of them where `exact`.
        width: columns of the sparse rows (V).
        targets: [N, ...]; answers like those of the steps.
        exact: no batch-local vocabulary.
    """

    def __init__(
        self, build: Callable[[int], keras.Model], columns: int, width: int, targets: np.ndarray, *, exact: bool
    ) -> None:
        self.columns = columns
        self.width = width
        self.exact = exact
        self.model = build(columns)
        self._kernel = self.model.layers[0].kernel
        sample = (np.zeros((2, columns), np.float32), np.zeros((2, *targets.shape[1:]), targets.dtype))
        # Keras has no public way to build the metrics without a fit.
        self.model._symbolic_build(data_batch=sample)  # pyright: ignore[reportPrivateUsage]
        optimizer = self.model.optimizer
        if not exact and type(optimizer).__name__ not in LAZY_OPTIMIZERS:
            raise UseCaseError(
                f"train.optimizer: {type(optimizer).__name__} looks at whole matrices, which a batch-local vocabulary"
                f" does not have; expected one of {', '.join(sorted(LAZY_OPTIMIZERS))}, or set train.exact: true"
            )
        self._first = next(i for i, v in enumerate(self.model.trainable_variables) if v is self._kernel)
        stem = self._kernel.path.replace("/", "_") + "_"
        self._slots = [i for i, v in enumerate(optimizer.variables) if v.path.split("/")[-1].startswith(stem)]
        self._metrics = tuple(v.value for v in self.model.metrics_variables)
        self._train = jax.jit(self._train_steps, donate_argnums=0)
        self._test = jax.jit(self._test_steps)
        self._predict = jax.jit(self._predict_steps)

    def start(self) -> State:
        """The state before the first step: the kernel is drawn for all columns, as Keras would draw it.

        All of it is copied, as training takes over the memory of the state it is given.
        """
        layer, optimizer = self.model.layers[0], self.model.optimizer
        kernel = self._kernel.value if self.exact else layer.kernel_initializer((self.width, self._kernel.shape[1]))
        slots = [self._slot(optimizer.variables[i].value) for i in self._slots]
        state = State(
            tables=(kernel, *slots),
            trainable=tuple(v.value for i, v in enumerate(self.model.trainable_variables) if i != self._first),
            rest=tuple(v.value for v in self.model.non_trainable_variables),
            optimizer=tuple(v.value for i, v in enumerate(optimizer.variables) if i not in self._slots),
        )
        return jax.tree.map(jnp.array, state)

    def _slot(self, local: Any) -> Any:
        # Slots start with one value everywhere (0, or Adagrad's initial accumulator).
        return jnp.full((self.width, *local.shape[1:]), local.ravel()[0], local.dtype)

    def train(self, state: State, steps: Steps, metrics: Any = None) -> tuple[State, Any, dict[str, Any]]:
        """Runs the steps; the given state must not be used afterwards.

        Returns:
            The new state, the running metrics to pass to the next call of this epoch, and the metrics' values so far.
        """
        return self._train(state, metrics or self._metrics, _arrays(steps), steps.count)

    def test(self, state: State, steps: Steps, metrics: Any = None) -> tuple[Any, dict[str, Any]]:
        """Loss and metrics of the steps, without training."""
        return self._test(state, metrics or self._metrics, _arrays(steps), steps.count)

    def predict(self, state: State, steps: Steps) -> np.ndarray:
        """Probabilities, float32[S x B, C]."""
        answers = np.asarray(self._predict(state, _arrays(steps)))[: steps.count]
        return answers.reshape(-1, answers.shape[-1])

    def learning_rate(self, state: State) -> float:
        """The rate that the next step will use."""
        return rate_of(self.model.optimizer, self._others(), state.optimizer)

    def set_learning_rate(self, state: State, value: float) -> State:
        """The state with another learning rate."""
        return state._replace(optimizer=with_rate(self._others(), state.optimizer, value))

    def _others(self) -> list[Any]:
        return [v for i, v in enumerate(self.model.optimizer.variables) if i not in self._slots]

    def weights(self, state: State) -> list[np.ndarray]:
        """Trained weights in the order of the network's layers, the first kernel with all columns."""
        trainable = list(state.trainable)
        trainable.insert(self._first, state.tables[0])
        values = dict(zip(map(id, self.model.trainable_variables), trainable, strict=True))
        values |= dict(zip(map(id, self.model.non_trainable_variables), state.rest, strict=True))
        return [np.asarray(values[id(v)]) for v in self.model.weights]

    def _local(self, state: State, columns: Any) -> tuple[list[Any], list[Any], list[Any]]:
        tables = state.tables
        if not self.exact:
            tables = [t.at[columns].get(mode="fill", fill_value=0, unique_indices=True) for t in tables]
        trainable = list(state.trainable)
        trainable.insert(self._first, tables[0])
        optimizer = list(state.optimizer)
        for place, table in zip(self._slots, tables[1:], strict=True):
            optimizer.insert(place, table)
        return list(tables), trainable, optimizer

    def _inputs(self, step: dict[str, Any]) -> Any:
        rows = step["targets"].shape[0]
        return jnp.zeros((rows, self.columns), jnp.float32).at[step["row"], step["slot"]].add(step["weight"])

    def _data(self, step: dict[str, Any]) -> tuple[Any, ...]:
        data = (self._inputs(step), step["targets"])
        return (*data, step["row_weights"]) if "row_weights" in step else data

    def _train_step(self, state: State, metrics: Any, step: dict[str, Any]) -> tuple[State, Any, dict[str, Any]]:
        _, trainable, optimizer = self._local(state, step["columns"])
        logs, (trainable, rest, optimizer, metrics) = self.model.train_step(
            (trainable, list(state.rest), optimizer, list(metrics)), self._data(step)
        )
        trainable, optimizer = list(trainable), list(optimizer)
        changed = [trainable.pop(self._first), *(optimizer[i] for i in self._slots)]
        optimizer = [v for i, v in enumerate(optimizer) if i not in self._slots]
        if not self.exact:
            changed = [
                table.at[step["columns"]].set(rows, mode="drop", unique_indices=True)
                for table, rows in zip(state.tables, changed, strict=True)
            ]
        return State(tuple(changed), tuple(trainable), tuple(rest), tuple(optimizer)), tuple(metrics), logs

    def _train_steps(self, state: State, metrics: Any, steps: dict[str, Any], count: Any) -> Any:
        logs = jax.eval_shape(self._train_step, state, metrics, _at(steps, 0))[2]
        return jax.lax.fori_loop(
            0,
            count,
            lambda i, carry: self._train_step(carry[0], carry[1], _at(steps, i)),
            (state, metrics, jax.tree.map(lambda log: jnp.zeros(log.shape, log.dtype), logs)),
        )

    def _test_steps(self, state: State, metrics: Any, steps: dict[str, Any], count: Any) -> Any:
        def body(i: Any, carry: Any) -> Any:
            step = _at(steps, i)
            _, trainable, _ = self._local(state, step["columns"])
            logs, (_, _, metrics) = self.model.test_step(
                (trainable, list(state.rest), list(carry[0])), self._data(step)
            )
            return tuple(metrics), logs

        logs = jax.eval_shape(partial(body, 0), (metrics, {}))[1]
        return jax.lax.fori_loop(
            0, count, body, (metrics, jax.tree.map(lambda log: jnp.zeros(log.shape, log.dtype), logs))
        )

    def _predict_steps(self, state: State, steps: dict[str, Any]) -> Any:
        def body(carry: Any, step: dict[str, Any]) -> Any:
            _, trainable, _ = self._local(state, step["columns"])
            answers, *_ = self.model.stateless_call(trainable, list(state.rest), self._inputs(step), training=False)
            return carry, answers

        return jax.lax.scan(body, 0, steps)[1]


def _arrays(steps: Steps) -> dict[str, Any]:
    arrays = {
        "columns": steps.columns,
        "row": steps.row,
        "slot": steps.slot,
        "weight": steps.weight,
        "targets": steps.targets,
    }
    return arrays if steps.row_weights is None else arrays | {"row_weights": steps.row_weights}


def _at(steps: dict[str, Any], i: Any) -> dict[str, Any]:
    return {name: jax.lax.dynamic_index_in_dim(array, i, keepdims=False) for name, array in steps.items()}
