"""One network of a population: when it ends, and what it is worth then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from afield.errors import UseCaseError
from afield.train.compiled.loop import HIGHER_IS_BETTER
from afield.tune.base import Outcome, State

Weights = list[np.ndarray]


@dataclass(frozen=True)
class Stop:
    """When a training ends before its last epoch.

    Args:
        monitor: what must get better: "loss", or the name of a metric.
        patience: epochs without a better value.
    """

    monitor: str
    patience: int


@dataclass
class Progress:
    """What is remembered of a member between epochs.

    Args:
        measured: on the validation part, an entry an epoch.
        seconds: its share of the time.
        best: the monitored value of the epoch whose weights are kept, turned so that more is better.
        kept: that epoch, from 1; 0 while there is none.
        weights: of that epoch, where its score needs them.
    """

    measured: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    seconds: float = 0.0
    best: float = -np.inf
    kept: int = 0
    weights: Weights | None = None


@dataclass(frozen=True)
class Member:
    """A network to be trained.

    Args:
        number: of its trial.
        model: compiled, with the weights that it starts from.
        epochs: passes over the training part, at most.
        seed: of the order of the records.
        watched: what trials are compared by after each epoch.
        score: the measured values of an epoch, and what gives its weights, to the figure that is searched for.
        needs_weights: whether `score` looks at the weights.
        row_seconds: weights -> time to answer a row.
        class_weights: float32[C] or None; weight of each class in the loss.
        stop: when it ends early.
        ended: told of the score and of what gives the weights, where it trained to its end.
    """

    number: int
    model: keras.Model
    epochs: int
    seed: int
    watched: str
    score: Callable[[Mapping[str, float], Callable[[], Weights]], float]
    needs_weights: bool
    row_seconds: Callable[[Weights], float | None]
    class_weights: np.ndarray | None = None
    stop: Stop | None = None
    ended: Callable[[float, Callable[[], Weights]], None] = lambda score, weights: None

    def check(self, measured: Mapping[str, float]) -> None:
        """Refuses what is to be looked at and is not measured.

        Raises:
            UseCaseError: it is not among the measured values.
        """
        if self.watched not in measured:
            raise UseCaseError(
                f"trials are compared by '{self.watched}', which the model does not measure; it measures"
                f" {', '.join(sorted(measured))}"
            )
        if self.stop is not None and self.stop.monitor not in measured:
            names = ", ".join(f"validation_{name}" for name in sorted(measured))
            raise UseCaseError(
                f"train.early_stopping.monitor: the network does not measure 'validation_{self.stop.monitor}';"
                f" expected one of {names}"
            )

    def after(self, progress: Progress, measured: dict[str, float], weights: Callable[[], Weights]) -> bool:
        """Notes an epoch, and says whether it was the last one.

        Args:
            progress: of this member.
            measured: on the validation part.
            weights: gives them as they are after the epoch.
        """
        progress.measured.append(measured)
        epoch = len(progress.measured)
        if self.stop is None:
            progress.kept = epoch
            return epoch >= self.epochs
        value = measured[self.stop.monitor]
        value = value if self.stop.monitor.split("_")[-1] in HIGHER_IS_BETTER else -value
        if value > progress.best:
            progress.best, progress.kept = value, epoch
            progress.weights = weights() if self.needs_weights else None
        return epoch >= self.epochs or epoch - progress.kept >= self.stop.patience

    def outcome(self, progress: Progress, state: State, weights: Callable[[], Weights]) -> Outcome:
        """What became of it.

        Args:
            progress: of this member.
            state: how it ended.
            weights: gives them as they are now.
        """
        best = progress.weights
        kept = weights if best is None else lambda: best
        score = self.score(progress.measured[progress.kept - 1], kept)
        if state == "complete":
            self.ended(score, kept)
        return Outcome(
            self.number,
            state,
            score,
            curve=[one[self.watched] for one in progress.measured],
            losses=[one["loss"] for one in progress.measured],
            seconds=progress.seconds,
            bytes=4 * self.model.count_params(),
            row_seconds=self.row_seconds(kept()) if state == "complete" else None,
        )

    def failed(self, progress: Progress, reason: str) -> Outcome:
        """That it has no score."""
        curve: list[float] = [one[self.watched] for one in progress.measured if self.watched in one]
        losses: Any = [one["loss"] for one in progress.measured]
        return Outcome(self.number, "failed", curve=curve, losses=losses, seconds=progress.seconds, reason=reason)
