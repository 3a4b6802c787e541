"""The built-in trainer against the suite of its seam, and the suite against trainers that break it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from afield.checks import trainer as checks
from afield.checks.trainer import TRAINER_CHECKS, TrainerCase
from afield.preprocess.base import Features
from afield.preprocess.rows import SparseRows
from afield.report.model import Epoch, LayerRow
from afield.train.backend import prepare
from afield.train.base import Examples, Trained, Trainer, Watcher
from afield.train.networks.spec import Network
from afield.usecase.training import Train

CLASSES = ["left", "middle", "right"]


def examples(records: int, seed: int) -> Examples:
    """Records of three columns each, which mostly tell the class."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, 3, records).astype(np.int32)
    own = 10 * targets[:, None] + np.sort(random.permuted(np.tile(np.arange(10), (records, 1)), axis=1)[:, :3])
    weights = random.uniform(0.2, 1.0, own.size).astype(np.float32)
    rows = SparseRows(3 * np.arange(records + 1, dtype=np.int64), own.ravel().astype(np.int32), weights, 30)
    return Examples({"text": rows}, targets)


TRAINING, VALIDATION = examples(90, seed=1), examples(30, seed=2)


@pytest.mark.parametrize("check", TRAINER_CHECKS)
def test_network(check: Callable[[TrainerCase], None], tmp_path: Path) -> None:
    prepare("cpu")
    network = Network.model_validate(
        [
            {"dense": {"units": 8, "activation": "relu"}},
            {"dropout": {"rate": 0.2}},
            {"dense": {"units": "classes", "activation": "softmax"}},
        ]
    )
    train = Train(epochs=3, batch_size=30, optimizer={"adam": {"learning_rate": 0.01}}, seed=4)

    def opened(checkpoints: Path | None, identity: str) -> Trainer:
        return network.open(train, CLASSES, checkpoints, identity)

    check(TrainerCase(opened, TRAINING, VALIDATION, len(CLASSES), tmp_path / "training"))


@dataclass
class Shares:
    """Answers with the shares of the classes, which it nears by half in each of three epochs."""

    folder: Path | None
    identity: str
    trouble: str | None = None

    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> Trained:
        goal = np.bincount(training.targets, minlength=3) / len(training.targets)
        answer, history = self.start()
        while len(history) < 3:
            number = len(history) + 1
            watcher.stage(f"epoch {number}")
            answer = (answer + goal) / 2
            history.append(Epoch(epoch=number, loss=1 / number, metrics={"accuracy": 0.5}, learning_rate=0.5, seconds=0.0))
            watcher.epoch(history[-1])
            if self.folder:
                self.folder.mkdir(exist_ok=True)
                kept = [self.identity, answer.tolist(), [epoch.model_dump() for epoch in history]]
                (self.folder / "kept.json").write_text(json.dumps(kept))
        return self.result(answer, history)

    def start(self) -> tuple[np.ndarray, list[Epoch]]:
        if self.folder and (self.folder / "kept.json").exists():
            identity, answer, history = json.loads((self.folder / "kept.json").read_text())
            if self.is_mine(identity):
                return np.array(answer), [Epoch(**epoch) for epoch in history]
        return np.random.default_rng(5).dirichlet(np.ones(3)), []

    def is_mine(self, identity: str) -> bool:
        return identity == self.identity

    def result(self, answer: np.ndarray, history: list[Epoch]) -> Trained:
        return Answered(answer, history)

    def forget(self) -> None:
        if self.folder:
            (self.folder / "kept.json").unlink(missing_ok=True)

    def done(self) -> None:
        self.forget()


@dataclass
class Answered:
    """Gives every record the same answer."""

    answer: np.ndarray
    history: Sequence[Epoch]
    stopped: str = "all 3 epochs done"
    exported: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.exported = self.answer

    def predict(self, features: Features) -> np.ndarray:
        return np.tile(self.answer, (len(features["text"]), 1)).astype(np.float32)

    def export_onnx(self) -> bytes:
        constants = {"answer": self.exported[None].astype(np.float32), "one": np.array([1]), "all": np.array([1, 1])}
        nodes = [
            helper.make_node("Shape", ["ids"], ["rows"], start=0, end=1),
            helper.make_node("Concat", ["rows", "one"], ["shape"], axis=0),
            helper.make_node("Expand", ["answer", "shape"], ["probabilities"]),
        ]
        inputs = [
            helper.make_tensor_value_info("ids", TensorProto.INT32, ["rows", "entries"]),
            helper.make_tensor_value_info("weights", TensorProto.FLOAT, ["rows", "entries"]),
        ]
        outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", 3])]
        stored = [numpy_helper.from_array(array, name) for name, array in constants.items()]
        graph = helper.make_graph(nodes, "shares", inputs, outputs, stored)
        opset = [helper.make_opsetid("", 21)]
        return helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()

    def layers(self) -> list[LayerRow]:
        return []


def case_of(trainer: Callable[[Path | None, str], Trainer], folder: Path) -> TrainerCase:
    return TrainerCase(trainer, TRAINING, VALIDATION, 3, folder / "training")


@pytest.mark.parametrize("check", TRAINER_CHECKS)
def test_a_trainer_without_a_network(check: Callable[[TrainerCase], None], tmp_path: Path) -> None:
    check(case_of(Shares, tmp_path))


class LosesAnEpoch(Shares):
    def result(self, answer: np.ndarray, history: list[Epoch]) -> Trained:
        return Answered(answer, history[1:])


class TellsNobody(Shares):
    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> Trained:
        return super().fit(training, validation, checks.Recorder())


class GivesNoReason(Shares):
    def result(self, answer: np.ndarray, history: list[Epoch]) -> Trained:
        return Answered(answer, history, stopped="")


class SumsToTwo(Shares):
    def result(self, answer: np.ndarray, history: list[Epoch]) -> Trained:
        return Answered(2 * answer, history)


class NotANumber(Shares):
    def result(self, answer: np.ndarray, history: list[Epoch]) -> Trained:
        return Answered(answer * np.nan, history)


class LacksAClass(Shares):
    def result(self, answer: np.ndarray, history: list[Epoch]) -> Trained:
        return Answered(answer[:2] / answer[:2].sum(), history)


class NoSeed(Shares):
    def start(self) -> tuple[np.ndarray, list[Epoch]]:
        return np.random.default_rng().dirichlet(np.ones(3)), []


class ExportsAnother(Shares):
    def result(self, answer: np.ndarray, history: list[Epoch]) -> Trained:
        trained = Answered(answer, history)
        trained.exported = answer[::-1]
        return trained


class NeverGoesOn(Shares):
    def start(self) -> tuple[np.ndarray, list[Epoch]]:
        return Shares(None, "").start()


class ResumesFromElsewhere(Shares):
    def start(self) -> tuple[np.ndarray, list[Epoch]]:
        answer, history = super().start()
        return (np.array([1.0, 0.0, 0.0]) if history else answer), history


class TakesAny(Shares):
    def is_mine(self, identity: str) -> bool:
        return True


class NeverForgets(Shares):
    def forget(self) -> None:
        pass


BROKEN = [
    (checks.check_tells_its_history, LosesAnEpoch),
    (checks.check_tells_its_history, TellsNobody),
    (checks.check_tells_its_history, GivesNoReason),
    (checks.check_answers_are_probabilities, SumsToTwo),
    (checks.check_answers_are_probabilities, NotANumber),
    (checks.check_answers_are_probabilities, LacksAClass),
    (checks.check_same_seed_same_answers, NoSeed),
    (checks.check_exported_answers_the_same, ExportsAnother),
    (checks.check_goes_on_after_an_interruption, NeverGoesOn),
    (checks.check_goes_on_after_an_interruption, ResumesFromElsewhere),
    (checks.check_goes_on_after_an_interruption, TellsNobody),
    (checks.check_another_training_starts_anew, TakesAny),
    (checks.check_forget_starts_anew, NeverForgets),
    (checks.check_done_leaves_nothing, NeverForgets),
]


@pytest.mark.parametrize(("check", "trainer"), BROKEN)
def test_the_suite_catches(check: Callable[[TrainerCase], None], trainer: type[Shares], tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        check(case_of(trainer, tmp_path))


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as raised:
        checks.check_goes_on_after_an_interruption(case_of(NeverGoesOn, tmp_path))
    assert str(raised.value) == "interrupted after epoch 1: expected the epochs [2, 3] to be done, found [1, 2, 3]"
