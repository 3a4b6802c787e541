"""The trainer of `model: siamese:`: a base network fitted on triplets that are drawn on the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import keras
import numpy as np

from afield.errors import DataError, UseCaseError
from afield.preprocess.base import Features
from afield.preprocess.rows import taken
from afield.train.base import Examples, Task, Watcher
from afield.train.compiled.checkpoint import Checkpoints
from afield.train.compiled.loop import Loop
from afield.train.compiled.steps import Draw
from afield.train.compiled.whole import WholeEngine
from afield.train.networks import build
from afield.train.networks.learning import plan_of
from afield.train.networks.trained import TrainedKeras
from afield.train.siamese.draws import States, both
from afield.train.siamese.losses import LOSSES, semi_hard_triplet
from afield.train.siamese.spec import Siamese
from afield.train.siamese.virtual import EACH, Virtual, numbered

WATCHED = 400
"""Validation records whose vectors are kept after each epoch, for the picture of how they move."""


class SiameseTrainer:
    """Fits a base network on triplets.

    Args:
        spec: the network and its loss.
        task: what it is to learn.
    """

    def __init__(self, spec: Siamese, task: Task) -> None:
        self._spec = spec
        self._task = task
        self._checkpoints = Checkpoints(task.checkpoints, task.identity) if task.checkpoints else None

    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> TrainedSiamese:
        """Fits on triplets of the training examples; early stopping looks at triplets of the validation examples.

        Raises:
            UseCaseError: text enters it.
            DataError: a state has one example only.
        """
        task, spec, train = self._task, self._spec, self._task.train
        if any(one.sparse for one in task.inputs):
            raise UseCaseError("model.siamese: reads numbers, images or windows, not the rows of a `text` step")
        _enough(training, task)
        batch = max(train.batch_size, 2)
        steps = -(-spec.triplets // batch)
        mined = spec.mining == "semi_hard"
        model, fitted = self._models(batch, steps * train.epochs)
        engine = _Watched(
            fitted,
            training.features,
            training.targets,
            _validation(validation, batch, mined, train.seed),
            batch + EACH * spec.virtual_states if mined else 3 * batch,
            train.seed,
            draw=self._draw(States(training.targets), batch),
            steps=steps,
            validation_batch=batch if mined else 3 * batch,
            shown=_some(validation if len(validation.targets) else training, train.seed),
        )
        loop = Loop(engine, plan_of(task), self._checkpoints, watcher)
        try:
            state = loop.run()
        except KeyboardInterrupt:
            if self._checkpoints:
                self._checkpoints.flush()
            raise
        fitted.set_weights(engine.weights(state))
        return TrainedSiamese(model, loop.progress, task, engine.frames, engine.members)

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

    def _draw(self, states: States, batch: int) -> Draw:
        if self._spec.mining == "none":
            return states.triplets(batch)
        made = self._spec.virtual_states
        return both(states.pairs(batch), states.common(EACH * made)) if made else states.pairs(batch)

    def _models(self, batch: int, steps: int) -> tuple[keras.Model, keras.Model]:
        """The base network, and the same as it is fitted: compiled, and with virtual states where they are wished."""
        train, spec, task = self._task.train, self._spec, self._task
        keras.utils.set_random_seed(train.seed)
        # The network's answer is a vector, which no kind of question asks for.
        model = build.network(spec.layers, task.inputs, replace(task, kind="group"))
        ((name, arguments),) = train.optimizer.items()
        decay = (train.learning_rate_schedule or {}).get("cosine_decay")
        optimizer = build.optimizer(name, arguments, decay, steps)
        if not spec.virtual_states:
            loss = semi_hard_triplet if spec.mining == "semi_hard" else LOSSES[spec.loss]
            model.compile(optimizer, loss(spec.margin))
            return model, model
        shape = _movable(task)
        entered = keras.Input(shape, name=task.inputs[0].feature)
        fitted = keras.Model(entered, model(Virtual(batch, spec.virtual_states, train.seed)(entered)))
        mined = semi_hard_triplet(spec.margin)
        fitted.compile(optimizer, lambda states, vectors: mined(numbered(states, batch, spec.virtual_states), vectors))
        return model, fitted


class TrainedSiamese(TrainedKeras):
    """A fitted base network.

    Args:
        model: with the weights to keep.
        progress: how the fit went.
        task: what it learned.
        frames: epoch -> vectors of some records after it, float32[K, D].
        members: int32[K]; state of each.
    """

    vectors = True

    def __init__(
        self, model: keras.Model, progress: Any, task: Task, frames: dict[int, np.ndarray], members: np.ndarray
    ) -> None:
        super().__init__(model, progress, task)
        self.frames = frames
        self.members = members


class _Watched(WholeEngine):
    """The engine of the fit, which keeps the vectors of some records after each epoch."""

    def __init__(self, *given: Any, shown: Examples, **more: Any) -> None:
        super().__init__(*given, **more)
        self._shown = shown.features
        self.members = shown.targets
        self.frames: dict[int, np.ndarray] = {}

    def epoch(self, state: Any, number: int, told: Callable[[int], None]) -> tuple[Any, dict[str, float]]:
        if not self.frames:
            self.frames[number - 1] = self.predict(state, self._shown)
        state, logs = super().epoch(state, number, told)
        self.frames[number] = self.predict(state, self._shown)
        return state, logs


def _validation(examples: Examples, batch: int, mined: bool, seed: int) -> tuple[Features, np.ndarray]:
    """Triplets of the validation examples, or pairs to mine, in the order of their batches."""
    targets = examples.targets
    known, counts = np.unique(targets, return_counts=True)
    if len(known) < 2 or counts.max() < 2:
        # Too few to make a triplet: nothing is validated.
        nothing = np.zeros(0, np.int64)
        return taken(examples.features, nothing), targets[nothing]
    states = States(targets)
    draw = states.pairs(batch) if mined else states.triplets(batch)
    key = jax.random.key(seed)
    wanted = max(1, len(targets) // batch)
    rows = np.concatenate([np.asarray(draw(jax.random.fold_in(key, step), step)) for step in range(wanted)])
    return taken(examples.features, rows), targets[rows]


def _movable(task: Task) -> tuple[int, ...]:
    """The shape of the one feature that virtual states can be made in.

    Raises:
        UseCaseError: there are several features, or it is neither a row of numbers nor a window of them.
    """
    (first, *others) = task.inputs
    if others or first.cardinalities or first.dtype != "float32" or len(first.shape) > 2:
        raise UseCaseError(
            "model.siamese.virtual_states: are made of numbers, or windows of them, and of nothing else; found"
            f" {', '.join(one.feature for one in task.inputs)}: remove them, or `categories: embedding` of the table"
        )
    return first.shape


def _some(examples: Examples, seed: int) -> Examples:
    rows = np.random.default_rng(seed).permutation(len(examples.targets))[:WATCHED]
    return Examples(taken(examples.features, rows), examples.targets[rows])


def _enough(training: Examples, task: Task) -> None:
    counts = np.bincount(training.targets, minlength=len(task.classes))
    few = [name for name, count in zip(task.classes, counts, strict=True) if count < 2]
    if few:
        raise DataError(
            f"model.siamese: the training part has {counts.min()} example of '{few[0]}', and a triplet needs two;"
            " give more, leave it out, or teach it afterwards with `afield teach`"
        )
