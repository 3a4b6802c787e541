"""Epochs of any compiled Keras model on dense data that lies on the device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jax
import keras
import numpy as np

from afield.preprocess.base import Features
from afield.preprocess.rows import SparseRows
from afield.preprocess.windows import Windows
from afield.train.compiled.building import build, steps_of
from afield.train.compiled.engine import Told
from afield.train.compiled.pace import Pace
from afield.train.compiled.placing import as_fed, gather, place
from afield.train.compiled.rates import rate_of, with_rate
from afield.train.compiled.runs import Run, whole_runs
from afield.train.compiled.steps import Draw, ModelState, Steps, read, variables

TEST_ROWS = 256


class WholeEngine:
    """Trains a model on arrays and windows, the whole of which lies on the device.

    Args:
        model: compiled.
        features: N records: one array or windows, or several by the names of the model's inputs.
        targets: [N, ...], or a structure of such as the model's outputs; None where the loss needs none.
        validation: (features, targets); may have no records.
        batch_size: records a step; the last one of an epoch may have fewer.
        seed: of the order.
        row_weights: float32[N] or None; weight of each training record in the loss.
        draw: makes the rows of a step on the device, in place of an order in which each record comes once.
        steps: of an epoch, where rows are drawn; by default as many as an order would have.
        validation_batch: validation records a step.
    """

    def __init__(
        self,
        model: keras.Model,
        features: Features,
        targets: Any,
        validation: tuple[Features, Any],
        batch_size: int,
        seed: int,
        row_weights: np.ndarray | None = None,
        draw: Draw | None = None,
        steps: int | None = None,
        validation_batch: int = TEST_ROWS,
    ) -> None:
        self.model = model
        self._records = _length(features)
        self._batch = min(batch_size, self._records)
        self._seed = seed
        self._draw = draw
        self._validation_batch = validation_batch
        self._drawn = steps or -(-self._records // self._batch)
        data = keras.utils.pack_x_y_sample_weight(_entering(features), targets, row_weights)
        self._data: Any = place(data)
        others = _length(validation[0])
        self._tested = others
        self._testing: Any = (
            place(keras.utils.pack_x_y_sample_weight(_entering(validation[0]), validation[1])) if others else None
        )
        rows = jax.eval_shape(draw, jax.random.key(0), 0) if draw else np.zeros(self._batch, np.int32)
        build(model, jax.eval_shape(gather, self._data, rows))
        self._steps: Steps = steps_of(model, draw)
        self._metrics = read(model)[1]
        self._pace = Pace(seconds=1.0)

    @property
    def rows(self) -> int:
        return self._records

    def start(self) -> ModelState:
        return self._steps.copy(read(self.model)[0])

    def epoch(self, state: ModelState, number: int, told: Told) -> tuple[ModelState, dict[str, float]]:
        metrics, logs = self._steps.copy(self._metrics), {}
        for run in self._runs(number):
            rows = run.order.shape[1] if self._draw is None else self._batch
            for first, last in self._pace.spans(rows, run.first, run.last):
                state, metrics, logs = self._steps.train(state, metrics, run.data, run.order, first, last)
                jax.block_until_ready(logs)
                told((last - first) * rows)
        return state, _numbers(logs)

    def validate(self, state: ModelState) -> dict[str, float]:
        metrics, logs = self._metrics, {}
        for run in whole_runs(self._testing, np.arange(self._tested), self._validation_batch):
            _, metrics, logs = self._steps.test(state, metrics, run.data, run.order, run.first, run.last)
        return _numbers(logs)

    def predict(self, state: ModelState, features: Features) -> Any:
        """What the model answers: [N, ...], or a structure of such as the model's outputs."""
        records = _length(features)
        answers: list[Any] = []
        for start in range(0, records, TEST_ROWS):
            rows = np.arange(start, min(start + TEST_ROWS, records))
            # One shape, so that a new number of records needs no other program; what was added is cut off again.
            filled = np.pad(rows, (0, TEST_ROWS - len(rows)), mode="edge")
            x = _entering({name: _written(array, filled) for name, array in features.items()})
            answers.append(_first(self._steps.predict(state, x), len(rows)))
        return jax.tree.map(lambda *parts: np.concatenate(parts), *answers)

    def weights(self, state: ModelState) -> list[np.ndarray]:
        trainable, rest, _, _ = variables(self.model)
        values = dict(zip(map(id, trainable), state.trainable, strict=True))
        values |= dict(zip(map(id, rest), state.rest, strict=True))
        return [np.asarray(values[id(v)]) for v in self.model.weights]

    def learning_rate(self, state: ModelState) -> float:
        return rate_of(self.model.optimizer, self.model.optimizer.variables, state.optimizer)

    def set_learning_rate(self, state: ModelState, value: float) -> ModelState:
        return state._replace(optimizer=with_rate(self.model.optimizer.variables, state.optimizer, value))

    def _runs(self, number: int) -> Iterable[Run]:
        if self._draw is not None:
            key = jax.random.fold_in(jax.random.key(self._seed), number)
            return [Run(self._data, key, 0, self._drawn)]
        # The order depends on the seed and the epoch alone, so that a resumed training sees the same one.
        order = np.random.default_rng([self._seed, number]).permutation(self._records)
        return whole_runs(self._data, order, self._batch)


def _entering(features: Mapping[str, Any]) -> Any:
    values = dict(features)
    return next(iter(values.values())) if len(values) == 1 else values


def _length(features: Features) -> int:
    return len(next(iter(features.values()))) if features else 0


def _first(answers: Any, rows: int) -> Any:
    return jax.tree.map(lambda part: np.asarray(part)[:rows], answers)


def _written(array: np.ndarray | SparseRows | Windows, rows: np.ndarray) -> np.ndarray:
    assert not isinstance(array, SparseRows), "sparse rows have an engine of their own"
    return as_fed(array.take(rows).dense() if isinstance(array, Windows) else array[rows])


def _numbers(logs: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}
