"""What a network learns for each kind of question: its targets, its loss, what is measured, and how long it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from afield.errors import UseCaseError
from afield.train.base import MEASURED, Examples, Task
from afield.train.compiled.loop import Plan
from afield.train.networks import build

LOSSES = {
    "classify": "sparse_categorical_crossentropy",
    "tag": "binary_crossentropy",
    "regress": "mean_squared_error",
    "abnormal": "mean_squared_error",
    "write": "sparse_categorical_crossentropy",
}
"""Kind of question -> the loss that `auto` stands for."""


@dataclass(frozen=True)
class Scale:
    """How values are standardised to be learned.

    Args:
        mean: of the training part.
        deviation: standard deviation of the training part.
    """

    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def of(cls, task: Task, targets: np.ndarray) -> Scale | None:
        """That of a task; None where nothing is standardised."""
        if task.kind != "regress" or not task.train.standardize_target:
            return None
        return cls(float(targets.mean()), float(targets.std()) or 1.0)


def targets_of(task: Task, examples: Examples, scale: Scale | None, outputs: tuple[int, ...]) -> Any:
    """What the network is to answer: an array, or windows of the features themselves.

    Args:
        task: with the kind of question.
        examples: N of them.
        scale: of values.
        outputs: shape of the network's answer to one record.
    """
    if task.kind == "abnormal":
        if outputs != task.inputs[0].shape:
            raise UseCaseError(
                f"model: `kind: abnormal` gives back what enters, {task.inputs[0].shape} a record; it gives {outputs}"
            )
        return examples.features[task.inputs[0].feature]
    if task.kind == "regress":
        values = examples.targets if scale is None else (examples.targets - scale.mean) / scale.deviation
        return np.asarray(values, np.float32)[:, None]
    if task.kind == "classify" and outputs == (1,):
        return examples.targets.astype(np.float32)[:, None]
    return examples.targets


def refused(task: Task) -> None:
    """Refuses what an auto-encoder cannot give back.

    Raises:
        UseCaseError: several features enter, or one of text or categories.
    """
    if task.kind != "abnormal" or [(one.sparse, one.dtype) for one in task.inputs] == [(False, "float32")]:
        return
    raise UseCaseError(
        f"model: `kind: abnormal` gives back one feature of numbers, found {described(task)}; leave the others out,"
        " write `categories: one_hot` in the table step, or take `sklearn: IsolationForest`"
    )


def described(task: Task) -> str:
    """What enters, for messages: "table (numbers), categories (categories)"."""
    kinds = ("text" if one.sparse else "numbers" if one.dtype == "float32" else "categories" for one in task.inputs)
    return ", ".join(f"{one.feature} ({kind})" for one, kind in zip(task.inputs, kinds, strict=True))


def learning(model: keras.Model, task: Task, steps: int) -> None:
    """Compiles a network as the use case wishes.

    Args:
        model: not compiled.
        task: with the kind of question and how to train.
        steps: of the whole training.
    """
    train = task.train
    ((name, arguments),) = train.optimizer.items()
    decay = (train.learning_rate_schedule or {}).get("cosine_decay")
    binary = task.kind == "classify" and tuple(model.outputs[0].shape)[1:] == (1,)
    loss = LOSSES[task.kind] if train.loss in ("auto", "cross_entropy") else train.loss
    if binary:
        loss = "binary_crossentropy"
    if (train.loss == "cross_entropy") == (task.kind in ("regress", "abnormal")) and train.loss != "auto":
        raise UseCaseError(f"train.loss: {train.loss} does not answer `kind: {task.kind}`; write auto")
    model.compile(build.optimizer(name, arguments, decay, steps), loss, metrics=_metrics(task, binary))


def plan_of(task: Task) -> Plan:
    """How long to train."""
    train = task.train
    plateau = (train.learning_rate_schedule or {}).get("reduce_on_plateau")
    stopping = train.early_stopping
    return Plan(
        epochs=train.epochs,
        patience=stopping.patience if stopping else None,
        monitor=stopping.monitor if stopping else "validation_loss",
        plateau=_plateau(plateau) if plateau is not None else None,
    )


def weights_of(task: Task, targets: np.ndarray) -> np.ndarray | None:
    """The weight of each training record in the loss, float32[N]; None where all have the same.

    Raises:
        UseCaseError: a weight for a class that is not there.
    """
    weights = class_weights_of(task, targets)
    return None if weights is None else weights[targets]


def class_weights_of(task: Task, targets: np.ndarray) -> np.ndarray | None:
    """The weight of each class in the loss, float32[C]; None where all have the same.

    Args:
        task: with what is wished for.
        targets: int32[N], classes of the training records.

    Raises:
        UseCaseError: a weight for a class that is not there.
    """
    wanted, classes = task.train.class_weight, task.classes
    if wanted == "none" or task.kind != "classify":
        return None
    if wanted == "balanced":
        counts = np.bincount(targets, minlength=len(classes))
        return (len(targets) / (len(counts) * np.maximum(counts, 1))).astype(np.float32)
    unknown = sorted(set(wanted) - set(classes))
    if unknown:
        raise UseCaseError(f"train.class_weight: there is no class '{unknown[0]}'; there are {', '.join(classes[:20])}")
    return np.array([wanted.get(name, 1.0) for name in classes], np.float32)


def _metrics(task: Task, binary: bool) -> list[Any]:
    wanted = task.train.metrics if task.train.metrics is not None else MEASURED.get(task.kind, ())
    made: list[Any] = []
    for name in wanted:
        if name == "accuracy" and task.kind == "tag":
            made.append(keras.metrics.BinaryAccuracy("accuracy"))
        elif name == "auc" and not (binary or task.kind == "tag"):
            raise UseCaseError(
                "train.metrics: `auc` needs one probability a record; end the network with 1 sigmoid unit"
            )
        elif name == "auc":
            made.append(keras.metrics.AUC(name="auc"))
        elif name == "r2":
            made.append(keras.metrics.R2Score(name="r2"))
        else:
            made.append(name)
    return made


def _plateau(given: dict[str, Any]) -> tuple[float, int, float, int, float]:
    # Defaults as in Keras's ReduceLROnPlateau.
    values: dict[str, Any] = {"factor": 0.1, "patience": 10, "min_delta": 0.0001, "cooldown": 0, "min_lr": 0.0} | given
    return (values["factor"], values["patience"], values["min_delta"], values["cooldown"], values["min_lr"])
