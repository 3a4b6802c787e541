"""Epochs on sparse rows, each step on the columns that its batch touches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import keras
import numpy as np

from afield.preprocess.rows import SparseRows
from afield.train.compiled.batches import Shape, Steps, lay_out
from afield.train.compiled.engine import Told
from afield.train.compiled.program import Program, State
from afield.train.compiled.schedule import Schedule

TEST_ROWS = 256
LOOK_AHEAD = 20


@dataclass(frozen=True)
class Sparse:
    """How sparse rows are visited.

    Args:
        batch_size: records a step.
        seed: of the order.
        exact: see `compiled.program`.
        epochs: how many epochs will be asked for, at most, as far as that is known.
    """

    batch_size: int
    seed: int
    exact: bool = False
    epochs: int = LOOK_AHEAD


class SparseEngine:
    """Trains a network whose first layer is dense on sparse rows.

    Args:
        build: makes the compiled Keras network for a number of input columns.
        rows: training rows.
        targets: [N, ...]; the answer of each.
        validation: (rows, targets); may have no rows.
        how: in which batches.
        row_weights: float32[N] or None; weight of each training row in the loss.
    """

    def __init__(
        self,
        build: Callable[[int], keras.Model],
        rows: SparseRows,
        targets: np.ndarray,
        validation: tuple[SparseRows, np.ndarray],
        how: Sparse,
        row_weights: np.ndarray | None = None,
    ) -> None:
        self._build = build
        self._rows = rows
        self._targets = targets
        self._validation = validation
        self._how = how
        self._row_weights = row_weights
        self._programs: dict[int, Program] = {}
        # The largest batch differs from epoch to epoch; meeting it late would mean compiling again.
        orders = map(self.order, range(1, min(how.epochs, LOOK_AHEAD) + 1))
        self.schedule = Schedule(rows, min(how.batch_size, len(rows)), orders, exact=how.exact)
        others = validation[0]
        batch = min(TEST_ROWS, len(others))
        self._testing = Schedule(others, batch, [np.arange(len(others))], exact=how.exact) if batch else None
        self.usual = self._program(self.schedule.shape)

    @property
    def rows(self) -> int:
        return len(self._rows)

    @property
    def model(self) -> keras.Model:
        """The network on some columns, for its layers."""
        return self.usual.model

    def order(self, epoch: int) -> np.ndarray:
        """int64[N]; depends on the seed and the epoch alone, so that a resumed training sees the same one."""
        return np.random.default_rng([self._how.seed, epoch]).permutation(len(self._rows))

    def start(self) -> State:
        return self.usual.start()

    def epoch(self, state: State, number: int, told: Told) -> tuple[State, dict[str, float]]:
        metrics, logs = None, {}
        for part, shape, room in self.schedule.runs(self.order(number)):
            steps = self._steps(self._rows, part, self._targets, self._row_weights, shape, room)
            state, metrics, logs = self._program(shape).train(state, steps, metrics)
            jax.block_until_ready(logs)
            told(len(part))
        return state, {name: float(value) for name, value in logs.items()}

    def validate(self, state: State) -> dict[str, float]:
        rows, targets = self._validation
        metrics, logs = None, {}
        if self._testing:
            for part, shape, room in self._testing.runs(np.arange(len(rows))):
                steps = self._steps(rows, part, targets, None, shape, room)
                metrics, logs = self._program(shape).test(state, steps, metrics)
        return {name: float(value) for name, value in logs.items()}

    def predict(self, state: State, features: SparseRows) -> np.ndarray:
        everything = np.arange(len(features))
        nothing = np.zeros(len(features), self._targets.dtype)
        schedule = Schedule(features, min(TEST_ROWS, len(features)), [everything], exact=self._how.exact)
        answers: list[np.ndarray] = []
        visited: list[np.ndarray] = []
        for part, shape, room in schedule.runs(everything):
            steps = self._steps(features, part, nothing, None, shape, room)
            answers.append(self._program(shape).predict(state, steps))
            visited.append(part)
        return np.concatenate(answers)[np.argsort(np.concatenate(visited))]

    def weights(self, state: State) -> list[np.ndarray]:
        return self.usual.weights(state)

    def learning_rate(self, state: State) -> float:
        return self.usual.learning_rate(state)

    def set_learning_rate(self, state: State, value: float) -> State:
        return self.usual.set_learning_rate(state, value)

    def _steps(
        self,
        rows: SparseRows,
        part: np.ndarray,
        targets: np.ndarray,
        row_weights: np.ndarray | None,
        shape: Shape,
        room: int,
    ) -> Steps:
        return lay_out(rows, part, targets, row_weights, shape, room, exact=self._how.exact)

    def _program(self, shape: Shape) -> Program:
        if shape.columns not in self._programs:
            self._programs[shape.columns] = Program(
                self._build, shape.columns, self._rows.width, self._targets, exact=self._how.exact
            )
        return self._programs[shape.columns]
