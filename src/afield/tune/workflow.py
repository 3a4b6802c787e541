"""From a use case with searches in it to its best values, with what they are worth on rows the search never saw."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from afield.errors import UseCaseError
from afield.files import replacing, writing
from afield.lock import STATE, use_case_lock
from afield.registry.versions import Version, utc_now
from afield.report.model import Searched, TrialRow, Tuning, higher_is_better
from afield.report.verdict import tuning_verdict
from afield.train.backend import prepare
from afield.train.base import Unwatched, Watcher
from afield.train.comparing import measured
from afield.train.dataset import Dataset
from afield.train.facts import facts
from afield.train.judging.base import metric_of
from afield.train.workflow import gathered, train
from afield.tune.base import Runner
from afield.tune.cluster.connection import connected
from afield.tune.cluster.connection import measured as cluster_of
from afield.tune.datasets import Datasets
from afield.tune.halving import Halving, NoHalving
from afield.tune.insight import front, importances
from afield.tune.ledger import Ledger
from afield.tune.objective import watched
from afield.tune.samplers import Sampler
from afield.tune.search import Search, Settings, Tried, best, quiet
from afield.tune.space import decided, labels
from afield.tune.writing import applied
from afield.usecase.components import name_of
from afield.usecase.load import LoadedUseCase
from afield.usecase.searches import asked, first

Schedule = Literal["halving", "none"]

FOLDER, DATABASE = "tuning", "tuning.db"
"""In the state folder of the use case: interrupted trainings, and the trials that are over."""


@dataclass(frozen=True)
class Options:
    """What a person may choose of a search.

    Args:
        trials: in all.
        sampler: who suggests the values.
        schedule: when trials leave early.
        timeout: seconds, or None for no end.
        seed: of the suggestions; None takes that of the use case.
        storage: URL of a database; None takes a file beside the use case.
        on: a Ray cluster: "ray", or its address; None trains on this machine.
    """

    trials: int = 64
    sampler: Sampler = "tpe"
    schedule: Schedule = "halving"
    timeout: float | None = None
    seed: int | None = None
    storage: str | None = None
    on: str | None = None


@dataclass(frozen=True)
class Tuned:
    """What a search has found.

    Args:
        tuning: all of it, to be shown.
        case: with the best values in place of the searches.
        version: trained with them, where they were applied.
    """

    tuning: Tuning
    case: LoadedUseCase
    version: Version | None = None


def tune(
    loaded: LoadedUseCase,
    options: Options,
    *,
    apply: bool = False,
    watcher: Watcher | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Tuned:
    """Searches for the best values of a use case, and measures them once on the test part.

    Args:
        loaded: the use case, with searches in it.
        options: how to search.
        apply: write the best values into the file, and add a version trained with them to the registry.
        watcher: who is told of the progress.
        clock: what time it is, with a time zone.

    Raises:
        UseCaseError: there is nothing to search, or no validation part to compare trials on.
        StateError: no trial gave a score.
        AfieldError: the data cannot be learned from.
    """
    watcher = watcher or Unwatched()
    if not loaded.space:
        raise UseCaseError(
            f"{loaded.path}: nothing to search: expected at least one value written as {{search: [a, b]}} or"
            " {range: [low, high]}, such as --set 'train.batch_size={search: [16, 32, 64]}'"
        )
    if apply:
        applied(loaded, first)  # refused before the search, which may take long
    quiet()
    with use_case_lock(loaded.folder, "tune"), _cluster(options.on) as ray:
        started = time.perf_counter()
        device = prepare(loaded.model.train.device)
        datasets = Datasets(gathered(loaded, watcher)[0], watcher)
        data = datasets.of(loaded.model)
        name = study_name(loaded, data)
        ledger = _ledger(loaded, options, name)
        tried = _searched(loaded, options, datasets, ledger, watcher, name, ray)
        found = best(tried, _rises(loaded))
        assert found is not None, "a search ends with a score, or raises"
        decisions = decided(found.values, partial(asked, loaded.document))
        case = _decided(loaded, decisions)
        watcher.stage("training the best one anew")
        final = datasets.of(case.model)
        model: Any = case.model.model
        tested = measured(case, final, name_of(model), model, watcher)
        version = _written(loaded, case, decisions, watcher) if apply else None
        seconds = time.perf_counter() - started
        known = facts(loaded.folder, device, loaded.model.train.seed, data.fingerprint, seconds) | {"study": name}
        if ray is not None:
            known |= {"cluster": str(cluster_of(ray))}
        tuning = Tuning(
            use_case=loaded.name,
            question=loaded.model.question.ask or "",
            created=clock(),
            metric=metric_of(loaded.model),
            watched=watched(loaded.model)[0],
            sampler=options.sampler,
            schedule=options.schedule,
            searched=_space(loaded, importances(ledger.finished(), _rises(loaded))),
            trials=[TrialRow(values=dict(one.values), **asdict(one.outcome)) for one in tried],
            best=found.outcome.number,
            front=front(tried, _rises(loaded)),
            test=tested,
            rows=len(final.parts.test),
            seconds=seconds,
            verdict="",
            facts=known,
        )
        return Tuned(tuning.model_copy(update={"verdict": tuning_verdict(tuning)}), case, version)


def study_name(loaded: LoadedUseCase, data: Dataset) -> str:
    """Names a search: the same space, model and data give the same, and go on where they were left."""
    case = loaded.model.model_dump(mode="json", include={"question", "preprocess", "model", "train"})
    space = [[one.name, list(one.choices), one.bounds, one.log] for one in loaded.space]
    digest = sha256(json.dumps([case, space, data.fingerprint], sort_keys=True).encode()).hexdigest()
    return f"{loaded.name}-{digest[:16]}"


def _searched(
    loaded: LoadedUseCase,
    options: Options,
    datasets: Datasets,
    ledger: Ledger,
    watcher: Watcher,
    name: str,
    ray: Any,
) -> list[Tried]:
    rises = _rises(loaded)
    settings = Settings(
        options.trials,
        options.sampler,
        loaded.model.train.seed if options.seed is None else options.seed,
        options.timeout,
        rises,
    )
    space = partial(asked, loaded.document)
    folder = loaded.folder / STATE / FOLDER / name
    runner = _runner(loaded, datasets, folder, name, ray)
    halving = Halving(_epochs(loaded), watched(loaded.model)[1]) if options.schedule == "halving" else NoHalving()
    search = Search(settings, space, partial(_decided, loaded), runner, halving, ledger, watcher)
    tried = search.run()
    if not search.over:
        shutil.rmtree(folder, ignore_errors=True)
    return tried


def _runner(loaded: LoadedUseCase, datasets: Datasets, folder: Path, name: str, ray: Any) -> Runner[LoadedUseCase]:
    """Imports what trains, once the backend is prepared."""
    if ray is not None:
        from afield.tune.cluster.runner import OnRay

        return OnRay(ray, datasets, folder, name, loaded.model.train.device)
    from afield.tune.together import Together

    return Together(datasets, folder, name)


def _cluster(on: str | None) -> AbstractContextManager[Any]:
    return nullcontext() if on is None else connected(on)


def _decided(loaded: LoadedUseCase, decisions: Mapping[str, Any]) -> LoadedUseCase:
    return loaded.at(lambda dimension: decisions[dimension.name])


def _written(loaded: LoadedUseCase, case: LoadedUseCase, decisions: Mapping[str, Any], watcher: Watcher) -> Version:
    """A version trained with the best values, which stand in the file from now on."""
    text = applied(loaded, lambda dimension: decisions[dimension.name])
    version = train(replace(case, text=text, overrides=loaded.overrides), watcher=watcher).version
    with replacing(loaded.path) as file:
        file.write(text.encode())
    return version


def _ledger(loaded: LoadedUseCase, options: Options, name: str) -> Ledger:
    file = loaded.folder / STATE / DATABASE
    with writing(file.parent):
        file.parent.mkdir(exist_ok=True)
    return Ledger(options.storage or f"sqlite:///{file.absolute()}", name, _rises(loaded))


def _epochs(loaded: LoadedUseCase) -> int:
    """The most epochs that a trial may train."""
    searched = next((one for one in loaded.space if one.name == "train.epochs"), None)
    if searched is None:
        return loaded.model.train.epochs
    return int(max(searched.choices if searched.bounds is None else searched.bounds))


def _rises(loaded: LoadedUseCase) -> bool:
    return higher_is_better(metric_of(loaded.model))


def _space(loaded: LoadedUseCase, shares: Mapping[str, float]) -> list[Searched]:
    found = [
        Searched(
            name=one.name,
            choices=labels(one) if one.bounds is None else [],
            bounds=one.bounds,
            log=one.log,
            importance=shares.get(one.name),
        )
        for one in loaded.space
    ]
    return sorted(found, key=lambda one: -(one.importance or 0.0))
