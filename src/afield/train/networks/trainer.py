"""The trainer of Keras networks: on sparse rows by the vocabulary of each batch, on all else by whole epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

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


@dataclass(frozen=True)
class Lesson:
    """What a network learns from.

    Args:
        features: of N records.
        targets: what it is to answer to them.
        validation: (features, targets) that watch the training.
    """

    features: Features
    targets: Any
    validation: tuple[Features, Any]


class KerasTrainer:
    """Fits one Keras network.

    Args:
        network: makes it.
        task: what it is to learn.
    """

    def __init__(self, network: Build, task: Task) -> None:
        self._network = network
        self.task = task
        self._checkpoints = Checkpoints(task.checkpoints, task.identity) if task.checkpoints else None

    def fit(
        self, training: Examples, validation: Examples, watcher: Watcher
    ) -> TrainedSparse | TrainedKeras | TrainedWriter:
        """Fits on the training examples; early stopping looks at the validation examples alone."""
        refused(self.task)
        if not any(one.sparse for one in self.task.inputs):
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
        task = self.task
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
        task = self.task
        model = self.network(training)
        if task.kind == "write":
            TrainedWriter(model, Progress(), task).export_onnx()  # refused before the training, which may take long
        lesson = self.lesson(model, training, validation)
        engine = WholeEngine(
            model,
            lesson.features,
            lesson.targets,
            lesson.validation,
            task.train.batch_size,
            task.train.seed,
            weights_of(task, training.targets),
        )
        loop = Loop(engine, plan_of(task), self._checkpoints, watcher)
        state = self._run(loop)
        return self.trained(model, engine.weights(state), loop.progress, training)

    def network(self, training: Examples) -> keras.Model:
        """The network as it is before its first step: compiled, with its first weights.

        Args:
            training: what it is to be fitted to; dense.
        """
        return self._compiled(self.task.inputs, self._steps(len(next(iter(training.features.values())))))

    def lesson(self, model: keras.Model, training: Examples, validation: Examples) -> Lesson:
        """What a network learns from some examples."""
        outputs = tuple(model.outputs[0].shape)[1:]
        scale = Scale.of(self.task, training.targets)
        targets, others = (targets_of(self.task, one, scale, outputs) for one in (training, validation))
        return Lesson(training.features, targets, (validation.features, others))

    def trained(
        self, model: keras.Model, weights: list[np.ndarray], progress: Progress, training: Examples
    ) -> TrainedKeras | TrainedWriter:
        """A network that was fitted.

        Args:
            model: the network, whose weights are set.
            weights: in the order of its own.
            progress: how the fit went.
            training: what it was fitted to.
        """
        task = self.task
        if task.train.precision != "float32":
            # What runs afield computes in float32.
            model = self._network(task.inputs)
        model.set_weights(weights)
        if task.kind == "write":
            return TrainedWriter(model, progress, task)
        if task.kind == "abnormal":
            return TrainedReconstruction(model, progress, task, training.features)
        return TrainedKeras(model, progress, task, Scale.of(task, training.targets))

    def _steps(self, rows: int) -> int:
        batch = min(self.task.train.batch_size, rows)
        return -(-rows // batch) * self.task.train.epochs

    def _compiled(self, inputs: Sequence[StepInput], steps: int) -> keras.Model:
        train = self.task.train
        keras.utils.set_random_seed(train.seed)
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(train.precision)
        try:
            model = self._network(inputs)
        finally:
            keras.config.set_dtype_policy(before)
        if not model.compiled:
            learning(model, self.task, steps)
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
