"""The loop over epochs, on an engine whose losses are made up."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from afield.errors import DataError, UseCaseError
from afield.train.base import Unwatched
from afield.train.compiled.checkpoint import Checkpoints
from afield.train.compiled.engine import Told
from afield.train.compiled.loop import Loop, Plan


class Scripted:
    """Its state counts the epochs; its losses stand in a list."""

    rows = 10

    def __init__(self, losses: list[float], **metrics: list[float]) -> None:
        self.losses = losses
        self.metrics = metrics

    def start(self) -> Any:
        return {"epochs": np.float32(0), "rate": np.float32(1)}

    def epoch(self, state: Any, number: int, told: Told) -> tuple[Any, dict[str, float]]:
        told(self.rows)
        return state | {"epochs": np.float32(number)}, {"loss": self.losses[number - 1], "accuracy": 0.5}

    def validate(self, state: Any) -> dict[str, float]:
        number = int(state["epochs"]) - 1
        return {name: values[number] for name, values in self.metrics.items()}

    def learning_rate(self, state: Any) -> float:
        return float(state["rate"])

    def set_learning_rate(self, state: Any, value: float) -> Any:
        return state | {"rate": np.float32(value)}

    def weights(self, state: Any) -> list[np.ndarray]:
        return [state["epochs"]]

    def predict(self, state: Any, features: Any) -> np.ndarray:
        return np.zeros(1)


def test_history_holds_every_metric() -> None:
    loop = Loop(Scripted([0.5, 0.4], loss=[0.7, 0.6], auc=[0.8, 0.9]), Plan(epochs=2))
    assert loop.run()["epochs"] == 2
    last = loop.progress.history[-1]
    assert (last.loss, last.validation_loss, last.accuracy, last.validation_accuracy) == (0.4, 0.6, 0.5, None)
    assert last.validation_metrics == {"auc": 0.9}
    assert loop.progress.stopped == "all 2 epochs done"


@pytest.mark.parametrize(
    ("monitor", "values", "best"),
    [
        ("validation_loss", [0.5, 0.3, 0.4, 0.6], 2),
        ("validation_auc", [0.5, 0.3, 0.9, 0.6, 0.7], 3),
        ("validation_r2", [0.1, 0.2, 0.0, 0.0], 2),
        ("validation_mean_absolute_error", [3.0, 2.0, 2.5, 2.4], 2),
    ],
)
def test_early_stopping_knows_which_way_is_better(monitor: str, values: list[float], best: int) -> None:
    metrics: dict[str, list[float]] = {"loss": [1.0] * 9, monitor.removeprefix("validation_"): values + [9.0] * 5}
    loop = Loop(Scripted([1.0] * 9, **metrics), Plan(epochs=9, patience=2, monitor=monitor))
    assert loop.run()["epochs"] == best
    words = monitor.replace("_", " ")
    assert loop.progress.stopped == f"no better {words} for 2 epochs; the weights of epoch {best} are kept"


def test_a_value_that_is_not_measured_cannot_be_watched() -> None:
    loop = Loop(Scripted([1.0], loss=[1.0], mae=[2.0]), Plan(epochs=1, monitor="validation_auc"))
    with pytest.raises(UseCaseError) as raised:
        loop.run()
    assert str(raised.value) == (
        "train.early_stopping.monitor: the network does not measure 'validation_auc';"
        " expected one of validation_loss, validation_mae"
    )


def test_a_loss_that_runs_away_keeps_the_weights_before() -> None:
    loop = Loop(Scripted([0.5, 0.4, math.nan]), Plan(epochs=9))
    assert loop.run()["epochs"] == 2
    assert loop.progress.diverged
    assert len(loop.progress.history) == 2
    assert loop.progress.stopped == (
        "the loss of epoch 3 is nan, no longer a number; the weights of epoch 2 are kept;"
        " lower train.optimizer's learning_rate (now 1), or give it a clipnorm"
    )


def test_a_loss_that_runs_away_keeps_the_best_weights_where_training_may_stop_early() -> None:
    loop = Loop(Scripted([0.5, 0.4, math.inf], loss=[0.1, 0.2, 0.3]), Plan(epochs=9, patience=5))
    assert loop.run()["epochs"] == 1
    assert "the weights of epoch 1 are kept" in loop.progress.stopped


def test_a_first_epoch_that_runs_away_is_an_error() -> None:
    with pytest.raises(DataError) as raised:
        Loop(Scripted([math.nan]), Plan(epochs=9)).run()
    assert str(raised.value) == (
        "epoch 1: the loss is nan, no longer a number;"
        " lower train.optimizer's learning_rate (now 1), or give it a clipnorm"
    )


def test_a_plateau_lowers_the_rate_and_a_checkpoint_remembers_it(tmp_path: Path) -> None:
    losses = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]
    plan = Plan(epochs=4, plateau=(0.5, 1, 0.0, 0, 0.3))
    checkpoints = Checkpoints(tmp_path, "same")

    class Patient(Unwatched):
        def stage(self, name: str, total: int | None = None) -> None:
            checkpoints.flush()

    loop = Loop(Scripted(losses), plan, checkpoints, Patient())
    loop.run()
    assert [epoch.learning_rate for epoch in loop.progress.history] == pytest.approx([1.0, 1.0, 0.5, 0.3])
    checkpoints.flush()
    resumed = Loop(Scripted(losses), plan, Checkpoints(tmp_path, "same"))
    state = resumed.run()
    assert float(state["rate"]) == pytest.approx(0.3)
    assert len(resumed.progress.history) == 4
    assert resumed.progress.stopped == "all 4 epochs done"
