"""The trainer of `model: network:`: Keras layers on sparse rows, fitted by the compiled loop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np

from afield.bundle.manifest import Input
from afield.errors import UseCaseError
from afield.preprocess.base import Features, StepInput
from afield.preprocess.rows import SparseRows
from afield.report.model import Epoch, LayerRow
from afield.train.base import Examples, Task, Watcher
from afield.train.compiled.checkpoint import Checkpoints
from afield.train.compiled.loop import Loop, Plan, Progress
from afield.train.compiled.program import State
from afield.train.compiled.sparse import Sparse, SparseEngine
from afield.train.export.sparse import export_sparse
from afield.train.networks import build
from afield.train.networks.spec import Network


class NetworkTrainer:
    """Fits one network.

    Args:
        spec: its layers.
        task: what it is to learn.
    """

    def __init__(self, spec: Network, task: Task) -> None:
        self._spec = spec
        self._task = task
        self._train = task.train
        self._classes = task.classes
        self._checkpoints = Checkpoints(task.checkpoints, task.identity) if task.checkpoints else None

    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> TrainedNetwork:
        """Fits on the training examples; early stopping looks at the validation examples alone."""
        rows, others = sparse(training.features), sparse(validation.features)
        batch = min(self._train.batch_size, len(rows))
        steps = -(-len(rows) // batch) * self._train.epochs
        weights = self._class_weights(training.targets)
        engine = SparseEngine(
            lambda columns: self._compiled(columns, steps),
            rows,
            training.targets,
            (others, validation.targets),
            Sparse(self._train.batch_size, self._train.seed, self._train.exact, self._train.epochs),
            None if weights is None else weights[training.targets],
        )
        loop = Loop(engine, self._plan(), self._checkpoints, watcher)
        try:
            state = loop.run()
        except KeyboardInterrupt:
            if self._checkpoints:
                self._checkpoints.flush()
            raise
        layers = build.table(engine.model, rows.width)
        return TrainedNetwork(engine, state, loop.progress, self._task.inputs[0], layers)

    def forget(self) -> None:
        """Starts anew, whatever an interrupted training has left."""
        if self._checkpoints:
            self._checkpoints.forget()

    def done(self) -> None:
        """The result is safe elsewhere: what was kept for an interruption can go."""
        if self._checkpoints:
            self._checkpoints.clear()

    @property
    def trouble(self) -> str | None:
        """Why checkpoints could not be written, where that was so."""
        return self._checkpoints.trouble if self._checkpoints else None

    def _compiled(self, columns: int, steps: int) -> keras.Model:
        train = self._train
        ((name, arguments),) = train.optimizer.items()
        decay = (train.learning_rate_schedule or {}).get("cosine_decay")
        keras.utils.set_random_seed(train.seed)
        model = build.network(self._spec, [replace(self._task.inputs[0], shape=(columns,))], self._task)
        model.compile(
            build.optimizer(name, arguments, decay, steps), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        return model

    def _plan(self) -> Plan:
        train = self._train
        plateau = (train.learning_rate_schedule or {}).get("reduce_on_plateau")
        stopping = train.early_stopping
        return Plan(
            epochs=train.epochs,
            patience=stopping.patience if stopping else None,
            monitor=stopping.monitor if stopping else "validation_loss",
            plateau=_plateau(plateau) if plateau is not None else None,
        )

    def _class_weights(self, targets: np.ndarray) -> np.ndarray | None:
        wanted = self._train.class_weight
        if wanted == "none":
            return None
        counts = np.bincount(targets, minlength=len(self._classes))
        if wanted == "balanced":
            return (len(targets) / (len(counts) * np.maximum(counts, 1))).astype(np.float32)
        unknown = sorted(set(wanted) - set(self._classes))
        if unknown:
            raise UseCaseError(
                f"train.class_weight: there is no class '{unknown[0]}'; there are {', '.join(self._classes[:20])}"
            )
        return np.array([wanted.get(name, 1.0) for name in self._classes], np.float32)


class TrainedNetwork:
    """A fitted network.

    Args:
        engine: what fitted it.
        state: the weights to keep.
        progress: how the fit went.
        entered: what enters it.
        layers: its table.
    """

    def __init__(
        self, engine: SparseEngine, state: State, progress: Progress, entered: StepInput, layers: list[LayerRow]
    ) -> None:
        self._engine = engine
        self._state = state
        self._progress = progress
        self._entered = entered
        self._layers = layers

    vectors = False

    @property
    def history(self) -> list[Epoch]:
        return self._progress.history

    @property
    def stopped(self) -> str:
        return self._progress.stopped

    def predict(self, features: Features) -> np.ndarray:
        """Probabilities, float32[N, C]."""
        return self._engine.predict(self._state, sparse(features))

    def export_onnx(self) -> bytes:
        """The network as an ONNX model that reads ids and weights."""
        return export_sparse(self._engine.model.layers, self._engine.weights(self._state))

    @property
    def seconds(self) -> None:
        """The epochs say it."""
        return None

    def fed(self) -> list[Input]:
        """How the inputs of the ONNX model are fed."""
        feature = self._entered.feature
        return [
            Input(name="ids", dtype="int32", feature=feature, form="ids"),
            Input(name="weights", dtype="float32", feature=feature, form="weights"),
        ]

    def layers(self) -> list[LayerRow]:
        """The network's table."""
        return self._layers


def sparse(features: Features) -> SparseRows:
    """The one feature that a network on text reads.

    Raises:
        UseCaseError: there are several, or it is not sparse.
    """
    values = list(features.values())
    if len(values) != 1 or not isinstance(values[0], SparseRows):
        raise UseCaseError(f"model.network: reads the rows of one text step, found {', '.join(features)}")
    return values[0]


def _plateau(given: dict[str, Any]) -> tuple[float, int, float, int, float]:
    # Defaults as in Keras's ReduceLROnPlateau.
    values: dict[str, Any] = {"factor": 0.1, "patience": 10, "min_delta": 0.0001, "cooldown": 0, "min_lr": 0.0} | given
    return (values["factor"], values["patience"], values["min_delta"], values["cooldown"], values["min_lr"])
