"""The loop over epochs: learning rate, validation, early stopping, checkpoints, history."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from afield.errors import DataError, UseCaseError
from afield.report.model import Epoch
from afield.train.base import Unwatched, Watcher
from afield.train.compiled.checkpoint import Checkpoints
from afield.train.compiled.engine import Engine

HIGHER_IS_BETTER = frozenset({"accuracy", "auc", "f1", "precision", "r2", "recall", "score"})
"""Metrics, by their last word, that are better the higher they are; all others are better the lower."""


@dataclass(frozen=True)
class Plan:
    """How long to train.

    Args:
        epochs: passes over the training part, at most.
        patience: epochs without a better value before training stops; None never stops early.
        monitor: the value that must get better: "validation_loss", or "validation_" and the name of a metric.
        plateau: (factor, patience, min_delta, cooldown, lowest rate) of the learning rate, or None.
    """

    epochs: int
    patience: int | None = None
    monitor: str = "validation_loss"
    plateau: tuple[float, int, float, int, float] | None = None


@dataclass
class Progress:
    """What the loop remembers between epochs, apart from the network.

    Args:
        stopped: why training ended; empty while it goes on.
        diverged: the loss was no longer a number, and earlier weights are kept.
    """

    history: list[Epoch] = field(default_factory=list[Epoch])
    best: float = math.inf
    best_epoch: int = 0
    plateau_loss: float = math.inf
    plateau_epochs: int = 0
    cooldown: int = 0
    stopped: str = ""
    diverged: bool = False


class Loop:
    """One training of one network.

    Args:
        engine: what trains an epoch.
        plan: how long.
        checkpoints: where an interrupted training is kept, or None.
        watcher: who is told.
    """

    def __init__(
        self, engine: Engine, plan: Plan, checkpoints: Checkpoints | None = None, watcher: Watcher | None = None
    ) -> None:
        self._engine = engine
        self._plan = plan
        self._checkpoints = checkpoints
        self._watcher = watcher or Unwatched()
        self._best: Any = None
        self.progress = Progress()

    def run(self) -> Any:
        """Trains, from the last checkpoint where there is one.

        Returns:
            The state to keep: the best one where training may stop early, else the last whose loss is a number.

        Raises:
            DataError: the loss is no number in the first epoch already.
            UseCaseError: the monitored value is not measured.
        """
        state = self._resume()
        plan, progress = self._plan, self.progress
        while not progress.stopped:
            number = len(progress.history) + 1
            started = time.perf_counter()
            # An epoch takes over the memory of its state; what must survive it is copied before.
            before = jax.tree.map(jax.numpy.array, state)
            self._watcher.stage(f"epoch {number}/{plan.epochs}", self._engine.rows)
            state, logs = self._engine.epoch(state, number, self._watcher.advance)
            if not math.isfinite(logs["loss"]):
                state = self._diverged(number, logs["loss"], before)
                break
            validated = self._engine.validate(state)
            epoch = Epoch(
                epoch=number,
                loss=logs.pop("loss"),
                metrics=logs,
                validation_loss=validated.pop("loss", None),
                validation_metrics=validated,
                learning_rate=self._engine.learning_rate(state),
                seconds=time.perf_counter() - started,
            )
            progress.history.append(epoch)
            self._watcher.epoch(epoch)
            state = self._after(state, epoch)
            if not progress.stopped and number >= plan.epochs:
                progress.stopped = f"all {plan.epochs} epochs done"
            self._save(number, state)
        return self._best if plan.patience is not None and self._best is not None else state

    def _diverged(self, number: int, loss: float, before: Any) -> Any:
        rate = self._engine.learning_rate(before)
        advice = f"lower train.optimizer's learning_rate (now {rate:g}), or give it a clipnorm"
        if number == 1:
            raise DataError(f"epoch {number}: the loss is {loss}, no longer a number; {advice}")
        progress = self.progress
        progress.diverged = True
        kept = progress.best_epoch if self._best is not None else number - 1
        progress.stopped = (
            f"the loss of epoch {number} is {loss}, no longer a number; the weights of epoch {kept} are kept; {advice}"
        )
        return before

    def _after(self, state: Any, epoch: Epoch) -> Any:
        """Early stopping and the plateau of the learning rate, on the validation part alone where there is one."""
        plan, progress = self._plan, self.progress
        value = self._monitored(epoch)
        if value < progress.best:
            progress.best, progress.best_epoch = value, epoch.epoch
            if plan.patience is not None:
                self._best = jax.tree.map(np.array, state)
        elif plan.patience is not None and epoch.epoch - progress.best_epoch >= plan.patience:
            progress.stopped = (
                f"no better {plan.monitor.replace('_', ' ')} for {plan.patience} epochs;"
                f" the weights of epoch {progress.best_epoch} are kept"
            )
        if plan.plateau is None:
            return state
        return self._lower_rate(state, epoch.loss if epoch.validation_loss is None else epoch.validation_loss)

    def _monitored(self, epoch: Epoch) -> float:
        """The value that must get better, turned so that lower is better."""
        name = self._plan.monitor.removeprefix("validation_")
        measured = {"loss": epoch.loss, **epoch.metrics}
        if epoch.validation_loss is not None:
            measured = {"loss": epoch.validation_loss, **epoch.validation_metrics}
        if name not in measured:
            names = ", ".join(f"validation_{other}" for other in measured)
            raise UseCaseError(
                f"train.early_stopping.monitor: the network does not measure {self._plan.monitor!r};"
                f" expected one of {names}"
            )
        return -measured[name] if name.split("_")[-1] in HIGHER_IS_BETTER else measured[name]

    def _lower_rate(self, state: Any, loss: float) -> Any:
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
        return self._engine.set_learning_rate(state, max(self._engine.learning_rate(state) * factor, lowest))

    def _save(self, epoch: int, state: Any) -> None:
        if self._checkpoints is None:
            return
        facts = vars(self.progress) | {"history": [e.model_dump() for e in self.progress.history]}
        arrays = dict(_named("state", state))
        if self._best is not None:
            arrays |= dict(_named("best", self._best))
        self._checkpoints.write(epoch, facts, arrays)

    def _resume(self) -> Any:
        state = self._engine.start()
        saved = self._checkpoints.latest() if self._checkpoints else None
        if saved is None:
            return state
        facts: dict[str, Any] = saved.facts | {"history": [Epoch(**e) for e in saved.facts["history"]]}
        self.progress = Progress(**facts)
        if "best.0" in saved.arrays:
            self._best = _like(state, "best", saved.arrays)
        self._watcher.stage(f"resumed after epoch {len(self.progress.history)}")
        return _like(state, "state", saved.arrays)


def _named(prefix: str, state: Any) -> Iterator[tuple[str, Any]]:
    for i, leaf in enumerate(jax.tree.leaves(state)):
        yield f"{prefix}.{i}", leaf


def _like(state: Any, prefix: str, arrays: dict[str, np.ndarray]) -> Any:
    leaves, structure = jax.tree.flatten(state)
    # Copied into JAX's own memory: the training program takes the state over.
    return jax.tree.unflatten(structure, [jax.numpy.array(arrays[f"{prefix}.{i}"]) for i in range(len(leaves))])
