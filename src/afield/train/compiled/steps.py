"""Many training steps of any Keras model as one compiled program, built around Keras's own step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras

from afield.train.compiled.placing import gather
from afield.train.compiled.products import narrow_products
from afield.train.compiled.recurrent import fast_recurrence

Draw = Callable[[Any, Any], Any]
"""(random key, number of the step) -> int32[B], the rows of the step; traced into the program."""


class ModelState(NamedTuple):
    """All that training changes, apart from the metrics.

    Args:
        trainable: trainable variables.
        rest: non-trainable variables (moving statistics, seeds of dropout).
        optimizer: variables of the optimizer.
    """

    trainable: tuple[Any, ...]
    rest: tuple[Any, ...]
    optimizer: tuple[Any, ...]


class Steps:
    """Compiled steps of one model, on data that lies on the device.

    A call runs the steps `first` to `last` of an order; both are numbers that the program is given, so that a whole
    epoch, a piece of it and a single step are one compiled program. Shapes of another batch size are another one.

    Args:
        model: a compiled model whose variables, metrics and optimizer are built.
        draw: makes the rows of a step on the device; the `order` of a call is then a random key.
    """

    def __init__(self, model: keras.Model, draw: Draw | None = None) -> None:
        self.model = model
        self._draw = draw
        self._train = jax.jit(self.train_steps, donate_argnums=(0, 1), compiler_options=options())
        self._test = jax.jit(self.test_steps, compiler_options=options())
        self._predict = jax.jit(self._predict_batch)
        self.copy: Callable[[Any], Any] = jax.jit(lambda tree: jax.tree.map(jnp.copy, tree))

    def train(
        self, state: ModelState, metrics: Any, data: Any, order: Any, first: int, last: int
    ) -> tuple[ModelState, Any, dict[str, Any]]:
        """Trains; the given state and metrics must not be used afterwards.

        Args:
            state: before the first of these steps.
            metrics: values of the metric variables.
            data: structure (x, y, weights) as `place` gave it.
            order: int32[S, B], rows of each step; or a random key, where rows are drawn.
            first: the first step to run.
            last: the step after the last one to run.

        Returns:
            State, metric variables, and the metrics' values so far.
        """
        return self._train(state, metrics, data, order, first, last)

    def test(
        self, state: ModelState, metrics: Any, data: Any, order: Any, first: int, last: int
    ) -> tuple[ModelState, Any, dict[str, Any]]:
        """The same without training."""
        return self._test(state, metrics, data, order, first, last)

    def predict(self, state: ModelState, x: Any) -> Any:
        """What the model answers to one batch."""
        return self._predict(state, x)

    def programs(self) -> int:
        """Programs compiled so far."""
        functions: list[Any] = [self._train, self._test]
        return sum(function._cache_size() for function in functions)

    def train_steps(self, state: ModelState, metrics: Any, data: Any, order: Any, first: Any, last: Any) -> Any:
        """What `train` compiles, to be traced in another program."""

        def step(state: ModelState, metrics: Any, rows: Any) -> Any:
            logs, (*new, metrics) = self.model.train_step((*map(list, state), list(metrics)), gather(data, rows))
            return ModelState(*map(tuple, new)), tuple(metrics), logs

        own = self._own("train_step")
        # A step of one's own may differentiate in a way that the products do not allow.
        with fast_recurrence(), nullcontext() if own else narrow_products():
            return self._loop(step, state, metrics, order, first, last, own=own)

    def test_steps(self, state: ModelState, metrics: Any, data: Any, order: Any, first: Any, last: Any) -> Any:
        """What `test` compiles, to be traced in another program."""

        def step(state: ModelState, metrics: Any, rows: Any) -> Any:
            logs, (_, rest, metrics) = self.model.test_step(
                (list(state.trainable), list(state.rest), list(metrics)), gather(data, rows)
            )
            return state._replace(rest=tuple(rest)), tuple(metrics), logs

        with fast_recurrence():
            return self._loop(step, state, metrics, order, first, last, own=self._own("test_step"))

    def _loop(
        self, step: Any, state: ModelState, metrics: Any, order: Any, first: Any, last: Any, *, own: bool
    ) -> tuple[ModelState, Any, dict[str, Any]]:
        def rows(i: Any) -> Any:
            # Drawn rows come with a random key; validation has an order always.
            if self._draw is None or not jnp.issubdtype(order.dtype, jax.dtypes.prng_key):
                return jax.lax.dynamic_index_in_dim(order, i, keepdims=False)
            return self._draw(jax.random.fold_in(order, i), i)

        if not own:
            # Logs that follow from the metric variables are not carried along: computing them once is enough.
            state, metrics = jax.lax.fori_loop(first, last, lambda i, c: step(*c, rows(i))[:2], (state, tuple(metrics)))
            return state, metrics, self._results(metrics)
        logs = jax.eval_shape(step, state, tuple(metrics), jax.eval_shape(rows, 0))[2]
        empty = jax.tree.map(lambda log: jnp.zeros(log.shape, log.dtype), logs)
        state, metrics, logs = jax.lax.fori_loop(
            first, last, lambda i, c: step(c[0], c[1], rows(i)), (state, tuple(metrics), empty)
        )
        results = self._results(metrics)
        # As in Keras: a step of one's own may return what no metric of the model holds.
        return state, metrics, results if isinstance(logs, dict) and set(logs) == set(results) else logs

    def _own(self, name: str) -> bool:
        kind = type(self.model)
        return any(getattr(kind, n) is not getattr(keras.Model, n) for n in (name, "compute_metrics"))

    def _results(self, metrics: Any) -> dict[str, Any]:
        with keras.StatelessScope(state_mapping=list(zip(self.model.metrics_variables, metrics, strict=True))):
            return dict(self.model.get_metrics_result())

    def _predict_batch(self, state: ModelState, x: Any) -> Any:
        with fast_recurrence():
            return self.model.predict_step((list(state.trainable), list(state.rest)), (x,))[0]


def options() -> dict[str, Any] | None:
    """Of the compiler, for the default device."""
    # XLA's default of 256 bits leaves half of a vector unit of 512 idle; narrower processors ignore it.
    return {"xla_cpu_prefer_vector_width": 512} if jax.default_backend() == "cpu" else None


def variables(model: keras.Model) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """The variables behind a state, and those of the metrics."""
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


def read(model: keras.Model) -> tuple[ModelState, tuple[Any, ...]]:
    """The state that the model's variables hold, and its metrics'; `Steps.train` must be given a copy."""
    trainable, rest, optimizer, metrics = (tuple(v.value for v in kind) for kind in variables(model))
    return ModelState(trainable, rest, optimizer), metrics


def write(model: keras.Model, state: ModelState, metrics: tuple[Any, ...]) -> None:
    """Lets the model's variables hold a state, without a copy."""
    for kind, values in zip(variables(model), (*state, metrics), strict=True):
        for variable, value in zip(kind, values, strict=True):
            # What Keras's own loop does after an epoch, less the checks of `assign`.
            variable._value = value
