"""One trial in a process of its own: fitted, its answers to the validation part, its size and its time a row."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from afield.errors import AfieldError
from afield.report.model import Epoch
from afield.train.base import Examples, Task, Unwatched
from afield.tune.objective import Answers
from afield.usecase.components import name_of

WITHOUT_KERAS = ("onnx", "rule", "sklearn", "torch")
"""Models whose process needs no Keras, which takes seconds to import."""

_examples: tuple[Examples, Examples] | None = None
"""Training and validation part of the process; they are sent once, not with every trial."""


@dataclass(frozen=True)
class Fitted:
    """What a process sends back.

    Args:
        answers: to the validation part; None of a network that writes.
        history: one entry an epoch.
        kept: of the history, the epoch whose weights are kept; None where there are no epochs.
        seconds: to fit it.
        bytes: of the exported model.
        row_seconds: time to answer one row; None of a network that writes.
        failed: why there is nothing of all this.
        memory: whether it failed for want of memory.
    """

    answers: Answers | None = None
    history: tuple[Epoch, ...] = ()
    kept: Epoch | None = None
    seconds: float = 0.0
    bytes: int = 0
    row_seconds: float | None = None
    failed: str = ""
    memory: bool = False


def begin(training: Examples, validation: Examples) -> None:
    """What a process does first.

    Args:
        training: part that every trial of this process fits.
        validation: part that it is watched by.
    """
    global _examples
    _examples = training, validation
    # Ctrl-C reaches the whole group of processes: the one that asked says what it means.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def fit(spec: Any, task: Task) -> Fitted:
    """Fits one model to the parts of the process that `begin` was given.

    Args:
        spec: the model of a use case.
        task: what it is to learn.
    """
    assert _examples is not None
    return fitted(spec, task, _examples)


def fitted(spec: Any, task: Task, examples: tuple[Examples, Examples]) -> Fitted:
    """Fits one model; what goes wrong is told, not raised.

    Args:
        spec: the model of a use case.
        task: what it is to learn.
        examples: training and validation part.
    """
    try:
        return _fitted(spec, task, examples)
    except AfieldError as failed:
        return Fitted(failed=str(failed), memory=_of_memory(failed))
    except Exception as failed:  # whatever a library or a person's model raises: the other trials go on
        return Fitted(failed=f"{type(failed).__name__}: {failed}".splitlines()[0], memory=_of_memory(failed))


def _fitted(spec: Any, task: Task, examples: tuple[Examples, Examples]) -> Fitted:
    from afield.runtime.session import Session
    from afield.train.backend import prepare
    from afield.train.timing import row_seconds

    training, validation = examples
    if name_of(spec) not in WITHOUT_KERAS:
        prepare(task.train.device)
    trainer = spec.open(task)
    started = time.perf_counter()
    trained = trainer.fit(training, validation, Unwatched())
    seconds = time.perf_counter() - started
    progress = getattr(trained, "progress", None)
    if progress is not None and progress.diverged:
        return Fitted(failed=progress.stopped)
    network = trained.export_onnx()
    history = tuple(trained.history)
    writes = task.kind == "write"
    answers = None
    if not writes:
        vectors = np.asarray(trained.predict(training.features)) if trained.vectors else None
        answers = Answers(np.asarray(trained.predict(validation.features)), vectors)
    session = Session(network, trained.fed(), "the exported model", threads=1)
    best = progress.best_epoch if progress is not None and task.train.early_stopping else len(history)
    trainer.done()
    return Fitted(
        answers=answers,
        history=history,
        kept=history[best - 1] if history else None,
        seconds=trained.seconds or seconds,
        bytes=len(network),
        row_seconds=None if writes else row_seconds(session, validation.features),
    )


def _of_memory(failed: BaseException | None) -> bool:
    while failed is not None:
        if isinstance(failed, MemoryError) or "RESOURCE_EXHAUSTED" in str(failed):
            return True
        failed = failed.__cause__
    return False


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
