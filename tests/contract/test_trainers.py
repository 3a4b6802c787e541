"""The built-in trainer against the suite of its seam, and the suite against trainers that break it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from afield.bundle.manifest import Input
from afield.checks import trainer as checks
from afield.checks.trainer import TRAINER_CHECKS, TrainerCase
from afield.preprocess.base import Features, StepInput
from afield.preprocess.rows import SparseRows
from afield.preprocess.windows import Windows
from afield.report.model import Epoch, LayerRow
from afield.train.backend import prepare
from afield.train.base import Examples, Kind, Task, Trained, Trainer, Watcher
from afield.train.networks.spec import Network
from afield.usecase.base import Component
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


TEXT_INPUTS = [StepInput("text", (30,), sparse=True)]


def opener(network: Component, inputs: list[StepInput], kind: Kind = "classify", classes: list[str] = CLASSES) -> Any:
    """Opens the trainer of a network for three epochs."""
    prepare("cpu")
    train = Train(epochs=3, batch_size=30, optimizer={"adam": {"learning_rate": 0.01}}, seed=4)

    def opened(checkpoints: Path | None, identity: str) -> Trainer:
        task = Task(kind, classes, inputs, train, checkpoints=checkpoints, identity=identity)
        return network.open(task)  # pyright: ignore[reportAttributeAccessIssue]

    return opened


@pytest.mark.parametrize("check", TRAINER_CHECKS)
def test_network_on_text(check: Callable[[TrainerCase], None], tmp_path: Path) -> None:
    network = Network.model_validate(
        [
            {"dense": {"units": 8, "activation": "relu"}},
            {"dropout": {"rate": 0.2}},
            {"dense": {"units": "classes", "activation": "softmax"}},
        ]
    )
    check(TrainerCase(opener(network, TEXT_INPUTS), TRAINING, VALIDATION, tmp_path / "training", len(CLASSES)))


def table(records: int, seed: int, kind: Kind) -> Examples:
    """Rows of four numbers and two categories, or of numbers alone, and what follows from them."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(records, 4)).astype(np.float32)
    features = {"table": numbers}
    if kind != "abnormal":
        features["categories"] = random.integers(0, 5, (records, 2)).astype(np.int32)
    targets: dict[Kind, Any] = {
        "classify": (numbers[:, 0] > 0).astype(np.int32),
        "tag": (numbers[:, :3] > 0).astype(np.float32),
        "regress": 100 * numbers[:, 0] + 500,
        "abnormal": np.full(records, -1, np.int32),
    }
    return Examples(features, targets[kind])


LAST: dict[Kind, tuple[dict[str, Any], int]] = {
    "classify": ({"units": 1, "activation": "sigmoid"}, 1),
    "tag": ({"units": "classes", "activation": "sigmoid"}, 3),
    "regress": ({"units": 1}, 1),
    "abnormal": ({"units": "inputs"}, 1),
}


def on_tables(kind: Kind, folder: Path) -> TrainerCase:
    last, width = LAST[kind]
    network = Network.model_validate([{"dense": {"units": 8, "activation": "relu"}}, {"dense": last}])
    inputs = [StepInput("table", (4,)), StepInput("categories", (2,), "int32", cardinalities=(5, 5))]
    opened = opener(network, inputs[: 1 if kind == "abnormal" else 2], kind, CLASSES[: 2 if kind == "classify" else 3])
    return TrainerCase(opened, table(90, 1, kind), table(30, 2, kind), folder / "training", width, kind)


@pytest.mark.parametrize("check", TRAINER_CHECKS)
def test_network_on_tables(check: Callable[[TrainerCase], None], tmp_path: Path) -> None:
    check(on_tables("regress", tmp_path))


@pytest.mark.parametrize("kind", ["classify", "tag", "abnormal"])
@pytest.mark.parametrize("check", [checks.check_answers_fit_the_question, checks.check_exported_answers_the_same])
def test_other_questions(check: Callable[[TrainerCase], None], kind: Kind, tmp_path: Path) -> None:
    check(on_tables(kind, tmp_path))


@pytest.mark.parametrize("check", [checks.check_goes_on_after_an_interruption, checks.check_exported_answers_the_same])
def test_network_on_windows(check: Callable[[TrainerCase], None], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    series = random.normal(size=(130, 2)).astype(np.float32)

    def windows(count: int) -> Examples:
        starts = random.integers(0, 120, count)
        return Examples({"w": Windows(series, starts, 5)}, (series[starts + 4, 0] > 0).astype(np.int32))

    network = Network.model_validate([{"lstm": {"units": 4}}, {"dense": {"units": "classes", "activation": "softmax"}}])
    opened = opener(network, [StepInput("w", (5, 2))], classes=CLASSES[:2])
    check(TrainerCase(opened, windows(90), windows(30), tmp_path / "training", 2))


FED = (
    Input(name="ids", dtype="int32", feature="text", form="ids"),
    Input(name="weights", dtype="float32", feature="text", form="weights"),
)


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
            history.append(Epoch(epoch=number, loss=1 / number, metrics={}, learning_rate=0.5, seconds=0.0))
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
    seconds: float | None = None
    vectors: bool = False
    inputs: tuple[Input, ...] = FED
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

    def fed(self) -> list[Input]:
        return list(self.inputs)

    def layers(self) -> list[LayerRow]:
        return []


def case_of(trainer: Callable[[Path | None, str], Trainer], folder: Path) -> TrainerCase:
    return TrainerCase(trainer, TRAINING, VALIDATION, folder / "training", 3)


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


class TakesLessThanNoTime(Shares):
    def result(self, answer: np.ndarray, history: list[Epoch]) -> Trained:
        return Answered(answer, history, seconds=-1.0)


class FeedsNothing(Shares):
    def result(self, answer: np.ndarray, history: list[Epoch]) -> Trained:
        return Answered(answer, history, inputs=())


class FeedsTwice(Shares):
    def result(self, answer: np.ndarray, history: list[Epoch]) -> Trained:
        return Answered(answer, history, inputs=(FED[0], FED[0]))


class FeedsAnother(Shares):
    def result(self, answer: np.ndarray, history: list[Epoch]) -> Trained:
        return Answered(answer, history, inputs=(FED[0], FED[1].model_copy(update={"feature": "table"})))


class FeedsItDense(Shares):
    def result(self, answer: np.ndarray, history: list[Epoch]) -> Trained:
        return Answered(answer, history, inputs=(FED[0], FED[1].model_copy(update={"form": "dense"})))


class Forest(Shares):
    """Fits in one go."""

    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> Trained:
        return Answered(super().fit(training, validation, checks.Recorder()).answer, [], seconds=0.5)  # type: ignore


class SaysNoTime(Forest):
    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> Trained:
        return replace(super().fit(training, validation, watcher), seconds=None)  # type: ignore


@pytest.mark.parametrize("check", TRAINER_CHECKS)
def test_a_trainer_without_epochs(check: Callable[[TrainerCase], None], tmp_path: Path) -> None:
    check(replace(case_of(Forest, tmp_path), resumes=False))


def test_a_trainer_without_epochs_says_its_time(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="expected how many seconds a training without epochs took, found None"):
        checks.check_tells_its_history(replace(case_of(SaysNoTime, tmp_path), resumes=False))


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
    (checks.check_answers_fit_the_question, SumsToTwo),
    (checks.check_answers_fit_the_question, NotANumber),
    (checks.check_answers_fit_the_question, LacksAClass),
    (checks.check_tells_its_history, TakesLessThanNoTime),
    (checks.check_tells_its_history, Forest),
    (checks.check_says_how_it_is_fed, FeedsNothing),
    (checks.check_says_how_it_is_fed, FeedsTwice),
    (checks.check_says_how_it_is_fed, FeedsAnother),
    (checks.check_says_how_it_is_fed, FeedsItDense),
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
