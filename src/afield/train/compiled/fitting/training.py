"""The loop of `afield.fit`: Keras's callbacks around compiled spans of steps."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable
from contextlib import closing
from typing import Any

import jax
import keras

from afield.errors import DataError, StateError, UseCaseError
from afield.train.compiled.building import build, steps_of
from afield.train.compiled.fitting.hooks import looks_at_batches
from afield.train.compiled.fitting.source import Source
from afield.train.compiled.fitting.spread import Spread
from afield.train.compiled.pace import Pace
from afield.train.compiled.steps import read, write

Values = tuple[Any, Any]
"""State and metric values."""


class Training:
    """One call of `afield.fit`.

    Between epochs the model's own variables hold the state, so that callbacks find them as Keras leaves them. During an
    epoch they hold the state from before it, and a copy is trained.

    Args:
        model: compiled.
        training: gives the steps of an epoch.
        testing: gives those of a validation, or None.
        validation_freq: epochs between two validations, or the numbers of the epochs that have one.
    """

    def __init__(
        self, model: keras.Model, training: Source, testing: Source | None, validation_freq: int | list[int] = 1
    ) -> None:
        self._model = model
        self._training = training
        self._testing = testing
        self._freq = validation_freq
        self._spread = Spread.over_devices()

    def run(self, callbacks: Any, initial_epoch: int, epochs: int, verbose: Any) -> keras.callbacks.History:
        """Trains the epochs, and returns the history."""
        model = self._model
        try:
            build(model, self._training.batch())
        except (ValueError, TypeError, RuntimeError) as unfit:
            raise self._refused(unfit) from unfit
        self._steps = steps_of(model)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = keras.callbacks.CallbackList(
                list(callbacks) if isinstance(callbacks, list | tuple) else callbacks,
                add_history=True,
                add_progbar=verbose != 0,
                verbose=verbose,
                epochs=epochs,
                steps=self._training.steps,
                model=model,
            )
        self._callbacks: Any = callbacks
        self._pace = self._paced("train", verbose)
        self._test_pace = self._paced("test", 0)
        model.stop_training = False
        logs: dict[str, Any] = {}
        callbacks.on_train_begin()
        for epoch in range(model._initial_epoch or initial_epoch, epochs):  # pyright: ignore[reportPrivateUsage]
            logs = self._epoch(epoch)
            if model.stop_training:
                break
        model.optimizer.finalize_variable_values(model.trainable_weights)
        callbacks.on_train_end(logs=logs)
        return model.history

    def _epoch(self, epoch: int) -> dict[str, Any]:
        model, callbacks = self._model, self._callbacks
        model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        before = read(model)
        logs = self._guarded(self._train, epoch, before)
        if not logs:
            return logs
        if not _finite(logs):
            write(model, *before)
            self._diverged(epoch, logs)
        elif self._testing is not None and self._is_due(epoch + 1):
            logs |= {f"val_{name}": value for name, value in self._guarded(self._test, epoch, before).items()}
        callbacks.on_epoch_end(epoch, logs)
        return logs

    def _train(self, epoch: int, before: Values) -> dict[str, Any]:
        model, callbacks = self._model, self._callbacks
        # An epoch takes over the memory of its state; the model keeps what it had, should the epoch fail.
        now: Values = self._spread.everywhere(self._steps.copy(before))
        write(model, *now)
        done, logs = 0, {}
        try:
            with closing(self._training.epoch(epoch)) as runs:
                for run in map(self._spread.run, runs):
                    for first, last in self._pace.spans(run.order.shape, run.first, run.last):
                        callbacks.on_train_batch_begin(done)
                        now = read(model)  # a callback may have changed it
                        state, metrics, logs = self._steps.train(*now, run.data, run.order, first, last)
                        jax.block_until_ready(logs)
                        write(model, state, metrics)
                        done += last - first
                        callbacks.on_train_batch_end(done - 1, logs)
                        if model.stop_training:
                            break
                    if model.stop_training:
                        break
        except BaseException:
            if any(leaf.is_deleted() for leaf in jax.tree.leaves(read(model))):
                write(model, *before)
            raise
        self._check_length(done)
        write(model, *self._spread.here(read(model)))
        return _numbers(logs)

    def _test(self, epoch: int, before: Values) -> dict[str, Any]:
        model, callbacks = self._model, self._callbacks
        assert self._testing
        callbacks.on_test_begin()
        model.reset_metrics()
        now: Values = self._spread.everywhere(read(model))
        done, logs = 0, {}
        with closing(self._testing.epoch(0)) as runs:
            for run in map(self._spread.run, runs):
                for first, last in self._test_pace.spans(run.order.shape, run.first, run.last):
                    callbacks.on_test_batch_begin(done)
                    state, metrics, logs = self._steps.test(*now, run.data, run.order, first, last)
                    jax.block_until_ready(logs)
                    now = state, metrics
                    done += last - first
                    callbacks.on_test_batch_end(done - 1, logs)
        write(model, *self._spread.here(now))
        logs = _numbers(logs)
        callbacks.on_test_end(logs)
        return logs

    def _guarded(self, work: Callable[[int, Values], dict[str, Any]], epoch: int, before: Values) -> dict[str, Any]:
        try:
            return work(epoch, before)
        except jax.errors.JaxRuntimeError as failed:
            if "RESOURCE_EXHAUSTED" not in str(failed):
                raise
            first = str(failed).splitlines()[0]
            raise StateError(
                f"epoch {epoch + 1}: the device has too little memory ({first}); lower batch_size, or pass the data in"
                " pieces as afield.Chunks or an Arrow dataset; the model keeps the weights from before the epoch"
            ) from failed
        except (ValueError, TypeError) as unfit:
            raise self._refused(unfit) from unfit

    def _refused(self, unfit: Exception) -> UseCaseError:
        batch: Any = self._training.batch()
        parts = keras.utils.unpack_x_y_sample_weight(batch)
        shown = ", ".join(
            f"{name} {_shapes(part)}"
            for name, part in zip(("x", "y", "sample_weight"), parts, strict=True)
            if part is not None
        )
        return UseCaseError(f"the model cannot take a step on {shown}: {unfit}")

    def _diverged(self, epoch: int, logs: dict[str, Any]) -> None:
        kept = "the model keeps the weights from before this epoch"
        advice = "lower the optimizer's learning_rate, or give it a clipnorm"
        message = f"epoch {epoch + 1}: the loss is {logs['loss']}, no longer a number; {kept}; {advice}"
        if not self._model.history.epoch:
            self._callbacks.on_epoch_end(epoch, logs)
            raise DataError(message)
        warnings.warn(message, RuntimeWarning, stacklevel=6)
        self._model.stop_training = True

    def _check_length(self, done: int) -> None:
        expected = self._training.steps
        if not self._model.stop_training and done < (expected or 1):
            warnings.warn(
                f"x: expected {expected or 'more'} batches in an epoch, found {done}; training stops",
                UserWarning,
                stacklevel=7,
            )
            self._model.stop_training = True

    def _paced(self, kind: str, verbose: Any) -> Pace:
        each = looks_at_batches(self._callbacks, kind)
        shown = verbose in ("auto", 1) and sys.stdout.isatty()
        return Pace(0.2 if shown else 1.0, self._model.steps_per_execution if each else None)

    def _is_due(self, epoch: int) -> bool:
        return epoch % self._freq == 0 if isinstance(self._freq, int) else epoch in self._freq


def _finite(logs: dict[str, Any]) -> bool:
    return math.isfinite(logs.get("loss", 0.0))


def _numbers(logs: dict[str, Any]) -> dict[str, Any]:
    return {name: float(value) if getattr(value, "ndim", 0) == 0 else value for name, value in logs.items()}


def _shapes(part: Any) -> str:
    return str(jax.tree.map(lambda leaf: tuple(leaf.shape), part))
