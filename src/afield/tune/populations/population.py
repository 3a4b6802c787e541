"""Many networks trained at once: the members of a group, a few in each call of one compiled program."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import keras
import numpy as np

from afield.errors import StateError, UseCaseError
from afield.train.backend import processors
from afield.train.compiled.engine import Told
from afield.train.compiled.fitting.arguments import check_inputs, classes_of, device_room
from afield.train.compiled.fitting.source import length
from afield.train.compiled.pace import Pace
from afield.train.compiled.placing import gather, place
from afield.train.compiled.runs import cut
from afield.train.compiled.steps import read
from afield.tune.populations.program import CLASS_WEIGHTS, Axes, Program
from afield.tune.populations.state import PopulationState, Slice, each, filled, kept, sliced
from afield.tune.populations.template import template_of

R = TypeVar("R")
ROOM = 4
"""Members of a small network in a call on a CPU; more at a time gain nothing."""
NEAR = 1 << 20
"""Bytes that a processor keeps near: the state of the members of a call is not larger, where there are several."""


class PopulationMemoryError(StateError):
    """The device has too little memory for the members of one call."""


class Population:
    """Trains networks of one group, each as `afield.fit` would train it alone.

    Args:
        models: the members (M) of a group: compiled, with the weights that they are to start from. Their variables are
            read, and never changed.
        features: N records: an array or windows, or several by the names of the network's inputs.
        targets: [N, ...], or a structure of such as the network's outputs; None where the loss needs none.
        validation: (features, targets), or None.
        batch_size: records a step; the last one of an epoch may have fewer.
        seeds: of the order of the records, one a member.
        class_weights: of each member, number of a class -> weight of its records in the loss; or None.
        row_weights: float32[N] or None; weight of each record in the loss, for all members.
        room: members that train in one call (K); None picks it.
        validation_batch: validation records a step.

    Raises:
        UseCaseError: an argument does not fit the members.
    """

    def __init__(
        self,
        models: Sequence[keras.Model],
        features: Any,
        targets: Any,
        validation: tuple[Any, Any] | None = None,
        *,
        batch_size: int,
        seeds: Sequence[int],
        class_weights: Sequence[Mapping[int, float] | None] | None = None,
        row_weights: np.ndarray | None = None,
        room: int | None = None,
        validation_batch: int = 256,
    ) -> None:
        for name, given in (("seeds", seeds), ("class_weights", class_weights)):
            if given is not None and len(given) != len(models):
                raise UseCaseError(f"{name}: expected one for each of {len(models)} networks, found {len(given)}")
        self._records = length(features)
        if targets is not None and length(targets) != self._records:
            raise UseCaseError(f"targets: expected {self._records} rows, as in features, found {length(targets)}")
        check_inputs(models[0], _entering(features), "features: ")
        self._seeds = list(seeds)
        table, weights = _weighing(class_weights, row_weights, targets)
        self._data: Any = place(keras.utils.pack_x_y_sample_weight(_entering(features), targets, weights))
        self._batch = min(batch_size, self._records)
        self._tested = 0 if validation is None else length(validation[0])
        if validation is not None and self._tested:
            self._testing: Any = place(keras.utils.pack_x_y_sample_weight(_entering(validation[0]), validation[1]))
        self._validation_batch = validation_batch
        self._template = template_of(models, jax.eval_shape(gather, self._data, np.zeros(self._batch, np.int32)))
        self._varied = self._template.varied() | table
        self._first, axes = self._template.state()
        self._axes = Axes(axes, None if len(set(seeds)) == 1 else 0)
        self._program = Program(self._template.model, self._template.settings, self._axes)
        self._metrics = tuple(np.asarray(value) for value in read(self._template.model)[1])
        self._workers = processors() if jax.default_backend() == "cpu" else 1
        self.room = room or self._picked()
        self._fit_memory()
        self._pace = Pace(seconds=1.0)
        self._stopped = threading.Event()

    def start(self) -> PopulationState:
        """The state before the first epoch."""
        return sliced(range(len(self._seeds)), self._first, self._axes.state, self.room)

    def epoch(
        self, state: PopulationState, number: int, told: Told | None = None
    ) -> tuple[PopulationState, dict[str, np.ndarray]]:
        """Trains an epoch; the given state must not be used afterwards.

        Args:
            state: of the members that are left.
            number: of the epoch; seed and number make the order of the records. Those of `afield.fit` count from 0.
            told: is told how many more records have been trained on.

        Returns:
            The new state, without the members whose loss is no longer a number; and `loss` and the metrics of the
            given state's members, in their order.
        """
        if not state.slices:
            return state, {}
        trained = self._each(partial(self._train, number=number, told=told), state.slices)
        results = _together([(part, logs) for part, logs in trained])
        after = PopulationState(tuple(part for part, _ in trained))
        finite = np.isfinite(results["loss"])
        return self.kept(after, [m for m, fine in zip(after.members, finite, strict=True) if fine]), results

    def validate(self, state: PopulationState) -> dict[str, np.ndarray]:
        """`loss` and the metrics on the validation part, of the members in their order; nothing without one."""
        if not self._tested:
            return {}
        return _together(self._each(self._test, state.slices))

    def kept(self, state: PopulationState, members: Sequence[int]) -> PopulationState:
        """The state without the members that leave; what the others compute stays the same.

        Args:
            state: of the members that are left.
            members: those that stay.
        """
        return kept(state, members, self._axes.state, self.room)

    def weights(self, state: PopulationState, member: int) -> list[np.ndarray]:
        """The weights of a member, as its model's `set_weights` takes them."""
        part = next(part for part in state.slices if member in part.members)
        row = part.members.index(member)

        def own(value: Any, axis: int | None) -> np.ndarray:
            return np.asarray(value if axis is None else value[row])

        return self._template.weights(member, each(own, part.state, self._axes.state))

    def memory(self) -> int:
        """Bytes that the calls need that run at a time, the records included."""
        return self._workers * self._program.memory(*self._shapes())

    def programs(self) -> int:
        """Programs compiled so far."""
        return self._program.compiled()

    def _train(self, part: Slice, number: int, told: Told | None) -> tuple[Slice, dict[str, Any]]:
        state, varied, logs = part.state, self._varied_of(part), {}
        metrics = self._zeros()
        for order in self._orders(part, number):
            steps, rows = order.shape[-2:]
            for first, last in self._pace.spans(order.shape, 0, steps):
                state, metrics, logs = self._program.train(state, metrics, varied, self._data, order, first, last)
                jax.block_until_ready(logs)
                if self._stopped.is_set():
                    raise InterruptedError
                if told:
                    told((last - first) * rows * len(part.members))
        return Slice(part.members, state), logs

    def _test(self, part: Slice) -> tuple[Slice, dict[str, Any]]:
        state, varied, logs = part.state, self._varied_of(part), {}
        metrics = self._zeros()
        for order in cut(np.arange(self._tested), self._validation_batch):
            _, metrics, logs = self._program.test(state, metrics, varied, self._testing, order, 0, len(order))
        return part, logs

    def _orders(self, part: Slice, number: int) -> list[np.ndarray]:
        """Rows of each step: int32[S, B] or int32[K, S, B]; the last, smaller step apart."""

        def of(seed: int) -> list[np.ndarray]:
            return cut(np.random.default_rng([seed, number]).permutation(self._records), self._batch)

        if self._axes.order is None:
            return of(self._seeds[0])
        rows = filled(0, self.room, len(part.members))
        return [np.stack(parts) for parts in zip(*(of(self._seeds[part.members[row]]) for row in rows), strict=True)]

    def _varied_of(self, part: Slice) -> dict[str, Any]:
        members = np.array(part.members)[filled(0, self.room, len(part.members))]
        return {name: jnp.asarray(values[members]) for name, values in self._varied.items()}

    def _zeros(self) -> tuple[Any, ...]:
        return tuple(jnp.array(np.broadcast_to(value, (self.room, *value.shape))) for value in self._metrics)

    def _each(self, work: Callable[[Slice], R], slices: Sequence[Slice]) -> list[R]:
        """Does some work for each slice, as many at a time as there are workers."""
        self._stopped.clear()
        with ThreadPoolExecutor(self._workers, "population") as pool:
            try:
                return list(pool.map(work, slices))
            except jax.errors.JaxRuntimeError as failed:
                if "RESOURCE_EXHAUSTED" not in str(failed):
                    raise
                raise PopulationMemoryError(
                    f"the device has too little memory to train {self.room} networks at a time"
                    f" ({str(failed).splitlines()[0]}); make the population smaller, or lower batch_size"
                ) from failed
            finally:
                self._stopped.set()
                pool.shutdown(cancel_futures=True)

    def _picked(self) -> int:
        """Members in a call, where nobody said."""
        members = len(self._seeds)
        if jax.default_backend() != "cpu":
            return members
        one = sum(value.nbytes for kind in self._first for value in kind) // members
        return max(1, min(ROOM, NEAR // max(one, 1), -(-members // self._workers)))

    def _fit_memory(self) -> None:
        """Makes the calls smaller until the memory that they need, measured by compiling them, is there."""
        free = device_room()
        while (needed := self.memory()) > free:
            if self.room == 1:
                raise PopulationMemoryError(
                    f"models: a network needs {needed / 1e9:.3g} GB to train, of which {free / 1e9:.3g} GB are there;"
                    " lower batch_size, or make the network smaller"
                )
            self.room = max(1, min(self.room - 1, int(self.room * free / needed)))

    def _shapes(self) -> Any:
        """What a call is given, as shapes."""

        def shape(value: Any, axis: int | None = 0) -> Any:
            inner = value.shape if axis is None else (self.room, *value.shape[1:])
            return jax.ShapeDtypeStruct(inner, value.dtype)

        steps = self._records // self._batch, self._batch
        order = steps if self._axes.order is None else (self.room, *steps)
        return (
            each(shape, self._first, self._axes.state),
            tuple(jax.ShapeDtypeStruct((self.room, *value.shape), value.dtype) for value in self._metrics),
            {name: shape(values) for name, values in self._varied.items()},
            self._data,
            jax.ShapeDtypeStruct(order, np.int32),
        )


def _weighing(
    class_weights: Sequence[Mapping[int, float] | None] | None, row_weights: np.ndarray | None, targets: Any
) -> tuple[dict[str, np.ndarray], Any]:
    """What varies of the weights of rows, and what each row has: its weight, or its class."""
    if class_weights is None:
        return {}, row_weights
    if row_weights is not None:
        raise UseCaseError("class_weights: cannot be given with row_weights; multiply them into row_weights")
    if targets is None or isinstance(targets, dict | list | tuple):
        raise UseCaseError("class_weights: need a network with one output, and targets with its classes")
    classes, rows = classes_of(targets)
    table = [[(weights or {}).get(number, 1.0) for number in classes.tolist()] for weights in class_weights]
    return {CLASS_WEIGHTS: np.array(table, keras.config.floatx())}, rows.astype(np.int32)


def _entering(features: Any) -> Any:
    """A single feature as it is, several by their names."""
    return next(iter(features.values())) if isinstance(features, dict) and len(features) == 1 else features


def _together(parts: Sequence[tuple[Slice, dict[str, Any]]]) -> dict[str, np.ndarray]:
    """The results of all members: [M] each."""
    names = parts[0][1] if parts else {}
    return {
        name: np.concatenate([np.asarray(logs[name])[: len(part.members)] for part, logs in parts]) for name in names
    }
