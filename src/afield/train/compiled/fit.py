"""The loop over epochs: order, learning rate, validation, early stopping, checkpoints, history."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import keras
import numpy as np

from afield.errors import DataError
from afield.preprocess.rows import SparseRows
from afield.report.model import Epoch
from afield.train.base import Unwatched, Watcher
from afield.train.compiled.batches import Shape, lay_out
from afield.train.compiled.checkpoint import Checkpoints
from afield.train.compiled.program import Program, State
from afield.train.compiled.schedule import Schedule

TEST_ROWS = 256
LOOK_AHEAD = 20


@dataclass(frozen=True)
class Plan:
    """How to train.

    Args:
        epochs: passes over the training part, at most.
        batch_size: records a step.
        seed: of the order, the first weights and dropout.
        exact: see `compiled.program`.
        patience: epochs without a better value before training stops; None never stops early.
        monitor: the value that must get better: "validation_loss" or "validation_accuracy".
        plateau: (factor, patience, min_delta, cooldown, lowest rate) of the learning rate, or None.
        class_weights: float32[C] or None.
    """

    epochs: int
    batch_size: int
    seed: int
    exact: bool = False
    patience: int | None = None
    monitor: str = "validation_loss"
    plateau: tuple[float, int, float, int, float] | None = None
    class_weights: np.ndarray | None = None


@dataclass
class Progress:
    """What the loop remembers between epochs, apart from the network."""

    history: list[Epoch] = field(default_factory=list[Epoch])
    best: float = math.inf
    best_epoch: int = 0
    plateau_loss: float = math.inf
    plateau_epochs: int = 0
    cooldown: int = 0
    stopped: str = ""


class Fit:
    """One training of one network on sparse rows.

    Args:
        build: makes the compiled Keras network for a number of input columns.
        rows: training rows.
        targets: int32[N].
        validation: (rows, targets); may have no rows.
        plan: how to train.
        checkpoints: where an interrupted training is kept, or None.
        watcher: who is told.
    """

    def __init__(
        self,
        build: Callable[[int], keras.Model],
        rows: SparseRows,
        targets: np.ndarray,
        validation: tuple[SparseRows, np.ndarray],
        plan: Plan,
        checkpoints: Checkpoints | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._build = build
        self._rows = rows
        self._targets = targets.astype(np.int32)
        self._validation = validation[0], validation[1].astype(np.int32)
        self._plan = plan
        self._checkpoints = checkpoints
        self._watcher = watcher or Unwatched()
        self._programs: dict[int, Program] = {}
        # The largest batch differs from epoch to epoch; meeting it late would mean compiling again.
        epochs = range(1, min(plan.epochs, LOOK_AHEAD) + 1)
        batch = min(plan.batch_size, len(rows))
        self._schedule = Schedule(rows, batch, map(self._order, epochs), exact=plan.exact)
        others = validation[0]
        batch = min(TEST_ROWS, len(others))
        self._testing = Schedule(others, batch, [np.arange(len(others))], exact=plan.exact) if batch else None
        self._usual = self._program(self._schedule.shape)
        self._row_weights = None if plan.class_weights is None else plan.class_weights[self._targets]
        self._best: State | None = None
        self.progress = Progress()

    def run(self) -> State:
        """Trains, from the last checkpoint where there is one.

        Returns:
            The state to keep: the best one where training may stop early, else the last.

        Raises:
            DataError: the loss is no longer a number.
        """
        state = self._resume()
        plan, progress = self._plan, self.progress
        while not progress.stopped:
            number = len(progress.history) + 1
            started = time.perf_counter()
            state, logs = self._train(state, self._order(number))
            if not math.isfinite(logs["loss"]):
                raise DataError(
                    f"epoch {number}: the loss is {logs['loss']}, no longer a number; lower train.optimizer's"
                    f" learning_rate (now {self._rate(state):g}), or give it a clipnorm"
                )
            validated = self._validate(state)
            epoch = Epoch(
                epoch=number,
                loss=logs["loss"],
                validation_loss=validated.get("loss"),
                metrics={name: value for name, value in logs.items() if name != "loss"},
                validation_metrics={name: value for name, value in validated.items() if name != "loss"},
                learning_rate=self._rate(state),
                seconds=time.perf_counter() - started,
            )
            progress.history.append(epoch)
            self._watcher.epoch(epoch)
            state = self._after(state, epoch)
            if not progress.stopped and number >= plan.epochs:
                progress.stopped = f"all {plan.epochs} epochs done"
            self._save(number, state)
        return self._best if plan.patience is not None and self._best is not None else state

    def predict(self, state: State, rows: SparseRows) -> np.ndarray:
        """Probabilities of the rows, float32[N, C]."""
        everything = np.arange(len(rows))
        nothing = np.zeros(len(rows), np.int32)
        schedule = Schedule(rows, min(TEST_ROWS, len(rows)), [everything], exact=self._plan.exact)
        answers: list[np.ndarray] = []
        visited: list[np.ndarray] = []
        for part, shape, room in schedule.runs(everything):
            steps = lay_out(rows, part, nothing, None, shape, room, exact=self._plan.exact)
            answers.append(self._program(shape).predict(state, steps))
            visited.append(part)
        return np.concatenate(answers)[np.argsort(np.concatenate(visited))]

    @property
    def model(self) -> keras.Model:
        """The network on some columns, for its layers."""
        return self._usual.model

    def weights(self, state: State) -> tuple[keras.Model, list[np.ndarray]]:
        """The network on some columns, for its layers, and its weights on all columns."""
        return self._usual.model, self._usual.weights(state)

    def _order(self, epoch: int) -> np.ndarray:
        # The order depends on the seed and the epoch alone, so that a resumed training sees the same one.
        return np.random.default_rng([self._plan.seed, epoch]).permutation(len(self._rows))

    def _program(self, shape: Shape) -> Program:
        if shape.columns not in self._programs:
            self._programs[shape.columns] = Program(
                self._build, shape.columns, self._rows.width, exact=self._plan.exact
            )
        return self._programs[shape.columns]

    def _train(self, state: State, order: np.ndarray) -> tuple[State, dict[str, float]]:
        metrics, logs = None, {}
        number = len(self.progress.history) + 1
        self._watcher.stage(f"epoch {number}/{self._plan.epochs}", len(order))
        for part, shape, room in self._schedule.runs(order):
            steps = lay_out(self._rows, part, self._targets, self._row_weights, shape, room, exact=self._plan.exact)
            state, metrics, logs = self._program(shape).train(state, steps, metrics)
            jax.block_until_ready(logs)
            self._watcher.advance(len(part))
        return state, {name: float(value) for name, value in logs.items()}

    def _validate(self, state: State) -> dict[str, float]:
        rows, targets = self._validation
        metrics, logs = None, {}
        if self._testing:
            for part, shape, room in self._testing.runs(np.arange(len(rows))):
                steps = lay_out(rows, part, targets, None, shape, room, exact=self._plan.exact)
                metrics, logs = self._program(shape).test(state, steps, metrics)
        return {name: float(value) for name, value in logs.items()}

    def _rate(self, state: State) -> float:
        return self._usual.learning_rate(state)

    def _after(self, state: State, epoch: Epoch) -> State:
        """Early stopping and the plateau of the learning rate, on the validation part alone where there is one."""
        plan, progress = self._plan, self.progress
        loss = epoch.loss if epoch.validation_loss is None else epoch.validation_loss
        value = -(epoch.validation_accuracy or 0.0) if plan.monitor == "validation_accuracy" else loss
        if value < progress.best:
            progress.best, progress.best_epoch = value, epoch.epoch
            if plan.patience is not None:
                self._best = jax.tree.map(np.array, state)
        elif plan.patience is not None and epoch.epoch - progress.best_epoch >= plan.patience:
            progress.stopped = (
                f"no better {plan.monitor.replace('_', ' ')} for {plan.patience} epochs;"
                f" the weights of epoch {progress.best_epoch} are kept"
            )
        return self._lower_rate(state, loss) if plan.plateau else state

    def _lower_rate(self, state: State, loss: float) -> State:
        assert self._plan.plateau
        factor, patience, min_delta, cooldown, lowest = self._plan.plateau
        progress = self.progress
        progress.cooldown = max(progress.cooldown - 1, 0)
        if loss < progress.plateau_loss - min_delta:
            progress.plateau_loss, progress.plateau_epochs = loss, 0
            return state
        if progress.cooldown:
            return state
        progress.plateau_epochs += 1
        if progress.plateau_epochs < patience:
            return state
        progress.plateau_epochs, progress.cooldown = 0, cooldown
        return self._usual.set_learning_rate(state, max(self._rate(state) * factor, lowest))

    def _save(self, epoch: int, state: State) -> None:
        if self._checkpoints is None:
            return
        facts = vars(self.progress) | {"history": [e.model_dump() for e in self.progress.history]}
        arrays = dict(_named("state", state))
        if self._best is not None:
            arrays |= dict(_named("best", self._best))
        self._checkpoints.write(epoch, facts, arrays)

    def _resume(self) -> State:
        state = self._usual.start()
        saved = self._checkpoints.latest() if self._checkpoints else None
        if saved is None:
            return state
        facts: dict[str, Any] = saved.facts | {"history": [Epoch(**e) for e in saved.facts["history"]]}
        self.progress = Progress(**facts)
        if "best.0" in saved.arrays:
            self._best = _like(state, "best", saved.arrays)
        self._watcher.stage(f"resumed after epoch {len(self.progress.history)}")
        return _like(state, "state", saved.arrays)


def _named(prefix: str, state: State) -> Iterator[tuple[str, Any]]:
    for i, leaf in enumerate(jax.tree.leaves(state)):
        yield f"{prefix}.{i}", leaf


def _like(state: State, prefix: str, arrays: dict[str, np.ndarray]) -> State:
    leaves, structure = jax.tree.flatten(state)
    # Copied into JAX's own memory: the training program takes the state over.
    return jax.tree.unflatten(structure, [jax.numpy.array(arrays[f"{prefix}.{i}"]) for i in range(len(leaves))])
