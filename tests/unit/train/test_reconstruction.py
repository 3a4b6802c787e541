"""Auto-encoders that score what is abnormal: each column by its own usual error, on rows and on windows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from cases import records, use_case
from sklearn.ensemble import IsolationForest

from afield.errors import UseCaseError
from afield.preprocess.base import StepInput
from afield.preprocess.rows import SparseRows
from afield.preprocess.windows import Windows
from afield.report.metrics import precision_at
from afield.runtime.session import Session
from afield.train.base import Examples, Task, Unwatched
from afield.train.dataset import build
from afield.train.judging.alarms import judge_alarms
from afield.train.judging.base import Raw
from afield.train.networks.reconstruction import by_column, factors_of, summed
from afield.train.networks.spec import Network
from afield.train.networks.trained import TrainedReconstruction
from afield.usecase.training import Train

NARROW = [{"dense": {"units": 8, "activation": "relu"}}, {"dense": {"units": 2}}, {"dense": {"units": "inputs"}}]


def fitted(layers: list[Any], features: Any, inputs: list[StepInput], **train: Any) -> TrainedReconstruction:
    count = len(next(iter(features.values())))
    nothing = {
        name: value[:0] if isinstance(value, np.ndarray) else value.take(np.zeros(0, int))
        for name, value in features.items()
    }
    task = Task("abnormal", [], inputs, Train.model_validate({"epochs": 2, **train}))
    trainer = Network.model_validate(layers).open(task)
    targets = np.full(count, -1, np.int32)
    made = trainer.fit(Examples(features, targets), Examples(nothing, targets[:0]), Unwatched())
    assert isinstance(made, TrainedReconstruction)
    return made


def correlated(rows: int, seed: int) -> np.ndarray:
    """Six columns that follow one hidden number, the last ones much more closely than the first."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(rows, 1))
    return (hidden * [1, -1, 0.5, 1, 2, -2] + random.normal(size=(rows, 6)) * [1, 1, 1, 0.1, 0.1, 0.1]).astype(
        np.float32
    )


def test_each_column_is_measured_by_its_usual_error() -> None:
    random = np.random.default_rng(0)
    deviations = np.array([1.0, 10.0, 0.5])
    squares = (random.normal(size=(5000, 3)) * deviations) ** 2
    # A tenth of the records is far out in one column, and says nothing of what is usual.
    squares[:500, 0] = 1e6
    factors = factors_of(squares.astype(np.float32))
    assert factors.dtype == np.float32
    relative = factors * deviations**2
    np.testing.assert_allclose(relative / relative.mean(), 1, atol=0.25)
    assert np.median((squares[500:] * factors).sum(axis=1)) == pytest.approx(1, abs=0.5)


def test_errors_of_zero() -> None:
    np.testing.assert_allclose(factors_of(np.zeros((10, 4), np.float32)), 0.25)
    # A column that is always given back wholly counts a hundred times as much as the mean, and no more.
    factors = factors_of(np.tile(np.array([1, 0], np.float32), (10, 1)))
    np.testing.assert_allclose(factors, [0.5, 100], rtol=1e-6)


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 2, 3)])
def test_the_score_is_the_sum_of_what_the_columns_add(shape: tuple[int, ...]) -> None:
    entered = keras.Input(shape, name="x")
    doubled = keras.Model(entered, keras.layers.Rescaling(2.0)(entered))
    factors = np.array([1, 10, 0.5], np.float32)
    parts = by_column(doubled, factors)
    rows = np.random.default_rng(0).normal(size=(5, *shape)).astype(np.float32)
    expected = (rows**2).mean(axis=tuple(range(1, len(shape)))) * factors
    np.testing.assert_allclose(parts(rows), expected, rtol=1e-5)
    np.testing.assert_allclose(summed(parts)(rows), expected.sum(axis=1, keepdims=True), rtol=1e-5)


LSTM = [
    {"lstm": {"units": 4}},
    {"repeat_vector": {"n": 5}},
    {"lstm": {"units": 4, "return_sequences": True}},
    {"dense": {"units": "columns"}},
]


@pytest.mark.parametrize("layers", [["flatten", *NARROW], LSTM], ids=["dense", "lstm"])
def test_windows(layers: list[Any]) -> None:
    values = correlated(200, 0)
    features = {"table": Windows(values, np.arange(0, 195, 2), 5)}
    made = fitted(layers, features, [StepInput("table", (5, 6))])
    given = made.network(features["table"].dense())
    assert given.shape == (98, 5, 6)
    scores = made.predict(features)
    assert scores.shape == (98, 1)
    parts = made.parts(features)
    assert parts.shape == (98, 6)
    np.testing.assert_allclose(parts.sum(axis=1), scores[:, 0], rtol=1e-5)
    exported = Session(made.export_onnx(), made.fed(), "here").answer(features)
    np.testing.assert_allclose(exported, scores, rtol=1e-4)


def test_faults_that_break_what_columns_have_in_common() -> None:
    random = np.random.default_rng(1)
    rows = correlated(3000, 1)
    fault = random.random(3000) < 0.05
    # Each number of a fault is usual by itself; together they are not.
    rows[fault, 4] = random.permutation(rows[fault, 4])
    made = fitted(NARROW, {"table": rows}, [StepInput("table", (6,))], epochs=15)
    scores = made.predict({"table": rows})[:, 0]
    forest = -IsolationForest(random_state=0).fit(rows).decision_function(rows)
    count = int(fault.sum())
    assert precision_at(fault, scores, count) > 0.5 > 0.3 > precision_at(fault, forest, count)


def test_the_columns_of_the_most_abnormal_rows() -> None:
    rows = correlated(400, 2).astype(np.float64)
    rows[390:, 4] += 30
    case = use_case(
        {"kind": "abnormal"},
        [{"table": {"numbers": "none"}}],
        split={"by": "time", "validation": 0.25},
        epochs=10,
    )
    town = ["Rome" if row % 2 else "Oslo" for row in range(400)]
    columns = {f"c{place}": rows[:, place] for place in range(6)} | {"town": town}
    data = build(records(case, None, **columns), case, Unwatched())
    made = fitted(NARROW, {"table": data.features["table"][data.parts.training]}, data.pipeline.inputs(), epochs=10)
    validation, test = (made.predict(data.examples(part).features) for part in (data.parts.validation, data.parts.test))
    found = judge_alarms(data, case, Raw(validation, test, None, made.parts)).sections["abnormal"]
    worst = found.most[0]
    assert worst.columns[0].column == "c4"
    assert f"c4: {worst.columns[0].value}," in worst.text
    assert all(0 <= part.share <= 1 for row in found.most for part in row.columns)
    assert {part.column for row in found.most for part in row.columns} <= {*columns}
    assert {part.value for row in found.most for part in row.columns if part.column == "town"} <= {"Rome", "Oslo"}


REFUSED = (
    "model: `kind: abnormal` gives back one feature of numbers, found {found}; leave the others out, write"
    " `categories: one_hot` in the table step, or take `sklearn: IsolationForest`"
)


def test_what_an_auto_encoder_cannot_give_back() -> None:
    numbers, codes = np.zeros((4, 3), np.float32), np.zeros((4, 2), np.int32)
    two = [StepInput("table", (3,)), StepInput("categories", (2,), "int32", cardinalities=(5, 5))]
    with pytest.raises(UseCaseError, match=re.escape(REFUSED.format(found="table (numbers), categories (categories)"))):
        fitted(NARROW, {"table": numbers, "categories": codes}, two)
    text = SparseRows(np.zeros(5, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), 7)
    with pytest.raises(UseCaseError, match=re.escape(REFUSED.format(found="text (text)"))):
        fitted(NARROW, {"text": text}, [StepInput("text", (7,), sparse=True)])


def test_an_answer_of_another_shape(tmp_path: Path) -> None:
    windows = {"table": Windows(np.zeros((20, 3), np.float32), np.arange(10), 5)}
    message = (
        "model.network: the last layer gives 5, 15 numbers a record; the question needs as many numbers as enter it:"
        " `units: inputs`, or at each step of a window `units: columns`"
    )
    with pytest.raises(UseCaseError, match=re.escape(message)):
        fitted([{"dense": {"units": "inputs"}}], windows, [StepInput("table", (5, 3))])
