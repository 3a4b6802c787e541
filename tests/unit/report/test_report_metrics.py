"""The figures equal those of scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import binomtest
from sklearn import metrics as reference

from afield.errors import DataError
from afield.report import evaluate
from afield.report.metrics import BINS, confident_mistakes, confusion_matrix, wilson


@st.composite
def answers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Truth and probabilities; some classes may be missing from the one, the other or both."""
    size = draw(st.integers(2, 7))
    rows = draw(st.integers(1, 40))
    truth = draw(arrays.arrays(np.int64, rows, elements=st.integers(0, size - 1)))
    raw = draw(arrays.arrays(np.float32, (rows, size), elements=st.floats(0, 1, width=32)))
    raw[raw.sum(axis=1) == 0] = 1
    return truth, (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32), [f"class {k}" for k in range(size)]


@given(answers())
def test_classes_and_averages_equal_scikit_learn(drawn: tuple[np.ndarray, np.ndarray, list[str]]) -> None:
    truth, probabilities, classes = drawn
    scores = evaluate(truth, probabilities, classes)
    names = np.array(classes)
    predicted = probabilities.argmax(axis=1)

    every_class = reference.classification_report(
        truth, predicted, labels=range(len(classes)), target_names=classes, output_dict=True, zero_division=0
    )
    for row in scores.per_class:
        same_figures(row.model_dump(), every_class[row.name])

    plain = reference.classification_report(names[truth], names[predicted], output_dict=True, zero_division=0)
    assert scores.accuracy == pytest.approx(plain["accuracy"])
    same_figures(scores.macro.model_dump(), plain["macro avg"])
    same_figures(scores.weighted.model_dump(), plain["weighted avg"])
    micro = reference.precision_recall_fscore_support(truth, predicted, average="micro", zero_division=0)
    assert (scores.micro.precision, scores.micro.recall, scores.micro.f1) == pytest.approx(micro[:3])
    assert scores.micro.support == len(truth)


@given(answers())
def test_confusion_matrix_and_log_loss_equal_scikit_learn(drawn: tuple[np.ndarray, np.ndarray, list[str]]) -> None:
    truth, probabilities, classes = drawn
    scores = evaluate(truth, probabilities, classes)
    labels = range(len(classes))
    expected = reference.confusion_matrix(truth, probabilities.argmax(axis=1), labels=labels)
    matrix = scores.confusion.matrix()
    assert matrix.dtype == np.int64
    np.testing.assert_array_equal(matrix, expected)
    assert [row.predicted for row in scores.per_class] == expected.sum(axis=0).tolist()
    assert scores.log_loss == pytest.approx(reference.log_loss(truth, y_proba=probabilities, labels=labels), rel=1e-5)


@given(answers())
def test_calibration_bins_hold_every_row_once(drawn: tuple[np.ndarray, np.ndarray, list[str]]) -> None:
    truth, probabilities, classes = drawn
    scores = evaluate(truth, probabilities, classes)
    confidence = probabilities.max(axis=1).astype(float)
    right = probabilities.argmax(axis=1) == truth
    error = 0.0
    for bin_ in scores.calibration:
        inside = (confidence > bin_.low) & (confidence <= bin_.high)
        assert bin_.count == inside.sum()
        if bin_.count == 0:
            assert bin_.confidence is None
            assert bin_.accuracy is None
            continue
        assert bin_.confidence == pytest.approx(confidence[inside].mean())
        assert bin_.accuracy == pytest.approx(right[inside].mean())
        error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    assert len(scores.calibration) == BINS
    assert scores.calibration_error == pytest.approx(error, abs=1e-9)


@given(st.integers(1, 5000).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows))))
def test_interval_equals_scipy(drawn: tuple[int, int]) -> None:
    right, rows = drawn
    expected = binomtest(right, rows).proportion_ci(0.95, method="wilson")
    assert wilson(right, rows) == pytest.approx((expected.low, expected.high), abs=1e-12)
    low, high = wilson(right, rows)
    assert 0 <= low <= right / rows <= high <= 1


def test_a_class_without_rows_is_listed_and_spoils_no_average() -> None:
    scores = evaluate(np.array([0, 1]), np.array([[0.9, 0.1, 0], [0.2, 0.8, 0]], np.float32), ["a", "b", "never"])
    assert [(row.name, row.support, row.f1) for row in scores.per_class] == [("a", 1, 1), ("b", 1, 1), ("never", 0, 0)]
    assert scores.macro.f1 == 1


def test_more_classes_than_fit_are_stored_as_cells() -> None:
    size = 506
    random = np.random.default_rng(1)
    truth = random.integers(0, size, 2000)
    probabilities = random.dirichlet(np.full(size, 0.05), 2000).astype(np.float32)
    scores = evaluate(truth, probabilities, [str(k) for k in range(size)])
    assert scores.confusion.counts is None
    np.testing.assert_array_equal(
        scores.confusion.matrix(), confusion_matrix(truth, probabilities.argmax(axis=1), size)
    )


def test_confident_mistakes_come_first() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]], np.float32)
    assert confident_mistakes(np.array([0, 1, 0, 0]), probabilities).tolist() == [2, 3, 1]
    assert confident_mistakes(np.array([0, 1, 0, 0]), probabilities, limit=1).tolist() == [2]
    assert confident_mistakes(np.array([0, 0, 1, 1]), probabilities).tolist() == []


@pytest.mark.parametrize(
    ("truth", "probabilities", "message"),
    [
        (
            [],
            np.zeros((0, 2)),
            "evaluation: expected at least one row, found none; give more data or a larger test share",
        ),
        (
            [0],
            np.zeros((1, 3)),
            "evaluation: expected probabilities of 1 rows x 2 classes, found an array of shape (1, 3); "
            "pass one row of probabilities for each row of truth",
        ),
        (
            [0, 2],
            np.zeros((2, 2)),
            "evaluation: expected class indices from 0 to 1, found 0 to 2; "
            "encode the truth with the classes of the model",
        ),
        (
            [0, 1],
            np.array([[np.nan, 1], [0, 1]]),
            "evaluation: expected probabilities, found values that are not numbers in 1 of 2 rows; "
            "training ran away: lower the learning rate",
        ),
    ],
)
def test_what_cannot_be_evaluated_is_refused(truth: list[int], probabilities: np.ndarray, message: str) -> None:
    with pytest.raises(DataError) as raised:
        evaluate(np.array(truth, np.int64), probabilities.astype(np.float32), ["a", "b"])
    assert str(raised.value) == message


def same_figures(found: dict[str, float], expected: dict[str, float]) -> None:
    pairs = (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score"), ("support", "support"))
    assert [found[ours] for ours, _ in pairs] == pytest.approx([expected[theirs] for _, theirs in pairs])
