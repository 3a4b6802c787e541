"""Models of other libraries: each learns, agrees with what it becomes as ONNX, and says what is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from afield.errors import AfieldError, DataError, UseCaseError
from afield.preprocess.base import StepInput
from afield.preprocess.rows import SparseRows
from afield.preprocess.windows import Windows
from afield.runtime.session import Session
from afield.train.base import Examples, Kind, Task, Trained, Unwatched
from afield.train.export.keras_model import export_keras
from afield.train.frameworks.spec import Onnx, Python, Rule, Sklearn, Torch
from afield.usecase.base import Problem
from afield.usecase.load import check
from afield.usecase.training import Train

MODEL = """
import keras


def build(inputs, outputs, width=8):
    layers = [keras.layers.Dense(width, activation="relu"), keras.layers.Dense(outputs, activation="softmax")]
    return keras.Sequential([keras.Input(inputs), *layers])


def number(inputs, outputs):
    return 3


def broken(inputs, outputs):
    raise RuntimeError("no luck")


try:
    import torch

    class Net(torch.nn.Module):
        def __init__(self, inputs, outputs):
            super().__init__()
            layers = [torch.nn.Linear(inputs[0], 16), torch.nn.ReLU(), torch.nn.Linear(16, outputs)]
            self.layers = torch.nn.Sequential(*layers)

        def forward(self, x):
            return self.layers(x)
except ImportError:
    pass
"""
WIDTH = 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


def examples(kind: Kind, rows: int, seed: int) -> Examples:
    """Rows whose first number tells the class, or is the value."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, WIDTH)).astype(np.float32)
    value = x[:, 0] * 2 + 0.1 * x[:, 1]
    targets = value.astype(np.float32) if kind == "regress" else np.digitize(value, [-1, 1]).astype(np.int32)
    return Examples({"table": x}, targets)


def task(kind: Kind, folder: Path, **train: Any) -> Task:
    how = Train.model_validate({"epochs": 20, "batch_size": 32, "optimizer": {"adam": {"learning_rate": 0.01}}} | train)
    classes = ["low", "middle", "high"] if kind == "classify" else []
    return Task(kind, classes, [StepInput("table", (WIDTH,))], how, folder)


def agrees(trained: Trained, given: Examples) -> np.ndarray:
    """What the exported model answers, after seeing that it is what the trained one does."""
    session = Session(trained.export_onnx(), trained.fed(), "here")
    answers = session.answer(given.features)
    near = np.abs(answers - trained.predict(given.features)).reshape(len(answers), -1).max(axis=1) <= 1e-4
    assert near.mean() >= trained.parity.share
    np.testing.assert_array_equal(
        session.answer({n: v[:1] for n, v in given.features.items()}).shape, (1, *answers.shape[1:])
    )  # pyright: ignore
    return answers


@pytest.mark.parametrize(
    "spec",
    [
        Sklearn.model_validate({"RandomForestClassifier": {"n_estimators": 20}}),
        Sklearn.model_validate({"HistGradientBoostingClassifier": {"max_iter": 20}}),
        Sklearn.model_validate(
            [{"StandardScaler": {}}, {"MLPClassifier": {"hidden_layer_sizes": [9, 5], "learning_rate_init": 0.01}}]
        ),
        Sklearn.model_validate("LogisticRegression"),
        Python.model_validate("model.py:build"),
        Torch.model_validate("model.py:Net"),
    ],
    ids=["forest", "boosting", "pipeline", "name", "python", "torch"],
)
def test_classes_are_learned(spec: Any, folder: Path) -> None:
    training, others = examples("classify", 400, 1), examples("classify", 200, 2)
    trained: Trained = spec.open(task("classify", folder)).fit(training, others, Unwatched())
    answers = agrees(trained, others)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    assert (answers.argmax(axis=1) == others.targets).mean() > 0.8
    assert trained.stopped


@pytest.mark.parametrize(
    "spec", [Sklearn.model_validate("Ridge"), Torch.model_validate("model.py:Net")], ids=["sklearn", "torch"]
)
def test_values_are_learned(spec: Any, folder: Path) -> None:
    training, others = examples("regress", 400, 1), examples("regress", 200, 2)
    trained: Trained = spec.open(task("regress", folder)).fit(training, others, Unwatched())
    answers = agrees(trained, others)
    assert np.abs(answers[:, 0] - others.targets).mean() < 0.3


def test_what_is_unlike_the_others(folder: Path) -> None:
    given = examples("classify", 300, 1)
    trained = Sklearn.model_validate("IsolationForest").open(task("abnormal", folder)).fit(given, given, Unwatched())
    scores = agrees(trained, given)[:, 0]
    far = agrees(trained, Examples({"table": np.full((2, WIDTH), 9, np.float32)}, given.targets[:2]))
    assert far.min() > np.quantile(scores, 0.95)


def test_early_stopping_of_torch_keeps_the_best_weights(folder: Path) -> None:
    wanted = task("classify", folder, early_stopping={"patience": 2}, optimizer={"sgd": {"learning_rate": 2.0}})
    training, others = examples("classify", 100, 1), examples("classify", 50, 2)
    trained = Torch.model_validate("model.py:Net").open(wanted).fit(training, others, Unwatched())
    losses = [epoch.validation_loss for epoch in trained.history]
    best = int(np.argmin(losses))
    assert trained.stopped == f"no better validation loss for 2 epochs; the weights of epoch {best + 1} are kept"
    answers = trained.predict(others.features)
    found = -np.log(np.maximum(answers[np.arange(50), others.targets], 1e-38)).mean()
    assert found == pytest.approx(losses[best], rel=1e-3)


def test_a_ready_model_is_taken_as_it_is(folder: Path) -> None:
    model = keras.Sequential([keras.Input((WIDTH,)), keras.layers.Dense(3, activation="softmax")])
    content = export_keras(model, [StepInput("x", (WIDTH,))], ["y"])
    (folder / "model.onnx").write_bytes(content)
    given = examples("classify", 30, 1)
    trained = Onnx.model_validate("model.onnx").open(task("classify", folder)).fit(given, given, Unwatched())
    np.testing.assert_allclose(agrees(trained, given), model(given.features["table"]), atol=1e-5)
    assert trained.export_onnx() == content
    assert trained.stopped == f"taken as it is from {folder / 'model.onnx'}"
    (folder / "narrow.onnx").write_bytes(export_keras(model, [StepInput("x", (WIDTH,))], ["y"]))
    wide = task("classify", folder)
    wide.inputs[0] = StepInput("table", (WIDTH + 1,))
    message = "model.onnx: .*narrow.onnx: input 'x' takes \\[4\\], the feature 'table' is \\[5\\]"
    with pytest.raises(UseCaseError, match=message):
        Onnx.model_validate("narrow.onnx").open(wide).fit(given, given, Unwatched())
    (folder / "text.onnx").write_text("not a model")
    with pytest.raises(UseCaseError, match=r"^model\.onnx: .*text\.onnx: network\.onnx is not an ONNX model"):
        Onnx.model_validate("text.onnx").open(task("classify", folder)).fit(given, given, Unwatched())


def test_the_best_rule_of_a_table(folder: Path) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(500, WIDTH)).astype(np.float32)
    targets = (x[:, 2] < -0.25).astype(np.int32)
    two = Task("classify", ["no", "yes"], [StepInput("table", (WIDTH,))], Train(), folder)
    trained = Rule().open(two).fit(Examples({"table": x}, targets), Examples({"table": x}, targets), Unwatched())
    answers = agrees(trained, Examples({"table": x}, targets))
    np.testing.assert_array_equal(answers[:, 0] > 0.5, targets == 1)
    assert re.fullmatch(r"number 3 of 'table' above -0\.2\d+", trained.stopped)


def test_the_best_rule_of_windows_sees_what_no_row_shows(folder: Path) -> None:
    random = np.random.default_rng(4)
    rows, length = 300, 12
    targets = random.integers(0, 2, rows).astype(np.int32)
    noise = random.normal(size=(rows, length, 2))
    course = np.cumsum(noise[..., 1], axis=1)
    course = (course - course.mean(axis=1, keepdims=True)) / course.std(axis=1, keepdims=True)
    noise[..., 1] = np.where(targets[:, None] == 1, course, noise[..., 1])
    values = Windows(noise.reshape(-1, 2).astype(np.float32), length * np.arange(rows), length)
    two = Task("classify", ["machine", "human"], [StepInput("table", (length, 2))], Train(), folder)
    given = Examples({"table": values}, targets)
    trained = Rule().open(two).fit(given, given, Unwatched())
    assert trained.stopped.startswith("persistence of number 2 of 'table' above ")
    session = Session(trained.export_onnx(), trained.fed(), "here")
    np.testing.assert_allclose(session.answer(given.features), trained.predict(given.features), atol=1e-6)
    assert ((session.answer(given.features)[:, 0] > 0.5) == (targets == 1)).mean() > 0.85


def test_what_a_rule_cannot_do(folder: Path) -> None:
    three, text = task("classify", folder), Task("classify", ["a", "b"], [StepInput("t", (9,), sparse=True)], Train())
    given = examples("classify", 10, 1)
    with pytest.raises(UseCaseError, match=r"^model\.rule: tells two classes apart, the data has 3$"):
        Rule().open(three).fit(given, given, Unwatched())
    rows = SparseRows(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), 9)
    with pytest.raises(UseCaseError, match=r"^model\.rule: reads numbers, not the rows of a `text` step$"):
        Rule().open(text).fit(Examples({"t": rows}, given.targets[:0]), given, Unwatched())


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (Python.model_validate("model.py:number"), "model.python: model.py:number gives int, expected a keras.Model"),
        (Python.model_validate("model.py:broken"), "{folder}/model.py: broken fails: RuntimeError: no luck"),
        (Python.model_validate("other.py:build"), "{folder}/other.py: no such file"),
        (Torch.model_validate("model.py:number"), "model.torch: model.py:number is not a torch.nn.Module"),
        (
            Sklearn.model_validate({"RandomForestClassifier": {"n_estimators": -1}}),
            "model.sklearn: RandomForestClassifier: The 'n_estimators' parameter",
        ),
        (Onnx.model_validate("none.onnx"), "model.onnx: {folder}/none.onnx: cannot be read: No such file"),
    ],
)
def test_models_that_cannot_be_made(spec: Any, message: str, folder: Path) -> None:
    given = examples("classify", 20, 1)
    with pytest.raises(UseCaseError, match=re.escape(message.format(folder=folder))):
        spec.open(task("classify", folder)).fit(given, given, Unwatched())


def test_a_class_without_training_rows(folder: Path) -> None:
    given = examples("classify", 20, 1)
    few = Examples(given.features, np.minimum(given.targets, 1))
    with pytest.raises(DataError, match=r"^train\.split: the training part has no row of 'high'$"):
        Sklearn.model_validate("LogisticRegression").open(task("classify", folder)).fit(few, few, Unwatched())


def test_a_loss_that_runs_away(folder: Path) -> None:
    given = examples("regress", 50, 1)
    wanted = task("regress", folder, optimizer={"sgd": {"learning_rate": 1e30}})
    with pytest.raises(AfieldError, match=r"^epoch \d+: the loss is (nan|inf), no longer a number"):
        Torch.model_validate("model.py:Net").open(wanted).fit(given, given, Unwatched())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("{sklearn: {RandomForestClasifier: {}}}", 'did you mean "RandomForestClassifier"?'),
        ("{sklearn: {RandomForestClassifier: {n_trees: 3}}}", 'RandomForestClassifier has no argument "n_trees"'),
        ("{sklearn: Ridge}", "Ridge is a regressor, and `kind: classify` needs a classifier"),
        ("{python: 'model.py:built'}", 'has no function or class "built"; did you mean "build"?'),
        ("{python: 'missing.py:build'}", "cannot be read: No such file or directory"),
        ("{torch: 'model:Net'}", "model.torch"),
        ("{onnx: none.onnx}", "no such file"),
    ],
)
def test_check_says_what_is_wrong_without_running_anything(model: str, message: str, folder: Path) -> None:
    (folder / "usecase.yaml").write_text(
        f"name: x\nsource: {{files: {{path: data}}}}\npreprocess: [table]\nmodel: {model}\n"
    )
    found = [str(finding) for finding in check(folder)]
    assert len(found) == 1
    assert message in found[0]
    assert "usecase.yaml:4:" in found[0]


def test_a_problem_names_its_place() -> None:
    problems = Sklearn.model_validate({"SVC": {"kern": "rbf"}}).lint()
    assert problems == [Problem(("SVC", "kern"), 'SVC has no argument "kern"; did you mean "kernel"?')]
