"""From a use case to a new version: read, split, fit, judge, pack, register."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from afield import __version__
from afield.bundle import pack
from afield.bundle.examples import EXPECTED, PROBABILITY
from afield.errors import AfieldError
from afield.lock import STATE, use_case_lock
from afield.registry.versions import Registry, Version, utc_now
from afield.report.model import Report, SourceCounts, Vocabulary, json_text
from afield.report.verdict import verdict
from afield.runtime.session import Session
from afield.train.backend import prepare
from afield.train.base import Unwatched, Watcher
from afield.train.dataset import Dataset, Records, build, read
from afield.train.evaluate import evaluation, part_counts
from afield.usecase.load import LoadedUseCase

EXAMPLES = 32
PARITY = 1e-4
LIBRARIES = ("jax", "keras", "numpy", "onnx", "pyarrow", "scikit-learn")


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
    records: Callable[[], Records] | None = None,
    watcher: Watcher | None = None,
    fresh: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> Training:
    """Trains a use case and adds the result to its registry.

    Args:
        loaded: the use case.
        records: gives the labelled records; without it the use case's source is read.
        watcher: who is told of the progress.
        fresh: forget what an interrupted training has left.
        clock: what time it is, with a time zone.

    Raises:
        AfieldError: the data cannot be learned from, a layer does not fit, or nothing can be written.
    """
    watcher = watcher or Unwatched()
    with use_case_lock(loaded.folder, "train"):
        device = prepare(loaded.model.train.device)
        found, counts = (records(), SourceCounts(files=0, records=0)) if records else _read(loaded, watcher)
        data = build(found, loaded.model, watcher)
        return _Trainer(loaded, data, counts, device, watcher, clock).run(fresh)


def _read(loaded: LoadedUseCase, watcher: Watcher) -> tuple[Records, SourceCounts]:
    source: Any = loaded.model.source
    question = loaded.model.question
    opened = source.open(base=loaded.folder, follow=False, labelled=True)
    try:
        found = read(opened, question.min_rows, question.rare, watcher)
    finally:
        opened.close()
    told = opened.report
    return found, SourceCounts(
        files=told.files,
        records=told.records,
        replaced_utf8=told.replaced_utf8,
        cut=told.cut,
        skipped=told.skipped | told.damaged,
    )


class _Trainer:
    """The work after the data is there."""

    def __init__(
        self,
        loaded: LoadedUseCase,
        data: Dataset,
        counts: SourceCounts,
        device: str,
        watcher: Watcher,
        clock: Callable[[], datetime],
    ) -> None:
        self._loaded = loaded
        self._data = data
        self._counts = counts
        self._device = device
        self._watcher = watcher
        self._clock = clock
        self._started = time.perf_counter()

    def run(self, fresh: bool) -> Training:
        from afield.train.networks.trainer import NetworkTrainer, sparse

        case, data = self._loaded.model, self._data
        checkpoints = self._loaded.folder / STATE / "training"
        model: Any = case.model
        trainer = NetworkTrainer(model, case.train, data.records.classes, checkpoints, self._identity())
        if fresh:
            trainer.forget()
        training = data.examples(data.parts.training)
        trained = trainer.fit(training, data.examples(data.parts.validation), self._watcher)
        self._watcher.stage("judging")
        test = data.examples(data.parts.test)
        probabilities = trained.predict(test.features)
        network = trained.export_onnx()
        session = Session(network, "the exported network")
        self._same(session.answer(test.features), probabilities)
        from afield.train.baselines import linear, majority
        from afield.train.explain import tokens

        judged = evaluation(data, probabilities)
        baselines = [
            majority(training.targets, test.targets, data.records.classes),
            linear(
                (sparse(training.features), training.targets),
                (sparse(test.features), test.targets),
                data.records.classes,
                case.train.baseline_rows,
                case.train.seed,
            ),
        ]
        best = self._best_possible()
        registry = Registry(self._loaded.folder)
        created = self._clock()
        with registry.turn():
            name = registry.next_name()
            report = Report(
                use_case=self._loaded.name,
                question=case.question.ask or f"Which of {len(data.records.classes)} classes?",
                version=name,
                created=created,
                classes=data.records.classes,
                parts=part_counts(data),
                source=self._counts,
                vocabulary=Vocabulary(size=sparse(training.features).width, unknown_share_test=data.unknown),
                test=judged.test,
                unseen=judged.unseen,
                duplicated_rows=judged.duplicated,
                baselines=baselines,
                best_possible=best,
                verdict=verdict(judged.test, baselines, best),
                warnings=self._warnings(judged.duplicated, trainer.trouble),
                history=trained.history,
                stopped=trained.stopped,
                mistakes=judged.mistakes,
                tokens=tokens(
                    lambda rows: session.answer({"text": rows}),
                    sparse(training.features),
                    data.pipeline.vocabulary(),
                    data.records.classes,
                ),
                layers=trained.layers(),
                facts=self._facts(),
            )
            self._watcher.stage("packing")
            pack(
                registry.incoming,
                name=self._loaded.name,
                version=name,
                created=created,
                usecase=self._loaded.text,
                network=network,
                steps=data.pipeline.frozen(),
                examples=self._examples(session),
                report=json_text(report),
                facts={
                    "kind": case.question.kind,
                    "classes": data.records.classes,
                    "inputs": [{"name": "ids", "dtype": "int32"}, {"name": "weights", "dtype": "float32"}],
                    "data": data.fingerprint,
                    "libraries": _libraries(),
                    "revision": _revision(self._loaded.folder),
                    "seed": case.train.seed,
                },
            )
            version = registry.add(registry.incoming, _summary(report))
        registry.close()
        trainer.done()
        return Training(version, report)

    def _identity(self) -> str:
        case = self._loaded.model.model_dump_json(include={"question", "preprocess", "model", "train"})
        parts = [case, self._data.fingerprint, json.dumps(_libraries()), self._device]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _same(self, exported: np.ndarray, trained: np.ndarray) -> None:
        difference = float(np.abs(exported - trained).max(initial=0))
        if not difference <= PARITY:
            raise AfieldError(
                f"the exported network answers differently from the trained one by up to {difference:.2g} (at most"
                f" {PARITY:g} is allowed): a layer is exported wrongly; nothing was stored"
            )

    def _examples(self, session: Session) -> pa.Table:
        data, seed = self._data, self._loaded.model.train.seed
        rows = data.parts.training
        drawn = np.sort(np.random.default_rng(seed).choice(rows, min(EXAMPLES, len(rows)), replace=False))
        raw = data.records.table.select([data.pipeline.column]).take(pa.array(drawn)).combine_chunks()
        probabilities = session.answer(data.examples(drawn).features)
        expected = [data.records.classes[i] for i in probabilities.argmax(axis=1)]
        answers = {EXPECTED: pa.array(expected, pa.string()), PROBABILITY: pa.array(probabilities.max(axis=1))}
        return pa.table({data.pipeline.column: raw.column(0)} | answers)

    def _warnings(self, duplicated: int, trouble: str | None) -> list[str]:
        found = list(self._data.records.notes)
        test = len(self._data.parts.test)
        if duplicated:
            found.append(
                f"{duplicated:,} of {test:,} test rows ({duplicated / test:.0%}) also stand in training once masked: the"
                " figure on unseen rows says more about new data; `train.split: {by: group, group: masked_text}` keeps"
                " them apart"
            )
        if self._counts.skipped:
            found.append(f"{len(self._counts.skipped)} files were not read, or only in part; the data section names them")
        if self._counts.replaced_utf8:
            found.append(f"bytes that are not UTF-8 were replaced {self._counts.replaced_utf8:,} times")
        return [*found, trouble] if trouble else found

    def _best_possible(self) -> float | None:
        """What a simulator says beside the data it made, where a simulator made it."""
        source: Any = self._loaded.model.source
        try:
            beside = (self._loaded.folder / source.path).with_suffix(".json")
            return float(json.loads(beside.read_text())["best_accuracy"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _facts(self) -> dict[str, str]:
        revision = _revision(self._loaded.folder)
        facts = {
            "afield": __version__,
            **_libraries(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "device": self._device,
            "seed": str(self._loaded.model.train.seed),
            "data fingerprint": self._data.fingerprint[:16],
            "training seconds": f"{time.perf_counter() - self._started:.1f}",
        }
        return facts | ({"git revision": revision} if revision else {})


def _summary(report: Report) -> dict[str, Any]:
    best = max(report.baselines, key=lambda baseline: baseline.accuracy)
    return {
        "accuracy": report.test.accuracy,
        "macro_f1": report.test.macro.f1,
        "rows": report.test.rows,
        "classes": len(report.classes),
        "best_baseline": {"name": best.name, "accuracy": best.accuracy},
        "verdict": report.verdict,
    }


def _libraries() -> dict[str, str]:
    return {name: version_of(name) for name in LIBRARIES}


def _revision(folder: Path) -> str | None:
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
