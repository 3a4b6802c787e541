"""The compiled steps of several members at once: Keras's own step, mapped over an axis of members."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import keras
import numpy as np

from afield.train.compiled.steps import ModelState, Steps, options
from afield.tune.populations.agreement import schedule
from afield.tune.populations.varied import Settings

CLASS_WEIGHTS = "class_weights"
"""Among what varies: the weight of each class, where the data has the class of a row in place of its weight."""


ZERO = np.int32(0)


class Axes(NamedTuple):
    """Which values have an axis of members, the first one: 0; and which are the same for all: None.

    Args:
        state: of each variable.
        order: rows of each step.
    """

    state: ModelState
    order: int | None


class Program:
    """The steps of one network, mapped over members.

    Args:
        model: the network; compiled, its variables, metrics and optimizer built.
        settings: where it finds what varies.
        axes: of what the program is given.
    """

    def __init__(self, model: keras.Model, settings: Settings, axes: Axes) -> None:
        self._steps = Steps(model)
        self._settings = settings
        self._optimizer = model.optimizer
        self._axes = axes
        self._tracing = threading.Lock()
        self._compiled: dict[Any, Any] = {}

    def train(self, state: ModelState, metrics: Any, varied: Any, data: Any, order: Any, first: int, last: int) -> Any:
        """Trains the steps from `first` to before `last`; the given state and metrics must not be used afterwards.

        Args:
            state: [K, ...] or the same for all, as the axes say.
            metrics: values of the metric variables, [K, ...].
            varied: what the members differ in, [K, ...].
            data: structure (x, y, weights or classes) on the device.
            order: int32[S, B] or int32[K, S, B], rows of each step.
            first: the first step.
            last: the step after the last one.

        Returns:
            State, metric variables, and the metrics' values so far, [K] each.
        """
        given = state, metrics, varied, data, order, np.int32(first), np.int32(last)
        return self._program("train", self._axes.order, given)(*given)

    def test(self, state: ModelState, metrics: Any, varied: Any, data: Any, order: Any, first: int, last: int) -> Any:
        """The same without training, on rows that are the same for all members."""
        given = state, metrics, varied, data, order, np.int32(first), np.int32(last)
        return self._program("test", None, given)(*given)

    def memory(self, state: ModelState, metrics: Any, varied: Any, data: Any, order: Any) -> int:
        """Bytes that a call of `train` needs, what it is given included.

        Args:
            state, metrics, varied, data, order: as of `train`, or their shapes.
        """
        found = self._program(
            "train", self._axes.order, (state, metrics, varied, data, order, ZERO, ZERO)
        ).memory_analysis()
        given = found.argument_size_in_bytes - found.alias_size_in_bytes
        return given + found.output_size_in_bytes + found.temp_size_in_bytes

    def compiled(self) -> int:
        """Programs compiled so far."""
        return len(self._compiled)

    def _program(self, kind: str, order: int | None, given: Any) -> Any:
        shapes = tuple((leaf.shape, str(leaf.dtype)) for leaf in jax.tree.leaves(given))
        # A trace reads the settings of one member at a time.
        with self._tracing:
            if (kind, shapes) not in self._compiled:
                self._compiled[kind, shapes] = self._mapped(kind, order).lower(*given).compile()
            return self._compiled[kind, shapes]

    def _mapped(self, kind: str, order: int | None) -> Any:
        step = self._steps.train_steps if kind == "train" else self._steps.test_steps

        def member(state: ModelState, metrics: Any, varied: Mapping[str, Any], data: Any, *rest: Any) -> Any:
            if kind == "train" and CLASS_WEIGHTS in varied:
                x, y, classes = data
                data = x, y, varied[CLASS_WEIGHTS][classes]
            with self._settings.of(varied), _holding(self._optimizer, varied):
                return step(state, metrics, data, *rest)

        axes = (self._axes.state, 0, 0, None, order, None, None)
        mapped = jax.vmap(member, axes, (self._axes.state, 0, 0))
        return jax.jit(mapped, donate_argnums=(0, 1) if kind == "train" else (), compiler_options=options())


@contextmanager
def _holding(optimizer: keras.optimizers.Optimizer, varied: Mapping[str, Any]) -> Generator[None]:
    """Lets an optimizer and its schedule hold the values of one member, while it is open."""
    before: list[tuple[Any, str, Any]] = []
    for holder, name in ((optimizer, "weight_decay"), (schedule(optimizer), "initial_learning_rate")):
        if name in varied:
            before.append((holder, name, getattr(holder, name)))
            setattr(holder, name, varied[name])
    try:
        yield
    finally:
        for holder, name, value in before:
            setattr(holder, name, value)
