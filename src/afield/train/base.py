"""The seam of this room: a trainer turns features and targets into something that predicts and can be exported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from afield.preprocess.base import Features
from afield.report.model import Epoch, LayerRow


@dataclass(frozen=True)
class Examples:
    """Features with their known answers.

    Args:
        features: N records.
        targets: int32[N]; number of the class.
    """

    features: Features
    targets: np.ndarray


class Watcher(Protocol):
    """Who is told of the progress of long work; every method may do nothing."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A new piece of work begins; `total` is its size where it is known."""
        ...

    def advance(self, amount: int) -> None:
        """So much of the present stage is done."""
        ...

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is over."""
        ...


class Unwatched:
    """A watcher that says nothing."""

    def stage(self, name: str, total: int | None = None) -> None: ...

    def advance(self, amount: int) -> None: ...

    def epoch(self, epoch: Epoch) -> None: ...


class Trained(Protocol):
    """The result of a fit."""

    @property
    def history(self) -> Sequence[Epoch]: ...

    @property
    def stopped(self) -> str:
        """Why training ended."""
        ...

    def predict(self, features: Features) -> np.ndarray:
        """Probabilities, float32[N, C]."""
        ...

    def export_onnx(self) -> bytes: ...

    def layers(self) -> list[LayerRow]: ...


class Trainer(Protocol):
    """Fits a model. A model component's `open(train, classes, checkpoints, identity)` gives one."""

    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> Trained:
        """Fits on the training examples; early stopping looks at the validation examples alone."""
        ...

    def forget(self) -> None:
        """Starts anew, whatever an interrupted training has left."""
        ...

    def done(self) -> None:
        """The result is safe elsewhere: what was kept for an interruption can go."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why an interruption could not be provided for, where that was so."""
        ...
