"""From a use case to a new version: read, split, fit, judge, pack, register."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from afield.lock import STATE, use_case_lock
from afield.preprocess.pipeline import Pipeline
from afield.registry.versions import Registry, Version, utc_now
from afield.report.model import Report, SourceCounts
from afield.train.backend import prepare
from afield.train.base import Task, Unwatched, Watcher
from afield.train.dataset import Dataset, build
from afield.train.facts import libraries
from afield.train.records import Records, read
from afield.usecase.components import answer_columns
from afield.usecase.load import LoadedUseCase


@dataclass(frozen=True)
class Training:
    """What one training has made.

    Args:
        version: in the registry.
        report: on it.
    """

    version: Version
    report: Report


def train(
    loaded: LoadedUseCase,
    *,
    records: Records | None = None,
    watcher: Watcher | None = None,
    fresh: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> Training:
    """Trains a use case and adds the result to its registry.

    Args:
        loaded: the use case.
        records: labelled records; without them the use case's source is read.
        watcher: who is told of the progress.
        fresh: forget what an interrupted training has left.
        clock: what time it is, with a time zone.

    Raises:
        UseCaseError: values are still to be searched for.
        AfieldError: the data cannot be learned from, a layer does not fit, or nothing can be written.
    """
    loaded.refuse_searches()
    watcher = watcher or Unwatched()
    with use_case_lock(loaded.folder, "train"):
        started = time.perf_counter()
        device = prepare(loaded.model.train.device)
        Pipeline.of(loaded.model.preprocess)  # refused before the data is read, which may take long
        found, counts = (records, _counts(None, len(records.targets))) if records else gathered(loaded, watcher)
        data = build(found, loaded.model, watcher)
        return _fit(loaded, data, counts, device, watcher, fresh, clock, started)


def gathered(loaded: LoadedUseCase, watcher: Watcher) -> tuple[Records, SourceCounts]:
    """The records that the source of a use case has now, and what it says of its reading."""
    source: Any = loaded.model.source
    question = loaded.model.question
    known = getattr(source, "label", None) is not None
    opened = source.open(base=loaded.folder, follow=False, labelled=question.labelled or known)
    try:
        found = read(opened, question, answer_columns(source), watcher)
    finally:
        opened.close()
    return found, _counts(getattr(opened, "report", None), len(found.targets))


def _counts(told: Any, records: int) -> SourceCounts:
    """What the source says of its reading; a source need not keep such an account."""
    if told is None:
        return SourceCounts(files=0, records=records)
    return SourceCounts(
        files=told.files,
        records=told.records,
        replaced_utf8=told.replaced_utf8,
        cut=told.cut,
        rejected=told.rejected,
        skipped=told.skipped | told.damaged,
    )


def _fit(
    loaded: LoadedUseCase,
    data: Dataset,
    counts: SourceCounts,
    device: str,
    watcher: Watcher,
    fresh: bool,
    clock: Callable[[], datetime],
    started: float,
) -> Training:
    from afield.train.judging.judge import judge  # imported once the backend is prepared

    model: Any = loaded.model.model
    trainer = model.open(task(loaded, data, _identity(loaded, data, device)))
    if fresh:
        trainer.forget()
    trained = trainer.fit(data.examples(data.parts.training), data.examples(data.parts.validation), watcher)
    judged = judge(loaded, data, trained, watcher)
    watcher.stage("packing")
    registry = Registry(loaded.folder)
    try:
        with registry.turn():
            report = judged.report(registry.next_name(), clock(), counts, device, trainer.trouble, started)
            judged.pack(registry.incoming, report)
            version = registry.add(registry.incoming, judged.summary(report))
    finally:
        registry.close()
    trainer.done()
    return Training(version, report)


def task(loaded: LoadedUseCase, data: Dataset, identity: str) -> Task:
    """What a model of the use case is to learn."""
    return Task(
        kind=loaded.model.question.kind,
        classes=data.text.characters if data.text else data.records.classes,
        inputs=data.pipeline.inputs(),
        train=loaded.model.train,
        folder=loaded.folder,
        checkpoints=loaded.folder / STATE / "training",
        identity=identity,
    )


def _identity(loaded: LoadedUseCase, data: Dataset, device: str) -> str:
    """What must be equal for an interrupted training to go on."""
    case = loaded.model.model_dump(mode="json", include={"question", "preprocess", "model", "train"})
    parts = [case, data.fingerprint, libraries(), device]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
