"""The trainer of Keras networks: on sparse rows by the vocabulary of each batch, on all else by whole epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import keras

from afield.errors import UseCaseError
from afield.preprocess.base import Features, StepInput
from afield.preprocess.rows import SparseRows
from afield.train.base import Examples, Task, Watcher
from afield.train.compiled.checkpoint import Checkpoints
from afield.train.compiled.loop import Loop, Progress
from afield.train.compiled.sparse import Sparse, SparseEngine
from afield.train.compiled.whole import WholeEngine
from afield.train.networks import build
from afield.train.networks.learning import Scale, learning, plan_of, refused, targets_of, weights_of
from afield.train.networks.spec import Network
from afield.train.networks.trained import TrainedKeras, TrainedReconstruction, TrainedSparse, TrainedWriter

Build = Callable[[Sequence[StepInput]], keras.Model]
"""Makes the network for what enters it; compiled or not."""


class KerasTrainer:
    """Fits one Keras network.

    Args:
        network: makes it.
        task: what it is to learn.
    """

    def __init__(self, network: Build, task: Task) -> None:
        self._network = network
        self._task = task
        self._checkpoints = Checkpoints(task.checkpoints, task.identity) if task.checkpoints else None

    def fit(
        self, training: Examples, validation: Examples, watcher: Watcher
    ) -> TrainedSparse | TrainedKeras | TrainedWriter:
        """Fits on the training examples; early stopping looks at the validation examples alone."""
        refused(self._task)
        if not any(one.sparse for one in self._task.inputs):
            return self._fit_whole(training, validation, watcher)
        return self._fit_sparse(training, validation, watcher)

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

    def _fit_sparse(self, training: Examples, validation: Examples, watcher: Watcher) -> TrainedSparse:
        rows, others = sparse(training.features), sparse(validation.features)
        task = self._task
        steps = self._steps(len(rows))
        scale = Scale.of(task, training.targets)
        outputs: tuple[int, ...] = (len(task.classes),)

        def compiled(columns: int) -> keras.Model:
            nonlocal outputs
            model = self._compiled([replace(task.inputs[0], shape=(columns,))], steps)
            outputs = tuple(model.outputs[0].shape)[1:]
            return model

        compiled(1)
        targets = [targets_of(task, examples, scale, outputs) for examples in (training, validation)]
        engine = SparseEngine(
            compiled,
            rows,
            targets[0],
            (others, targets[1]),
            Sparse(task.train.batch_size, task.train.seed, task.train.exact, task.train.epochs),
            weights_of(task, training.targets),
        )
        loop = Loop(engine, plan_of(task), self._checkpoints, watcher)
        state = self._run(loop)
        layers = build.table(engine.model, rows.width)
        return TrainedSparse(engine, state, loop.progress, task.inputs[0], scale, layers)

    def _fit_whole(self, training: Examples, validation: Examples, watcher: Watcher) -> TrainedKeras | TrainedWriter:
        task = self._task
        model = self._compiled(task.inputs, self._steps(len(next(iter(training.features.values())))))
        if task.kind == "write":
            TrainedWriter(model, Progress(), task).export_onnx()  # refused before the training, which may take long
        scale = Scale.of(task, training.targets)
        outputs = tuple(model.outputs[0].shape)[1:]
        engine = WholeEngine(
            model,
            training.features,
            targets_of(task, training, scale, outputs),
            (validation.features, targets_of(task, validation, scale, outputs)),
            task.train.batch_size,
            task.train.seed,
            weights_of(task, training.targets),
        )
        loop = Loop(engine, plan_of(task), self._checkpoints, watcher)
        state = self._run(loop)
        model.set_weights(engine.weights(state))
        if task.train.precision != "float32":
            # What runs afield computes in float32.
            weights = model.get_weights()
            model = self._network(task.inputs)
            model.set_weights(weights)
        if task.kind == "write":
            return TrainedWriter(model, loop.progress, task)
        if task.kind == "abnormal":
            return TrainedReconstruction(model, loop.progress, task, training.features)
        return TrainedKeras(model, loop.progress, task, scale)

    def _steps(self, rows: int) -> int:
        batch = min(self._task.train.batch_size, rows)
        return -(-rows // batch) * self._task.train.epochs

    def _compiled(self, inputs: Sequence[StepInput], steps: int) -> keras.Model:
        train = self._task.train
        keras.utils.set_random_seed(train.seed)
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(train.precision)
        try:
            model = self._network(inputs)
        finally:
            keras.config.set_dtype_policy(before)
        if not model.compiled:
            learning(model, self._task, steps)
        return model

    def _run(self, loop: Loop) -> Any:
        try:
            return loop.run()
        except KeyboardInterrupt:
            if self._checkpoints:
                self._checkpoints.flush()
            raise


class NetworkTrainer(KerasTrainer):
    """Fits the network of a list of layers.

    Args:
        spec: its layers.
        task: what it is to learn.
    """

    def __init__(self, spec: Network, task: Task) -> None:
        super().__init__(lambda inputs: build.network(spec, inputs, task), task)


def sparse(features: Features) -> SparseRows:
    """The one feature that a network on text reads.

    Raises:
        UseCaseError: there are several, or it is not sparse.
    """
    values = list(features.values())
    if len(values) != 1 or not isinstance(values[0], SparseRows):
        raise UseCaseError(f"model.network: reads the rows of one text step, found {', '.join(features)}")
    return values[0]
