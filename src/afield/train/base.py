"""The seam of this room: a trainer turns features and targets into something that predicts and can be exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from afield.bundle.manifest import Input
from afield.preprocess.base import Features, StepInput
from afield.report.model import Epoch, LayerRow
from afield.usecase.training import Train

Kind = Literal["classify", "tag", "regress", "abnormal", "group", "write"]

MEASURED: Mapping[str, tuple[str, ...]] = {
    "classify": ("accuracy",),
    "tag": ("accuracy",),
    "write": ("accuracy",),
    "regress": ("mean_absolute_error",),
}
"""Kind of question -> what is measured of a network each epoch where the use case does not say."""


@dataclass(frozen=True)
class Task:
    """What a model is to learn, and with what.

    Args:
        kind: of the question.
        classes: names of the classes or tags; empty where there are none.
        inputs: what enters, in order.
        train: how to fit.
        folder: of the use case; files that a model names are relative to it.
        checkpoints: folder in which an interrupted training is kept, or None.
        identity: what must be equal for an interrupted training to go on.
    """

    kind: Kind
    classes: list[str]
    inputs: list[StepInput]
    train: Train
    folder: Path = Path()
    checkpoints: Path | None = None
    identity: str = ""


@dataclass(frozen=True)
class Examples:
    """Features with their known answers.

    Args:
        features: N records.
        targets: int32[N], number of the class (classify; abnormal and group, where labels are known, else empty);
            float32[N, C], 1 for each tag (tag); float32[N] (regress); `Windows` of the character after each (write).
    """

    features: Features
    targets: Any


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


@dataclass(frozen=True)
class Parity:
    """How near an exported model's answers must be to the trained one's.

    Args:
        difference: at most, relative to 1 or to the answer where that is larger: float32 sums in another order.
        share: of the rows for which it must hold.
    """

    difference: float = 1e-4
    share: float = 1.0


class Trained(Protocol):
    """The result of a fit."""

    @property
    def history(self) -> Sequence[Epoch]: ...

    @property
    def stopped(self) -> str:
        """Why training ended."""
        ...

    @property
    def vectors(self) -> bool:
        """Whether it gives vectors to compare records by, in place of what the kind of question asks for."""
        ...

    @property
    def parity(self) -> Parity:
        """How near the exported model must come to it."""
        ...

    @property
    def seconds(self) -> float | None:
        """Time to train, where the epochs do not say it."""
        ...

    def predict(self, features: Features) -> np.ndarray:
        """What the exported model gives too: probabilities float32[N, C] (classify, tag), values float32[N, 1]
        (regress), scores float32[N, 1], higher for what is more abnormal (abnormal), vectors float32[N, D] (group),
        probabilities of the next character float32[N, L, C] (write)."""
        ...

    def export_onnx(self) -> bytes: ...

    def fed(self) -> list[Input]:
        """How the inputs of the exported model are fed."""
        ...

    def layers(self) -> list[LayerRow]: ...


class Trainer(Protocol):
    """Fits a model. A model component's `open(task)` gives one."""

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
