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
from afield.train.compiled.batches import Shape, Steps, chunks, larger, lay_out, shape_of
from afield.train.compiled.checkpoint import Checkpoints
from afield.train.compiled.program import Program, State

CHUNK_BYTES = 32 << 20
CHUNK_STEPS = 512
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
        self._validation = validation
        self._plan = plan
        self._checkpoints = checkpoints
        self._watcher = watcher or Unwatched()
        self._programs: dict[int, Program] = {}
        self._shapes: dict[str, Shape] = {}
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
                accuracy=logs["accuracy"],
                validation_loss=validated.get("loss"),
                validation_accuracy=validated.get("accuracy"),
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
        parts = [p.predict(state, steps) for p, steps in self._steps("answer", rows, np.arange(len(rows)), TEST_ROWS)]
        return np.concatenate(parts)

    def weights(self, state: State) -> tuple[keras.Model, list[np.ndarray]]:
        """The network on some columns, for its layers, and its weights on all columns."""
        program = next(iter(self._programs.values()))
        return program.model, program.weights(state)

    def _order(self, epoch: int) -> np.ndarray:
        # The order depends on the seed and the epoch alone, so that a resumed training sees the same one.
        return np.random.default_rng([self._plan.seed, epoch]).permutation(len(self._rows))

    def _steps(self, use: str, rows: SparseRows, order: np.ndarray, batch: int) -> Iterator[tuple[Program, Steps]]:
        exact = self._plan.exact
        match use:
            case "train":
                targets = self._targets
            case "test":
                targets = self._validation[1].astype(np.int32)
            case _:
                targets = np.zeros(len(rows), np.int32)
        batch = min(batch, len(order))
        kind = "train" if use == "train" else "other"
        shape = larger(self._shapes.get(kind), shape_of(rows, order, batch, exact=exact))
        if kind not in self._shapes and use == "train":
            # The largest batch differs from epoch to epoch; meeting it late would mean compiling again.
            for epoch in range(2, min(self._plan.epochs, LOOK_AHEAD) + 1):
                shape = larger(shape, shape_of(rows, self._order(epoch), batch, exact=exact))
        self._shapes[kind] = shape
        if shape.columns not in self._programs:
            self._programs[shape.columns] = Program(self._build, shape.columns, rows.width, exact=exact)
        program = self._programs[shape.columns]
        bytes_a_step = 4 * (3 * shape.entries + shape.columns + 2 * batch)
        room = max(1, min(CHUNK_STEPS, CHUNK_BYTES // bytes_a_step, len(order) // batch))
        for part in chunks(order, batch, room):
            ragged = len(part) < batch
            size = Shape(len(part), shape.entries, shape.columns) if ragged else shape
            weights = self._row_weights if use == "train" else None
            yield program, lay_out(rows, part, targets, weights, size, 1 if ragged else room, exact=exact)

    def _train(self, state: State, order: np.ndarray) -> tuple[State, dict[str, float]]:
        metrics, logs = None, {}
        number = len(self.progress.history) + 1
        self._watcher.stage(f"epoch {number}/{self._plan.epochs}", len(order))
        for program, steps in self._steps("train", self._rows, order, self._plan.batch_size):
            state, metrics, logs = program.train(state, steps, metrics)
            jax.block_until_ready(logs)
            self._watcher.advance(steps.count * steps.targets.shape[1])
        return state, {name: float(value) for name, value in logs.items()}

    def _validate(self, state: State) -> dict[str, float]:
        rows = self._validation[0]
        metrics, logs = None, {}
        if len(rows):
            for program, steps in self._steps("test", rows, np.arange(len(rows)), TEST_ROWS):
                metrics, logs = program.test(state, steps, metrics)
        return {name: float(value) for name, value in logs.items()}

    def _program(self) -> Program:
        if not self._programs:
            next(self._steps("train", self._rows, self._order(1), self._plan.batch_size))
        return next(iter(self._programs.values()))

    def _rate(self, state: State) -> float:
        return self._program().learning_rate(state)

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
        return self._program().set_learning_rate(state, max(self._rate(state) * factor, lowest))

    def _save(self, epoch: int, state: State) -> None:
        if self._checkpoints is None:
            return
        facts = vars(self.progress) | {"history": [e.model_dump() for e in self.progress.history]}
        arrays = dict(_named("state", state))
        if self._best is not None:
            arrays |= dict(_named("best", self._best))
        self._checkpoints.write(epoch, facts, arrays)

    def _resume(self) -> State:
        program = self._program()
        state = program.start()
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
