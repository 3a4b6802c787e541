"""Use cases on real data, tuned from end to end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tunings import FOREST, NETWORK

from afield.errors import StateError, UseCaseError
from afield.report.model import Tuning
from afield.train.base import Unwatched
from afield.tune.workflow import Options, Tuned, tune
from afield.usecase.load import load

Case = Callable[[str], Path]


def tuned(folder: Path, *overrides: str, apply: bool = False, **options: Any) -> Tuned:
    given = {"trials": 6, "sampler": "random", "schedule": "none"} | options
    return tune(load(folder, overrides), Options(**given), apply=apply, watcher=Unwatched())


def scores(tuning: Tuning) -> list[tuple[Any, ...]]:
    return [(trial.number, trial.state, trial.values, trial.score, trial.curve) for trial in tuning.trials]


def command(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "afield", "tune", str(folder), *arguments]
    return subprocess.run(line, capture_output=True, text=True, env=os.environ | environment)


@pytest.fixture(scope="module")
def whole(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """A search of a network from its start to its end."""
    folder = tmp_path_factory.mktemp("whole")
    text = f"source:\n  files: {{path: {digits}, format: csv, label: digit}}\npreprocess: [table]\n{NETWORK}"
    (folder / "usecase.yaml").write_text(text)
    return tuned(folder)


def test_each_trial_reaches_what_its_network_reaches_alone(whole: Tuned, case: Case) -> None:
    from afield.train.networks.trainer import NetworkTrainer
    from afield.train.workflow import gathered, task
    from afield.tune.datasets import Datasets

    trial = whole.tuning.trials[0]
    settings = [f"{name}={value!r}" for name, value in trial.values.items()]
    loaded = load(case(NETWORK), settings)
    data = Datasets(gathered(loaded, Unwatched())[0], Unwatched()).of(loaded.model)
    model: Any = loaded.model.model
    trainer = NetworkTrainer(model, task(loaded, data, ""))
    parts = data.examples(data.parts.training), data.examples(data.parts.validation)
    history = trainer.fit(*parts, Unwatched()).history
    trainer.done()
    assert trial.curve == pytest.approx([epoch.validation_accuracy for epoch in history], abs=1e-6)
    assert trial.losses == pytest.approx([epoch.validation_loss for epoch in history], rel=1e-3)
    assert trial.score == trial.curve[-1]


def test_what_is_told_of_a_search(whole: Tuned) -> None:
    tuning = whole.tuning
    assert (tuning.metric, tuning.watched, tuning.schedule) == ("accuracy", "accuracy", "none")
    assert [trial.number for trial in tuning.trials] == list(range(6))
    assert tuning.best_trial.score == max(trial.score or 0 for trial in tuning.trials)
    assert {searched.name for searched in tuning.searched} == set(tuning.best_trial.values)
    assert sum(searched.importance or 0 for searched in tuning.searched) == pytest.approx(1)
    assert tuning.best_trial.bytes == 4 * (59 * 24 + 24 + 24 * 10 + 10)  # five pixels are empty always
    assert all((trial.row_seconds or 0) > 0 for trial in tuning.trials)
    assert tuning.best in tuning.front
    assert tuning.rows == 150
    low, high = tuning.test.interval or (1, 0)
    assert low < tuning.test.score < high
    assert tuning.verdict.startswith("The best of 6 trials reaches accuracy ")
    assert whole.case.space == ()


def test_halving_keeps_the_best_third(case: Case) -> None:
    tuning = tuned(case(NETWORK), trials=9, schedule="halving").tuning
    assert tuning.counted("complete") == 3
    assert tuning.counted("pruned") == 6
    assert {len(trial.curve) for trial in tuning.trials} == {1, 4}
    left = max(trial.score or 0 for trial in tuning.trials if trial.state == "pruned")
    assert all(trial.curve[0] >= left for trial in tuning.trials if trial.state == "complete")


def test_a_killed_search_goes_on_from_its_last_epoch(case: Case) -> None:
    folder = case(NETWORK)
    arguments = ("--trials", "9", "--sampler", "random", "--json")
    killed = command(folder, *arguments, AFIELD_KILL_AT="population epoch:2")
    assert killed.returncode == -9, killed.stderr
    resumed = command(folder, *arguments)
    assert resumed.returncode == 0, resumed.stderr
    expected = tuned(case(NETWORK), trials=9, schedule="halving", storage="sqlite://").tuning
    found = Tuning.model_validate_json(resumed.stdout)
    assert scores(found) == scores(expected)
    assert found.test.score == expected.test.score


def test_a_network_that_diverges_fails_alone(case: Case) -> None:
    model = NETWORK.replace("{range: [0.0003, 0.03], log: true}", "{search: [0.001, 1.0e+30]}")
    tuning = tuned(case(model), sampler="grid", trials=10).tuning
    failed = [trial for trial in tuning.trials if trial.state == "failed"]
    assert {trial.values["train.optimizer.adam.learning_rate"] for trial in failed} == {1e30}
    assert len(failed) == 5
    assert all("no longer a number" in trial.reason for trial in failed)
    assert tuning.counted("complete") == 5


def test_widths_depth_and_batch_size_are_searched(case: Case) -> None:
    model = """\
model:
  network:
    search:
      - - dense: {units: {search: [8, 16]}, activation: relu}
        - dense: {units: classes, activation: softmax}
      - - dense: {units: 16, activation: relu}
        - dense: {units: 16, activation: tanh}
        - dense: {units: classes, activation: softmax}
train: {epochs: 2, batch_size: {search: [16, 64]}}
"""
    tuning = tuned(case(model), sampler="grid", trials=20).tuning
    assert len(tuning.trials) == (2 + 1) * 2
    assert tuning.counted("complete") == 6
    assert len({trial.bytes for trial in tuning.trials}) == 3


def test_another_figure_is_measured_on_the_validation_part(case: Case) -> None:
    tuning = tuned(case(NETWORK), "question.metric=macro F1", "train.early_stopping.patience=1", trials=3).tuning
    assert (tuning.metric, tuning.watched) == ("macro F1", "loss")
    assert tuning.best_trial.score == max(trial.score or 0 for trial in tuning.trials)
    assert all(trial.curve == trial.losses for trial in tuning.trials)


def test_what_enters_is_searched_too(case: Case) -> None:
    folder = case(NETWORK)
    tuning = tuned(
        folder, "preprocess.table.numbers={search: [standardize, quantile]}", sampler="grid", trials=4
    ).tuning
    assert len(tuning.trials) == 4


def test_trials_of_scikit_learn_run_in_processes(case: Case) -> None:
    tuning = tuned(case(FOREST), sampler="grid").tuning
    assert [trial.state for trial in tuning.trials] == ["complete"] * 3
    assert tuning.best_trial.values == {"model.sklearn.RandomForestClassifier.max_depth": 8}
    assert all(trial.bytes and trial.row_seconds for trial in tuning.trials)


def test_the_best_values_are_written_into_the_file(case: Case) -> None:
    folder = case(NETWORK)
    before = (folder / "usecase.yaml").read_text()
    found = tuned(folder, trials=3, apply=True)
    assert found.version is not None
    assert found.version.name == "v1"
    rate, dropout = _values(found.tuning)
    after = (folder / "usecase.yaml").read_text()
    assert after == before.replace("{range: [0.0, 0.4]}", repr(dropout)).replace(
        "{range: [0.0003, 0.03], log: true}", repr(rate)
    )
    assert load(folder).space == ()
    from afield.bundle import open_bundle

    assert open_bundle(found.version.bundle).usecase == after


def _values(tuning: Tuning) -> tuple[float, float]:
    values = tuning.best_trial.values
    return values["train.optimizer.adam.learning_rate"], values["model.network.1.dropout.rate"]


def test_nothing_to_search(case: Case) -> None:
    folder = case("model:\n  sklearn: GaussianNB\n")
    with pytest.raises(UseCaseError) as refused:
        tuned(folder)
    assert str(refused.value) == (
        f"{folder}/usecase.yaml: nothing to search: expected at least one value written as {{search: [a, b]}} or"
        " {range: [low, high]}, such as --set 'train.batch_size={search: [16, 32, 64]}'"
    )


def test_no_validation_part_to_compare_on(case: Case) -> None:
    with pytest.raises(UseCaseError) as refused:
        tuned(case(FOREST), "train.split.validation=0")
    assert str(refused.value) == (
        "train.split.validation: trials are compared on the validation part, and it is 0; give it a share such as 0.1"
    )


def test_no_valid_trial(case: Case) -> None:
    with pytest.raises(StateError) as refused:
        tuned(case(NETWORK.replace("units: classes", "units: {search: [3, 4]}")), sampler="grid", trials=2)
    assert str(refused.value) == (
        "none of 2 trials gave a score; the first one (model.network.1.dropout.rate=0.0, model.network.2.dense.units=3,"
        " train.optimizer.adam.learning_rate=0.0003): model.network: the last layer gives 3 numbers a record; the"
        " question needs one unit for each of 10 classes: `units: classes`"
    )


def test_a_search_from_the_command_line_cannot_be_applied(case: Case) -> None:
    folder = case(FOREST.replace("{search: [2, 4, 8]}", "4"))
    with pytest.raises(UseCaseError) as refused:
        tuned(folder, "train.epochs={search: [2, 4]}", apply=True)
    assert str(refused.value) == (
        f"--apply: the search of train.epochs is given by --set and does not stand in {folder}/usecase.yaml;"
        " write it there"
    )
