"""Trials one at a time in processes: what no population can hold, of any library."""

from __future__ import annotations

import itertools
import json
import multiprocessing
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from afield.errors import AfieldError
from afield.train.dataset import Dataset
from afield.train.workflow import task
from afield.tune.base import Outcome, Referee, Trial
from afield.tune.datasets import OfCase, preprocessing
from afield.tune.objective import score, watched
from afield.tune.worker import Fitted, begin, fit, fitted
from afield.usecase.load import LoadedUseCase

WORKERS = 2
GLANCE_SECONDS = 0.5
"""How often a wait for a trial looks whether the time is up."""
KILLED = "its process was killed, probably for want of memory"


class Alone:
    """Fits each trial in a process by the trainer of its model.

    A trial that runs out of memory is tried once more with no other beside it.

    Args:
        datasets: of the use case.
        folder: in which interrupted trainings are kept.
        workers: processes at once; 0 fits in this process, one after the other.
    """

    def __init__(self, datasets: OfCase, folder: Path, workers: int = WORKERS) -> None:
        self._datasets = datasets
        self._folder = folder
        self._workers = workers

    def run(
        self, trials: Sequence[Trial[LoadedUseCase]], referee: Referee, ended: Collection[int] = ()
    ) -> Iterator[Outcome]:
        """Fits all of them; when the time is up, those that have not ended are left as they are."""
        trials = [trial for trial in trials if trial.number not in ended]
        for same in by_preprocessing(trials):
            try:
                data = self._datasets.of(same[0].made.model)
            except AfieldError as failed:
                yield from (Outcome(trial.number, "failed", reason=str(failed)) for trial in same)
                continue
            again: list[Trial[LoadedUseCase]] = []
            for trial, done in self._fitted(same, data, self._workers, referee):
                if done.memory:
                    again.append(trial)
                else:
                    yield self._outcome(trial, data, done)
            for trial in again:
                for _, done in self._fitted([trial], data, min(self._workers, 1), referee):
                    yield self._outcome(trial, data, done)

    def _fitted(
        self, trials: Sequence[Trial[LoadedUseCase]], data: Dataset, workers: int, referee: Referee
    ) -> Iterator[tuple[Trial[LoadedUseCase], Fitted]]:
        parts = data.examples(data.parts.training), data.examples(data.parts.validation)
        if not self._workers:
            for trial in itertools.takewhile(lambda _: not referee.over, trials):
                yield trial, fitted(*self._work(trial, data), parts)
            return
        # A fork of a process with threads, as JAX's are, may hang.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(min(workers, len(trials)), context, begin, parts)
        try:
            waiting = {pool.submit(fit, *self._work(trial, data)): trial for trial in trials}
            while waiting and not referee.over:
                done, _ = wait(waiting, GLANCE_SECONDS, FIRST_COMPLETED)
                for future in done:
                    yield waiting.pop(future), _result(future)
        finally:
            _end(pool)

    def _work(self, trial: Trial[LoadedUseCase], data: Dataset) -> tuple[Any, Any]:
        case = trial.made.model
        said = case.model_dump(mode="json", include={"question", "preprocess", "model", "train"})
        identity = sha256(json.dumps([said, data.fingerprint], sort_keys=True).encode()).hexdigest()
        what = task(trial.made, data, identity)
        return case.model, replace(what, checkpoints=self._folder / f"trial-{trial.number}")

    def _outcome(self, trial: Trial[LoadedUseCase], data: Dataset, found: Fitted) -> Outcome:
        if found.failed:
            return Outcome(trial.number, "failed", seconds=found.seconds, reason=found.failed)
        case, history = trial.made.model, found.history
        name, _ = watched(case)
        measured = [{"loss": epoch.validation_loss, **epoch.validation_metrics}.get(name) for epoch in history]
        try:
            reached = score(case, data, found.answers, found.kept)
        except AfieldError as failed:
            return Outcome(trial.number, "failed", seconds=found.seconds, reason=str(failed))
        return Outcome(
            trial.number,
            "complete",
            reached,
            curve=[value for value in measured if value is not None],
            losses=[epoch.validation_loss for epoch in history if epoch.validation_loss is not None],
            seconds=found.seconds,
            bytes=found.bytes,
            row_seconds=found.row_seconds,
        )


def _result(future: Future[Fitted]) -> Fitted:
    try:
        return future.result()
    except BrokenProcessPool:
        # Which of the trials brought the process down is not known: each is tried alone.
        return Fitted(failed=KILLED, memory=True)


def _end(pool: ProcessPoolExecutor) -> None:
    processes: Iterable[Any] = list((pool._processes or {}).values())  # pyright: ignore[reportPrivateUsage]
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()


def by_preprocessing(trials: Sequence[Trial[LoadedUseCase]]) -> list[list[Trial[LoadedUseCase]]]:
    """Trials that read the same dataset, together."""
    groups: dict[str, list[Trial[LoadedUseCase]]] = {}
    for trial in trials:
        groups.setdefault(preprocessing(trial.made.model), []).append(trial)
    return list(groups.values())
