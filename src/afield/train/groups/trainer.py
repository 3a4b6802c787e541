"""The trainers of `model: groups:`: principal components of the features, or the code of an auto-encoder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD

from afield.errors import DataError, UseCaseError
from afield.preprocess.base import StepInput
from afield.preprocess.rows import SparseRows, joined, taken
from afield.train.base import Examples, Task, Watcher
from afield.train.baselines.matrix import sparse_matrix
from afield.train.compiled.loop import Progress
from afield.train.frameworks.base import Whole
from afield.train.groups.clusters import enough
from afield.train.groups.vectors import TrainedTerms, TrainedVectors
from afield.train.networks import build
from afield.train.networks.learning import described
from afield.train.networks.spec import Network
from afield.train.networks.trainer import KerasTrainer

if TYPE_CHECKING:
    from afield.train.groups.spec import Groups

FITTED_BYTES = 1 << 29
"""Numbers written out to find principal components, at most: of more records, some that stand evenly apart."""


class GroupsTrainer(Whole):
    """Finds the principal components of the features; of text, those of its terms, without centring.

    Source: K. Pearson, On lines and planes of closest fit to systems of points in space, Philosophical Magazine 2
    (1901); on text S. Deerwester and others, Indexing by Latent Semantic Analysis, JASIS 41 (1990).

    Args:
        spec: how many of them.
        task: with what enters.
    """

    def __init__(self, spec: Groups, task: Task) -> None:
        self._spec = spec
        self._task = task

    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> TrainedVectors | TrainedTerms:
        """Fits on the training examples.

        Raises:
            UseCaseError: categories enter by their numbers, or text beside other features.
            DataError: there is nothing to tell the records apart by, or there are fewer records than groups.
        """
        enough(self._spec, _records(training))
        started = time.perf_counter()
        watcher.stage("principal components")
        rows = list(training.features.values())
        if len(rows) == 1 and isinstance(rows[0], SparseRows):
            kernel = self._terms(rows[0])
            return TrainedTerms(kernel, self._task.inputs[0], _said(kernel), time.perf_counter() - started)
        if any(one.sparse or one.dtype != "float32" for one in self._task.inputs):
            raise UseCaseError(
                f"model.groups: reads numbers, or the terms of one text step, found {described(self._task)}; leave the"
                " others out, or write `categories: one_hot` in the table step"
            )
        kernel, bias = self._components(training)
        model = _linear(self._task.inputs, kernel, bias)
        return TrainedVectors(model, Progress(stopped=_said(kernel)), self._task, time.perf_counter() - started)

    def _components(self, training: Examples) -> tuple[np.ndarray, np.ndarray]:
        count = _records(training)
        width = sum(prod(one.shape) for one in self._task.inputs)
        fitted = np.linspace(0, count - 1, min(count, max(FITTED_BYTES // (4 * width), 1))).astype(np.int64)
        values = joined(taken(training.features, fitted))
        if not values.std(axis=0).any():
            raise DataError("model.groups: all training records are alike; there is nothing to group them by")
        found: Any = PCA(min(self._spec.dimensions, *values.shape), random_state=self._task.train.seed).fit(values)
        kernel = np.asarray(found.components_.T, np.float32)
        return kernel, -np.asarray(found.mean_ @ found.components_.T, np.float32)

    def _terms(self, rows: SparseRows) -> np.ndarray:
        if rows.width < 2 or len(rows) < 2:
            raise DataError("model.groups: the training part has fewer than two terms or records; give more text")
        most = min(self._spec.dimensions, rows.width - 1, len(rows) - 1)
        found: Any = TruncatedSVD(most, random_state=self._task.train.seed).fit(sparse_matrix(rows))
        return np.ascontiguousarray(found.components_.T, np.float32)


class LayersTrainer:
    """Fits an auto-encoder of given layers, and keeps the part that makes the vector.

    Args:
        spec: how many groups are wanted.
        layers: from the record to its vector.
        task: with what enters.
    """

    def __init__(self, spec: Groups, layers: Network, task: Task) -> None:
        self._spec = spec
        self._task = task
        # Its loss and targets are those of a network that gives back what enters.
        self._inner = KerasTrainer(lambda inputs: _auto_encoder(layers, inputs, task), replace(task, kind="abnormal"))

    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> TrainedVectors:
        """Fits on the training examples; early stopping looks at how well the validation examples are given back.

        Raises:
            UseCaseError: several features enter, or one of text or categories.
            DataError: there are fewer records than groups.
        """
        enough(self._spec, _records(training))
        if [(one.sparse, one.dtype) for one in self._task.inputs] != [(False, "float32")]:
            raise UseCaseError(
                f"model.groups.layers: read one feature of numbers, found {described(self._task)}; leave the others"
                " out, or leave `layers` out"
            )
        fitted: Any = self._inner.fit(training, validation, watcher)
        return TrainedVectors(fitted.network.get_layer(ENCODER), fitted.progress, self._task)

    def forget(self) -> None:
        """Starts anew, whatever an interrupted training has left."""
        self._inner.forget()

    def done(self) -> None:
        """The result is safe elsewhere: what was kept for an interruption can go."""
        self._inner.done()

    @property
    def trouble(self) -> str | None:
        """Why checkpoints could not be written, where that was so."""
        return self._inner.trouble


ENCODER = "encoder"


def _auto_encoder(layers: Network, inputs: Sequence[StepInput], task: Task) -> keras.Model:
    """The layers, and dense ones of the same sizes in the opposite order."""
    encoder = build.network(layers, inputs, task)
    encoder.name = ENCODER
    code: Any = encoder.outputs[0]
    if len(code.shape) != 2:
        raise UseCaseError(
            f"model.groups.layers: the last layer gives {tuple(code.shape)[1:]} a record; expected one vector, as after"
            " `flatten` or `dense`"
        )
    outputs: list[Any] = [layer.output for layer in encoder.layers]
    sizes = [output.shape[-1] for output in outputs if len(output.shape) == 2]
    one = inputs[0]
    entered = keras.Input(one.shape, name=one.feature)
    value: Any = encoder(entered)
    for before, size in zip(sizes[::-1], sizes[-2::-1], strict=False):
        if size != before and size != prod(one.shape):
            value = keras.layers.Dense(size, "relu")(value)
    value = keras.layers.Dense(prod(one.shape))(value)
    return keras.Model(entered, keras.layers.Reshape(one.shape)(value))


def _linear(inputs: Sequence[StepInput], kernel: np.ndarray, bias: np.ndarray) -> keras.Model:
    entered = [keras.Input(one.shape, name=one.feature) for one in inputs]
    flat: list[Any] = [
        keras.layers.Flatten()(value) if len(one.shape) > 1 else value
        for one, value in zip(inputs, entered, strict=True)
    ]
    together = flat[0] if len(flat) == 1 else keras.layers.Concatenate()(flat)
    dense = keras.layers.Dense(kernel.shape[1], name="components")
    model = keras.Model(entered[0] if len(entered) == 1 else entered, dense(together))
    dense.set_weights([kernel, bias])
    return model


def _records(examples: Examples) -> int:
    return len(next(iter(examples.features.values())))


def _said(kernel: np.ndarray) -> str:
    return f"{kernel.shape[1]:,} principal components of {kernel.shape[0]:,} columns"
