"""A trained model beside simple ones on the test part, put into a report and a bundle."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from afield.bundle import pack
from afield.errors import AfieldError
from afield.report.metrics import embedding
from afield.report.model import Contender, Part, Parts, Report, SourceCounts, Token, Vocabulary, json_text
from afield.report.verdict import verdict
from afield.runtime.decisions import Classes, Text, frozen
from afield.runtime.session import Session
from afield.train.base import Parity, Trained, Watcher
from afield.train.baselines.models import simple_models
from afield.train.dataset import Dataset
from afield.train.explain import spoken_for
from afield.train.facts import facts, libraries, revision
from afield.train.judging.alarms import judge_alarms
from afield.train.judging.base import Judge, Judgement, Raw, metric_of
from afield.train.judging.classes import details, judge_classes
from afield.train.judging.examples import examples
from afield.train.judging.groups import judge_groups
from afield.train.judging.states import judge_states
from afield.train.judging.tags import judge_tags
from afield.train.judging.texts import both, judge_text, raw_of, starts, with_samples
from afield.train.judging.values import judge_values
from afield.usecase.components import name_of
from afield.usecase.load import LoadedUseCase

JUDGES: Mapping[str, Judge] = {
    "classify": judge_classes,
    "tag": judge_tags,
    "regress": judge_values,
    "abnormal": judge_alarms,
    "group": judge_groups,
    "write": judge_text,
}
"""Kind of question -> its judge."""


@dataclass(frozen=True)
class Judged:
    """A trained model and all that is known of it.

    Args:
        network: exported.
        examples: of answers, for the bundle.
        judgement: of its answers.
        baselines: on the same parts.
        spoken: class -> the tokens that speak most for it.
        more: sections of the report for this kind of question alone.
    """

    loaded: LoadedUseCase
    data: Dataset
    trained: Trained
    network: bytes
    examples: pa.Table
    judgement: Judgement
    baselines: list[Contender]
    spoken: dict[str, list[Token]]
    more: dict[str, Any]

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
        # Only the source that a simulator filled has a best possible value, not records handed in.
        best = best_possible(self.loaded) if counts.files and metric_of(case) == "accuracy" else None
        seconds = time.perf_counter() - started
        report = Report(
            use_case=self.loaded.name,
            question=case.question.ask or _question(case.question.kind, data.records.classes),
            version=name,
            created=created,
            kind=case.question.kind,
            metric=metric_of(case),
            subject=subject(self.loaded),
            classes=data.records.classes,
            parts=part_counts(data, case.question.kind),
            source=counts,
            vocabulary=_vocabulary(data),
            baselines=self.baselines,
            best_possible=best,
            verdict="",
            warnings=self._warnings(counts, trouble),
            history=list(self.trained.history),
            stopped=self.trained.stopped,
            seconds=self.trained.seconds,
            tokens=self.spoken,
            layers=self.trained.layers(),
            facts=facts(self.loaded.folder, device, case.train.seed, data.fingerprint, seconds)
            | ({"set": ", ".join(self.loaded.overrides)} if self.loaded.overrides else {}),
            **self.judgement.sections,
            **self.more,
        )
        return report.model_copy(update={"verdict": verdict(report)})

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
            decision=frozen(self.judgement.decision),
            examples=self.examples,
            report=json_text(report),
            facts={
                "kind": self.loaded.model.question.kind,
                "classes": report.classes,
                "inputs": [one.model_dump() for one in self.trained.fed()],
                "data": self.data.fingerprint,
                "libraries": libraries(),
                "revision": revision(self.loaded.folder),
                "seed": self.loaded.model.train.seed,
            },
        )

    def summary(self, report: Report) -> dict[str, Any]:
        """What the registry keeps at hand."""
        best = report.best_baseline()
        return {
            "metric": report.metric,
            "score": report.score,
            **({"accuracy": report.test.accuracy, "macro_f1": report.test.macro.f1} if report.test else {}),
            "rows": report.parts.test.rows,
            "classes": len(report.classes),
            "best_baseline": {"name": best.name, "score": best.score} if best else None,
            "verdict": report.verdict,
        }

    def _warnings(self, counts: SourceCounts, trouble: str | None) -> list[str]:
        found = [*self.data.records.notes, *self.data.pipeline.notes()]
        test, duplicated = len(self.data.parts.test), self.more.get("duplicated_rows", 0)
        if duplicated:
            text = self.data.pipeline.text is not None
            found.append(
                f"{duplicated:,} of {test:,} test rows ({duplicated / test:.0%}) also stand in training"
                + (
                    " once masked: the figure on unseen rows says more about new data; train.split with by: group and"
                    " group: masked_text keeps them apart"
                    if text
                    else ": new rows may be answered less well; train.split with by: group keeps rows of one kind apart"
                )
            )
        if counts.skipped:
            found.append(f"{len(counts.skipped)} files were not read, or only in part; the facts name them")
        if counts.replaced_utf8:
            found.append(f"bytes that are not UTF-8 were replaced {counts.replaced_utf8:,} times")
        if counts.cut:
            found.append(f"{counts.cut:,} records were longer than max_record_bytes and were cut there")
        if counts.rejected:
            found.append(f"{counts.rejected:,} rows do not parse and were left out")
        progress = getattr(self.trained, "progress", None)
        if progress is not None and progress.diverged:
            found.append(progress.stopped)
        return [*found, trouble] if trouble else found


def judge(loaded: LoadedUseCase, data: Dataset, trained: Trained, watcher: Watcher) -> Judged:
    """Exports the model, answers the test part, and puts simple models beside the answers.

    Raises:
        AfieldError: the exported model answers differently from the trained one.
    """
    case = loaded.model
    network = trained.export_onnx()
    session = Session(network, trained.fed(), "the exported model")
    judgement, raw = judged(loaded, data, trained, session)
    judgement.contender(subject(loaded), "", metric_of(case), 0.0)  # a metric that there is none of is an error at once
    judge_of = JUDGES[case.question.kind]
    baselines: list[Contender] = []
    watcher.stage("baselines")
    for simple in simple_models(data, case):
        contender = judge_of(data, case, simple.raw).contender(simple.name, "baseline", metric_of(case), simple.seconds)
        baselines += [contender] if contender else []
    watcher.stage("judging")
    more: dict[str, Any] = {}
    decision = judgement.decision
    if isinstance(decision, Classes):
        more = details(data, decision, raw)
    frames = getattr(trained, "frames", None)
    if frames:
        more["embedding"] = embedding(frames, trained.members, data.records.classes, case.train.seed)  # pyright: ignore
    spoken = spoken_for(data, session) if data.pipeline.text and case.question.kind == "classify" else {}
    seed = case.train.seed
    if isinstance(decision, Text):
        judgement = with_samples(judgement, data, session, seed)
        shown = starts(data, session, decision, seed)
    else:
        shown = examples(data, session, decision, seed)
    return Judged(loaded, data, trained, network, shown, judgement, baselines, spoken, more)


def judged(loaded: LoadedUseCase, data: Dataset, trained: Trained, session: Session) -> tuple[Judgement, Raw]:
    """What the exported model's answers are worth, and the answers.

    Raises:
        AfieldError: the exported model answers differently from the trained one.
    """
    if data.text is not None:
        _same(*both(data, session, trained), trained.parity)
        raw = raw_of(data, session)
        return judge_text(data, loaded.model, raw), raw
    validation, test = (data.examples(rows).features for rows in (data.parts.validation, data.parts.test))
    training = session.answer(data.examples(data.parts.training).features) if trained.vectors else None
    raw = Raw(session.answer(validation), session.answer(test), training, getattr(trained, "parts", None))
    _same(raw.test, trained.predict(test), trained.parity)
    kind = loaded.model.question.kind
    judge_of = judge_states if trained.vectors and kind == "classify" else JUDGES[kind]
    return judge_of(data, loaded.model, raw), raw


def subject(loaded: LoadedUseCase) -> str:
    """What the model of a use case is called."""
    model: Any = loaded.model.model
    return model.named()[-1][0] if name_of(model) == "sklearn" else name_of(model)


def part_counts(data: Dataset, kind: str) -> Parts:
    """Rows of each part, and of each class; of a text, its characters."""
    if data.text is not None:
        lengths = map(len, (data.text.training, data.text.validation, data.text.test))
        return Parts(**{name: Part(rows=rows) for (name, _), rows in zip(data.parts.items(), lengths, strict=True)})
    counted: dict[str, Part] = {}
    for name, rows in data.parts.items():
        counts: list[int] = []
        if data.records.classes and kind == "tag":
            counts = data.targets[rows].sum(axis=0).astype(int).tolist()
        elif data.records.classes:
            known = data.targets[rows]
            counts = np.bincount(known[known >= 0], minlength=len(data.records.classes)).tolist()
        counted[name] = Part(rows=len(rows), classes=dict(zip(data.records.classes, counts, strict=bool(counts))))
    return Parts(**counted)


def best_possible(loaded: LoadedUseCase) -> float | None:
    """What a simulator says beside the data it made, where a simulator made it."""
    source: Any = loaded.model.source
    try:
        beside = (loaded.folder / source.path).with_suffix(".json")
        return float(json.loads(beside.read_text())["best_accuracy"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _vocabulary(data: Dataset) -> Vocabulary | None:
    if data.unknown is None:
        return None
    return Vocabulary(size=data.pipeline.inputs()[0].shape[0], unknown_share_test=data.unknown)


def _question(kind: str, classes: list[str]) -> str:
    asked = {
        "classify": f"Which of {len(classes)} classes?",
        "tag": f"Which of {len(classes)} tags?",
        "regress": "Which value?",
        "abnormal": "What is abnormal?",
        "group": "Which belong together?",
        "write": "How does the text go on?",
    }
    return asked[kind]


def _same(exported: np.ndarray, trained: np.ndarray, parity: Parity) -> None:
    size = np.maximum(1, np.abs(trained))
    apart = (np.abs(exported - trained) / size).reshape(len(trained), -1).max(axis=1, initial=0)
    near = float((apart <= parity.difference).mean()) if len(apart) else 1.0
    if near < parity.share:
        raise AfieldError(
            f"the exported model answers differently from the trained one by up to {apart.max():.2g} (at most"
            f" {parity.difference:g} is allowed, in {parity.share:.0%} of the rows): it is exported wrongly; nothing"
            " was stored"
        )
