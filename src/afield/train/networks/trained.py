"""Networks that were fitted: what they answer, and what they become as ONNX."""

from __future__ import annotations

import keras
import numpy as np

from afield.bundle.manifest import Input
from afield.preprocess.base import Features, StepInput
from afield.preprocess.rows import dense, taken
from afield.report.model import Epoch, LayerRow
from afield.train.base import Parity, Task
from afield.train.compiled.loop import Progress
from afield.train.compiled.program import State
from afield.train.compiled.sparse import SparseEngine
from afield.train.export.keras_model import export_keras
from afield.train.export.sparse import export_sparse
from afield.train.export.stateful import State as Carried
from afield.train.export.stateful import export_stateful
from afield.train.networks import build
from afield.train.networks.learning import Scale
from afield.train.networks.reconstruction import by_column, factors_of, summed

BLOCK = 256
ANSWERS = "answers"
MEASURED = 20_000
"""Training records by which an auto-encoder's usual errors are measured, at most."""


class _Trained:
    """What every fitted network says of itself."""

    seconds = None
    vectors = False
    parity = Parity()

    def __init__(self, progress: Progress, layers: list[LayerRow]) -> None:
        self.progress = progress
        self._layers = layers

    @property
    def history(self) -> list[Epoch]:
        """One entry an epoch."""
        return self.progress.history

    @property
    def stopped(self) -> str:
        """Why training ended."""
        return self.progress.stopped

    def layers(self) -> list[LayerRow]:
        """The network's table."""
        return self._layers


class TrainedSparse(_Trained):
    """A fitted network on sparse rows.

    Args:
        engine: what fitted it.
        state: the weights to keep.
        progress: how the fit went.
        entered: what enters it.
        scale: of values.
        layers: its table.
    """

    def __init__(
        self,
        engine: SparseEngine,
        state: State,
        progress: Progress,
        entered: StepInput,
        scale: Scale | None,
        layers: list[LayerRow],
    ) -> None:
        super().__init__(progress, layers)
        self._engine = engine
        self._state = state
        self._entered = entered
        self._scale = scale

    def predict(self, features: Features) -> np.ndarray:
        """Probabilities or values, float32[N, C]."""
        (rows,) = features.values()
        return _scaled(self._engine.predict(self._state, rows), self._scale)  # pyright: ignore[reportArgumentType]

    def export_onnx(self) -> bytes:
        """The network as an ONNX model that reads ids and weights."""
        return export_sparse(self._engine.model.layers, self._engine.weights(self._state), _pair(self._scale))

    def fed(self) -> list[Input]:
        """How the inputs of the ONNX model are fed."""
        feature = self._entered.feature
        return [
            Input(name="ids", dtype="int32", feature=feature, form="ids"),
            Input(name="weights", dtype="float32", feature=feature, form="weights"),
        ]


class TrainedKeras(_Trained):
    """A fitted network on arrays and windows.

    Args:
        model: with the weights to keep.
        progress: how the fit went.
        task: what it learned.
        scale: of values.
    """

    def __init__(self, model: keras.Model, progress: Progress, task: Task, scale: Scale | None = None) -> None:
        super().__init__(progress, build.table(model))
        self._model = model
        self._task = task
        self._scale = scale

    def predict(self, features: Features) -> np.ndarray:
        """What the question asks for: probabilities or values."""
        return _scaled(_answered(self._model, self._task, features), self._scale)

    def export_onnx(self) -> bytes:
        """The network as an ONNX model whose inputs bear the names of the features."""
        return export_keras(self._model, self._task.inputs, [ANSWERS], _pair(self._scale))

    def fed(self) -> list[Input]:
        """Each feature as it is."""
        return [Input(name=one.feature, dtype=one.dtype, feature=one.feature) for one in self._task.inputs]


class TrainedReconstruction(TrainedKeras):
    """A fitted auto-encoder as what scores records by how badly they are given back.

    Args:
        model: with the weights to keep.
        progress: how the fit went.
        task: what it learned.
        training: what it was fitted on, by which the usual error of each column is measured.
    """

    def __init__(self, model: keras.Model, progress: Progress, task: Task, training: Features) -> None:
        super().__init__(model, progress, task)
        rows = len(next(iter(training.values())))
        measured = taken(training, np.linspace(0, rows - 1, min(rows, MEASURED)).astype(np.int64))
        plain = np.ones(model.outputs[0].shape[-1], np.float32)
        self.network = model
        self._parts = by_column(model, factors_of(_answered(by_column(model, plain), task, measured)))
        self._model = summed(self._parts)

    def parts(self, features: Features) -> np.ndarray:
        """What each column adds to the score of each record: float32[N, F]."""
        return _answered(self._parts, self._task, features)


class TrainedWriter(_Trained):
    """A fitted network that foretells the next character, with its state carried where it runs.

    Args:
        model: with the weights to keep.
        progress: how the fit went.
        task: what it learned.
    """

    def __init__(self, model: keras.Model, progress: Progress, task: Task) -> None:
        super().__init__(progress, build.table(model))
        self._model = model
        self._task = task

    def predict(self, features: Features) -> np.ndarray:
        """Probabilities of the next character after each of the places of a window, float32[N, L, C]."""
        return _answered(self._model, self._task, features)

    def export_onnx(self) -> bytes:
        """The network as an ONNX model of one step of any length, its states inputs and outputs."""
        return self._exported()[0]

    def fed(self) -> list[Input]:
        """The characters, and the states after the last ones."""
        (one,) = self._task.inputs
        carried = [Input(name=state.name, dtype="float32", feature="", form="state") for state in self._exported()[1]]
        return [Input(name=one.feature, dtype=one.dtype, feature=one.feature), *carried]

    def _exported(self) -> tuple[bytes, list[Carried]]:
        return export_stateful(self._model, self._task.inputs[0].feature, ANSWERS)


def _answered(model: keras.Model, task: Task, features: Features) -> np.ndarray:
    rows = len(next(iter(features.values())))
    answers = [np.zeros((0, *tuple(model.outputs[0].shape)[1:]), np.float32)]
    for start in range(0, rows, BLOCK):
        some = taken(features, np.arange(start, min(start + BLOCK, rows)))
        values = [dense(some[one.feature]) for one in task.inputs]
        answers.append(np.asarray(model(values[0] if len(values) == 1 else values, training=False)))
    return np.concatenate(answers)


def _scaled(values: np.ndarray, scale: Scale | None) -> np.ndarray:
    return values if scale is None else values * np.float32(scale.deviation) + np.float32(scale.mean)


def _pair(scale: Scale | None) -> tuple[float, float] | None:
    return None if scale is None else (scale.deviation, scale.mean)
