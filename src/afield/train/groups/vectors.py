"""Fitted models that turn a record into a vector."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from afield.bundle.manifest import Input
from afield.preprocess.base import Features, StepInput
from afield.preprocess.rows import SparseRows
from afield.report.model import Epoch, LayerRow
from afield.train.base import Parity, Task
from afield.train.baselines.matrix import sparse_matrix
from afield.train.compiled.loop import Progress
from afield.train.export.sparse import export_sparse
from afield.train.networks import build
from afield.train.networks.trained import TrainedKeras

BLOCK = 4096
SHORTEST = 1e-12


class TrainedVectors(TrainedKeras):
    """A fitted network whose answer is a vector.

    Args:
        model: with the weights to keep.
        progress: how the fit went.
        task: what it learned.
        seconds: to fit it, where the epochs do not say it.
    """

    vectors = True

    def __init__(self, model: keras.Model, progress: Progress, task: Task, seconds: float | None = None) -> None:
        super().__init__(model, progress, task)
        self.seconds = seconds


class TrainedTerms:
    """Text as vectors of length 1: the sum of the vectors of its terms.

    Args:
        kernel: float32[V, D]; the vector of each term.
        entered: what enters.
        stopped: what was fitted.
        seconds: to fit it.
    """

    vectors = True
    parity = Parity()

    def __init__(self, kernel: np.ndarray, entered: StepInput, stopped: str, seconds: float) -> None:
        self._kernel = kernel
        self._entered = entered
        self.stopped = stopped
        self.seconds = seconds
        dense = keras.layers.Dense(kernel.shape[1], use_bias=False, name="components")
        self._model = keras.Sequential(
            [keras.Input((1,), name=entered.feature), dense, keras.layers.UnitNormalization(name="unit")]
        )

    @property
    def history(self) -> Sequence[Epoch]:
        """It has no epochs."""
        return []

    def predict(self, features: Features) -> np.ndarray:
        """float32[N, D]; all 0 where no term is known."""
        (rows,) = features.values()
        assert isinstance(rows, SparseRows)
        vectors = np.asarray(sparse_matrix(rows) @ self._kernel, np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), SHORTEST).astype(np.float32)

    def export_onnx(self) -> bytes:
        """As an ONNX model that reads ids and weights."""
        return export_sparse(self._model.layers, [self._kernel], output="vectors")

    def fed(self) -> list[Input]:
        """The entries of the sparse rows."""
        feature = self._entered.feature
        return [
            Input(name="ids", dtype="int32", feature=feature, form="ids"),
            Input(name="weights", dtype="float32", feature=feature, form="weights"),
        ]

    def layers(self) -> list[LayerRow]:
        """The table of what it computes."""
        return build.table(self._model, len(self._kernel))
