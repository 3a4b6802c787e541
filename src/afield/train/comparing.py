"""Several models of one use case, trained and judged on the same parts."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from afield.errors import AfieldError, DataError, UseCaseError
from afield.registry.versions import utc_now
from afield.report.metrics import mean_interval
from afield.report.model import Comparison, Contender, Failure
from afield.report.verdict import with_verdict
from afield.runtime.session import Session
from afield.train.backend import prepare
from afield.train.base import Unwatched, Watcher
from afield.train.baselines.models import simple_models
from afield.train.dataset import Dataset, build
from afield.train.facts import facts
from afield.train.records import Records
from afield.train.split import Parts, folds
from afield.train.timing import row_seconds
from afield.train.workflow import gathered, task
from afield.usecase.base import Component
from afield.usecase.components import name_of
from afield.usecase.load import LoadedUseCase


@dataclass
class _Entry:
    """A model and what each fold said of it."""

    kind: str
    lines: int | None
    rows: list[Contender]
    failed: str | None = None


def compare(
    loaded: LoadedUseCase,
    *,
    models: Sequence[str] = (),
    count: int = 1,
    records: Records | None = None,
    watcher: Watcher | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Comparison:
    """Trains models on one split, or on several folds, and says what each is worth.

    Args:
        loaded: the use case.
        models: names of those to compare: "model" and the keys of `models:`; all of them where none is named.
        count: folds; 1 for the split of the use case.
        records: labelled records; without them the use case's source is read.
        watcher: who is told of the progress.
        clock: what time it is, with a time zone.

    Raises:
        UseCaseError: there is no model of such a name, or values are still to be searched for.
        AfieldError: the data cannot be learned from. A model that fails is told in the comparison.
    """
    loaded.refuse_searches()
    watcher = watcher or Unwatched()
    declared = chosen(loaded, models)
    device = prepare(loaded.model.train.device)
    found = records or gathered(loaded, watcher)[0]
    entries = {name: _Entry(name_of(spec), lines(spec), []) for name, spec in declared.items()}
    started, rows = time.perf_counter(), 0
    fingerprint = ""
    for number in range(count):
        data = build(found, loaded.model, watcher, _cut(loaded, count, number))
        rows, fingerprint = rows + len(data.parts.test), data.fingerprint
        for name, spec in declared.items():
            entry = entries[name]
            if entry.failed:
                continue
            watcher.stage(f"{name}, fold {number + 1}/{count}" if count > 1 else name)
            try:
                entry.rows.append(measured(loaded, data, name, spec, watcher))
            except AfieldError as failed:
                entry.failed = str(failed)
        watcher.stage("baselines")
        for contender in _baselines(loaded, data):
            entries.setdefault(contender.name, _Entry("baseline", None, [])).rows.append(contender)
    contenders = [merged(entry.rows, count) for entry in entries.values() if not entry.failed]
    return with_verdict(
        Comparison(
            use_case=loaded.name,
            question=loaded.model.question.ask or "",
            created=clock(),
            metric=_metric(loaded),
            folds=count,
            rows=rows,
            contenders=contenders,
            failed=[
                Failure(name=name, kind=entry.kind, reason=entry.failed)
                for name, entry in entries.items()
                if entry.failed
            ],
            verdict="",
            facts=facts(loaded.folder, device, loaded.model.train.seed, fingerprint, time.perf_counter() - started),
        )
    )


def chosen(loaded: LoadedUseCase, names: Sequence[str]) -> Mapping[str, Component]:
    """The models by name, in the order of the names.

    Raises:
        UseCaseError: there is no model of such a name.
    """
    known = {"model": loaded.model.model, **loaded.model.models}
    for name in names:
        if name not in known:
            raise UseCaseError(f"--models: there is no model '{name}'; there are {', '.join(known)}")
    return {name: known[name] for name in names} if names else known


def lines(spec: Component) -> int:
    """Lines of configuration: of the model alone, written as YAML."""
    out = io.StringIO()
    YAML().dump({name_of(spec): spec.model_dump(mode="json", exclude_unset=True, by_alias=True)}, out)
    return len(out.getvalue().splitlines())


def merged(rows: Sequence[Contender], count: int) -> Contender:
    """One model over all folds: means, and the interval of the mean score by Student's distribution."""
    first = rows[0]
    if count == 1:
        return first
    scores = [row.score for row in rows]
    names = set.intersection(*(set(row.figures) for row in rows))

    def average(values: Sequence[float | None]) -> float | None:
        return None if any(value is None for value in values) else float(np.mean([v for v in values if v is not None]))

    return first.model_copy(
        update={
            "score": float(np.mean(scores)),
            "interval": mean_interval(np.array(scores)),
            "folds": scores,
            "figures": {name: float(np.mean([row.figures[name] for row in rows])) for name in sorted(names)},
            "seconds": average([row.seconds for row in rows]),
            "row_seconds": average([row.row_seconds for row in rows]),
        }
    )


def _cut(loaded: LoadedUseCase, count: int, number: int) -> Callable[[Any], Parts] | None:
    if count == 1:
        return None
    split, seed = loaded.model.train.split, loaded.model.train.seed
    if loaded.model.question.kind == "write":
        raise UseCaseError("--folds: draws rows at random, and a text is split by position; compare on one split")
    if split.by != "random":
        raise UseCaseError(
            f"--folds: draws rows at random, and train.split says `by: {split.by}`; compare on one split"
        )
    stratify = loaded.model.question.kind == "classify"
    return lambda layout: folds(layout.targets, count, number, split.validation, seed, stratify=stratify)


def measured(loaded: LoadedUseCase, data: Dataset, name: str, spec: Any, watcher: Watcher) -> Contender:
    """A model fitted to the training part and judged on the test part, with its size and the time it takes.

    Args:
        loaded: the use case.
        data: its dataset.
        name: of the model.
        spec: the model.
        watcher: who is told of the progress.

    Raises:
        AfieldError: it cannot be fitted or judged.
    """
    from afield.train.judging.judge import judged  # imported once the backend is prepared

    with_model = replace(loaded, model=loaded.model.model_copy(update={"model": spec}))
    what = replace(task(with_model, data, ""), checkpoints=None)
    trainer = spec.open(what)
    started = time.perf_counter()
    examples = [data.examples(rows) for rows in (data.parts.training, data.parts.validation)]
    trained = trainer.fit(*examples, watcher)
    seconds = time.perf_counter() - started
    network = trained.export_onnx()
    session = Session(network, trained.fed(), f"model '{name}'", threads=1)
    judgement, _ = judged(with_model, data, trained, session)
    contender = judgement.contender(name, name_of(spec), _metric(loaded), seconds)
    if contender is None:
        raise DataError(f"nothing is known by which '{_metric(loaded)}' could be computed")
    seconds_a_row = row_seconds(session, data.examples(data.parts.test).features)
    return contender.model_copy(update={"row_seconds": seconds_a_row, "bytes": len(network), "lines": lines(spec)})


def _baselines(loaded: LoadedUseCase, data: Dataset) -> list[Contender]:
    from afield.train.judging.judge import JUDGES

    judge_of = JUDGES[loaded.model.question.kind]
    made = [
        judge_of(data, loaded.model, simple.raw).contender(simple.name, "baseline", _metric(loaded), simple.seconds)
        for simple in simple_models(data, loaded.model)
    ]
    return [contender for contender in made if contender]


def _metric(loaded: LoadedUseCase) -> str:
    from afield.train.judging.base import metric_of

    return metric_of(loaded.model)
