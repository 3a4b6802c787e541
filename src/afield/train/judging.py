"""What a trained network is worth, put into a report and a bundle."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from afield.bundle import pack
from afield.bundle.examples import EXPECTED, PROBABILITY
from afield.errors import AfieldError
from afield.report.model import Baseline, Report, SourceCounts, Token, Vocabulary, json_text
from afield.report.verdict import verdict
from afield.runtime.session import Session
from afield.train.base import Trained, Watcher
from afield.train.baselines import linear, majority
from afield.train.dataset import Dataset
from afield.train.evaluate import Evaluation, evaluation, part_counts
from afield.train.explain import tokens
from afield.train.facts import facts, libraries, revision
from afield.train.networks.trainer import sparse
from afield.usecase.load import LoadedUseCase

EXAMPLES = 32
PARITY = 1e-4
"""By how much the exported network may differ from the trained one: float32 sums in another order."""


@dataclass(frozen=True)
class Judged:
    """A trained network and all that is known of it.

    Args:
        network: exported.
        session: running it.
        probabilities: float32[M, C]; its answers on the test part.
        baselines: on the same parts.
        spoken: class -> the tokens that speak most for it.
    """

    loaded: LoadedUseCase
    data: Dataset
    trained: Trained
    network: bytes
    session: Session
    probabilities: np.ndarray
    evaluated: Evaluation
    baselines: list[Baseline]
    spoken: dict[str, list[Token]]

    def report(
        self, name: str, created: datetime, counts: SourceCounts, device: str, trouble: str | None, started: float
    ) -> Report:
        """The report of version `name`.

        Args:
            name: of the version.
            created: now.
            counts: what was read.
            device: where it was trained.
            trouble: why checkpoints could not be written, where that was so.
            started: when training began, on `time.perf_counter`.
        """
        case, data = self.loaded.model, self.data
        # Only the source that a simulator filled has a best possible accuracy, not records handed in.
        best = best_possible(self.loaded) if counts.files else None
        width = sparse(data.features).width
        seconds = time.perf_counter() - started
        return Report(
            use_case=self.loaded.name,
            question=case.question.ask or f"Which of {len(data.records.classes)} classes?",
            version=name,
            created=created,
            classes=data.records.classes,
            parts=part_counts(data),
            source=counts,
            vocabulary=Vocabulary(size=width, unknown_share_test=data.unknown),
            test=self.evaluated.test,
            unseen=self.evaluated.unseen,
            duplicated_rows=self.evaluated.duplicated,
            baselines=self.baselines,
            best_possible=best,
            verdict=verdict(self.evaluated.test, self.baselines, best),
            warnings=self._warnings(counts, trouble),
            history=list(self.trained.history),
            stopped=self.trained.stopped,
            mistakes=self.evaluated.mistakes,
            tokens=self.spoken,
            layers=self.trained.layers(),
            facts=facts(self.loaded.folder, device, case.train.seed, data.fingerprint, seconds)
            | ({"set": ", ".join(self.loaded.overrides)} if self.loaded.overrides else {}),
        )

    def pack(self, path: Path, report: Report) -> None:
        """Writes the bundle of the version that the report is on."""
        pack(
            path,
            name=self.loaded.name,
            version=report.version,
            created=report.created,
            usecase=self.loaded.resolved,
            network=self.network,
            steps=self.data.pipeline.frozen(),
            examples=self._examples(),
            report=json_text(report),
            facts={
                "kind": self.loaded.model.question.kind,
                "classes": report.classes,
                "inputs": [{"name": "ids", "dtype": "int32"}, {"name": "weights", "dtype": "float32"}],
                "data": self.data.fingerprint,
                "libraries": libraries(),
                "revision": revision(self.loaded.folder),
                "seed": self.loaded.model.train.seed,
            },
        )

    def summary(self, report: Report) -> dict[str, Any]:
        """What the registry keeps at hand."""
        best = max(self.baselines, key=lambda baseline: baseline.accuracy)
        return {
            "accuracy": report.test.accuracy,
            "macro_f1": report.test.macro.f1,
            "rows": report.test.rows,
            "classes": len(report.classes),
            "best_baseline": {"name": best.name, "accuracy": best.accuracy},
            "verdict": report.verdict,
        }

    def _examples(self) -> pa.Table:
        """Training rows, as masked, with the answers that a site must give to them too."""
        data, classes = self.data, self.data.records.classes
        rows = data.parts.training
        random = np.random.default_rng(self.loaded.model.train.seed)
        drawn = np.sort(random.choice(rows, min(EXAMPLES, len(rows)), replace=False))
        column = data.pipeline.column
        raw = data.records.table.column(column).take(pa.array(drawn)).combine_chunks()
        masked = pa.record_batch({column: data.pipeline.masked(pa.record_batch({column: raw}), "stand-ins")})
        probabilities = self.session.answer(data.pipeline.features(masked))
        expected = [classes[best] for best in probabilities.argmax(axis=1)]
        answers = {EXPECTED: pa.array(expected, pa.string()), PROBABILITY: pa.array(probabilities.max(axis=1))}
        return pa.table({column: masked.column(0)} | answers)

    def _warnings(self, counts: SourceCounts, trouble: str | None) -> list[str]:
        found = list(self.data.records.notes)
        test, duplicated = len(self.data.parts.test), self.evaluated.duplicated
        if duplicated:
            found.append(
                f"{duplicated:,} of {test:,} test rows ({duplicated / test:.0%}) also stand in training once masked:"
                " the figure on unseen rows says more about new data; train.split with by: group and"
                " group: masked_text keeps them apart"
            )
        if counts.skipped:
            found.append(f"{len(counts.skipped)} files were not read, or only in part; the facts name them")
        if counts.replaced_utf8:
            found.append(f"bytes that are not UTF-8 were replaced {counts.replaced_utf8:,} times")
        if counts.cut:
            found.append(f"{counts.cut:,} records were longer than max_record_bytes and were cut there")
        if counts.rejected:
            found.append(f"{counts.rejected:,} rows do not parse and were left out")
        return [*found, trouble] if trouble else found


def judge(loaded: LoadedUseCase, data: Dataset, trained: Trained, watcher: Watcher) -> Judged:
    """Exports the network, answers the test part, and puts the baselines beside the answers.

    Raises:
        AfieldError: the exported network answers differently from the trained one.
    """
    training, test = data.examples(data.parts.training), data.examples(data.parts.test)
    classes, how = data.records.classes, loaded.model.train
    probabilities = trained.predict(test.features)
    network = trained.export_onnx()
    session = Session(network, "the exported network")
    _same(session.answer(test.features), probabilities)
    watcher.stage("linear baseline")
    baselines = [
        majority(training.targets, test.targets, classes),
        linear(
            (sparse(training.features), training.targets),
            (sparse(test.features), test.targets),
            classes,
            how.baseline_rows,
            how.seed,
        ),
    ]
    watcher.stage("judging")
    (feature,) = training.features
    spoken = tokens(
        lambda rows: session.answer({feature: rows}), sparse(training.features), data.pipeline.vocabulary(), classes
    )
    evaluated = evaluation(data, probabilities)
    return Judged(loaded, data, trained, network, session, probabilities, evaluated, baselines, spoken)


def best_possible(loaded: LoadedUseCase) -> float | None:
    """What a simulator says beside the data it made, where a simulator made it."""
    source: Any = loaded.model.source
    try:
        beside = (loaded.folder / source.path).with_suffix(".json")
        return float(json.loads(beside.read_text())["best_accuracy"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _same(exported: np.ndarray, trained: np.ndarray) -> None:
    difference = float(np.abs(exported - trained).max(initial=0))
    if not difference <= PARITY:
        raise AfieldError(
            f"the exported network answers differently from the trained one by up to {difference:.2g} (at most"
            f" {PARITY:g} is allowed): a layer is exported wrongly; nothing was stored"
        )
