"""Trials of a use case: networks in populations, and one at a time in processes what no population can hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from afield.errors import AfieldError
from afield.report.model import Epoch
from afield.runtime.session import Session
from afield.train.base import Examples
from afield.train.compiled.loop import Progress
from afield.train.dataset import Dataset
from afield.train.networks import build
from afield.train.networks.learning import class_weights_of, plan_of, refused
from afield.train.networks.trainer import KerasTrainer
from afield.train.timing import row_seconds
from afield.train.workflow import task
from afield.tune.alone import Alone, by_preprocessing
from afield.tune.base import Outcome, Referee, Trial
from afield.tune.crew import Crew, Rows
from afield.tune.datasets import OfCase
from afield.tune.member import Member, Stop, Weights
from afield.tune.objective import Answers, is_watched, score, watched
from afield.usecase.load import LoadedUseCase

CaseTrial = Trial[LoadedUseCase]


class Together:
    """Trains each trial of a use case where it trains fastest.

    Args:
        datasets: of the use case.
        folder: in which interrupted trainings are kept.
        identity: names the search: what must be equal for an interrupted training to go on.
        alone: trains what no population can hold; by default in processes of this machine.
    """

    def __init__(self, datasets: OfCase, folder: Path, identity: str, alone: Alone | None = None) -> None:
        self._datasets = datasets
        self._alone = alone or Alone(datasets, folder)
        self._crew = Crew(folder, identity)
        self._row_seconds: dict[Any, float] = {}

    def run(self, trials: Sequence[CaseTrial], referee: Referee, ended: Collection[int] = ()) -> Iterator[Outcome]:
        """Trains all of them; when the time is up, those that have not ended are left as they are."""
        apart: list[CaseTrial] = []
        for same in by_preprocessing(trials):
            try:
                data = self._datasets.of(same[0].made.model)
            except AfieldError as failed:
                yield from (refused_outcome(trial, failed) for trial in same if trial.number not in ended)
                continue
            shared: list[CaseTrial] = []
            for trial in same:
                (shared if shares(trial, data) else apart).append(trial)
            for batch in by_batch(shared):
                yield from self._trained(batch, data, referee, ended)
        yield from self._alone.run(apart, referee, ended)

    def _trained(
        self, trials: Sequence[CaseTrial], data: Dataset, referee: Referee, ended: Collection[int]
    ) -> Iterator[Outcome]:
        training, validation = (data.examples(rows) for rows in (data.parts.training, data.parts.validation))
        members: dict[Any, list[Member]] = {}
        rows: dict[Any, Rows] = {}
        for trial in trials:
            try:
                trainer = trainer_of(trial, data)
                refused(trainer.task)
                model = trainer.network(training)
                lesson = trainer.lesson(model, training, validation)
                member = self._member(trial, data, trainer, model, (training, validation))
            except AfieldError as failed:
                if trial.number not in ended:
                    yield refused_outcome(trial, failed)
                continue
            # One probability of two is taught other targets than two.
            outputs = tuple(model.outputs[0].shape)
            batch_size = trial.made.model.train.batch_size
            rows.setdefault(outputs, Rows(lesson.features, lesson.targets, lesson.validation, batch_size))
            members.setdefault(outputs, []).append(member)
        for outputs, same in members.items():
            yield from self._crew.train(same, rows[outputs], referee, ended)

    def _member(
        self, trial: CaseTrial, data: Dataset, trainer: KerasTrainer, model: Any, parts: tuple[Examples, Examples]
    ) -> Member:
        case, (training, validation) = trial.made.model, parts
        plan = plan_of(trainer.task)
        name, exact = watched(case)[0], is_watched(case)
        writes = case.question.kind == "write"

        def reached(measured: Mapping[str, float], weights: Callable[[], Weights]) -> float:
            if exact:
                return measured[name]
            if writes:
                return score(case, data, None, _epoch(measured))
            fitted = trainer.trained(model, weights(), Progress(), training)
            return score(case, data, Answers(np.asarray(fitted.predict(validation.features))), None)

        def timed(weights: Weights) -> float | None:
            return None if writes else self._timed(trainer, model, weights, training)

        return Member(
            number=trial.number,
            model=model,
            epochs=plan.epochs,
            seed=case.train.seed,
            watched=name,
            score=reached,
            needs_weights=not (exact or writes),
            row_seconds=timed,
            class_weights=class_weights_of(trainer.task, training.targets),
            stop=None if plan.patience is None else Stop(plan.monitor.removeprefix("validation_"), plan.patience),
        )

    def _timed(self, trainer: KerasTrainer, model: Any, weights: Weights, training: Examples) -> float:
        """Seconds a row; networks of the same layers take as long as each other."""
        form = tuple((row.layer, row.output_shape, row.parameters) for row in build.table(model))
        if form not in self._row_seconds:
            fitted = trainer.trained(model, weights, Progress(), training)
            session = Session(fitted.export_onnx(), fitted.fed(), "the exported model", threads=1)
            self._row_seconds[form] = row_seconds(session, training.features)
        return self._row_seconds[form]


def trainer_of(trial: CaseTrial, data: Dataset) -> Any:
    """What trains the model of a trial."""
    model: Any = trial.made.model.model
    return model.open(task(trial.made, data, ""))


def shares(trial: CaseTrial, data: Dataset) -> bool:
    """Whether a population can hold it: a Keras network on dense rows, with a rate that looks at no plateau."""
    train = trial.made.model.train
    if train.precision != "float32" or "reduce_on_plateau" in (train.learning_rate_schedule or {}):
        return False
    return not any(one.sparse for one in data.pipeline.inputs()) and isinstance(trainer_of(trial, data), KerasTrainer)


def refused_outcome(trial: CaseTrial, why: AfieldError) -> Outcome:
    """Of a trial that cannot be trained."""
    return Outcome(trial.number, "failed", reason=str(why))


def by_batch(trials: Sequence[CaseTrial]) -> list[list[CaseTrial]]:
    """Trials with the same targets and the same rows a step."""
    groups: dict[Any, list[CaseTrial]] = {}
    for trial in trials:
        train = trial.made.model.train
        groups.setdefault((train.batch_size, train.standardize_target), []).append(trial)
    return list(groups.values())


def _epoch(measured: Mapping[str, float]) -> Epoch:
    others = {name: value for name, value in measured.items() if name != "loss"}
    return Epoch(epoch=1, loss=0.0, validation_loss=measured["loss"], validation_metrics=others, seconds=0.0)
