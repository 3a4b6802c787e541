"""Estimators of scikit-learn answer the same once exported."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC, OneClassSVM

from afield.bundle.onnx_guard import check_network
from afield.errors import UseCaseError
from afield.train.export.sklearn import export_sklearn

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(200, 5)).astype(np.float32)
CLASSES = (ROWS[:, 0] + ROWS[:, 1] * ROWS[:, 2] > 0).astype(int) + (ROWS[:, 3] > 1)
VALUES = ROWS[:, 0] * 2 + ROWS[:, 1] ** 2
TAGS = np.stack([ROWS[:, 0] > 0, ROWS[:, 1] > 0.3], axis=1).astype(int)


def answers(estimator: Any, rows: np.ndarray = ROWS) -> np.ndarray:
    """What the exported estimator answers, on all rows and on one."""
    exported = export_sklearn(estimator, rows.shape[1], "table", "answer")
    check_network(exported)
    session = onnxruntime.InferenceSession(exported)
    (whole,) = session.run(None, {"table": rows})
    (one,) = session.run(None, {"table": rows[:1]})
    np.testing.assert_allclose(one, whole[:1], atol=1e-5)
    assert whole.dtype == np.float32
    return whole


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        GaussianNB(),
        KNeighborsClassifier(),
        RandomForestClassifier(10, random_state=0),
        ExtraTreesClassifier(10, random_state=0),
        GradientBoostingClassifier(n_estimators=5),
        HistGradientBoostingClassifier(max_iter=10),
        make_pipeline(StandardScaler(), LogisticRegression()),
        CalibratedClassifierCV(LinearSVC()),
    ],
)
@pytest.mark.parametrize("classes", [CLASSES, CLASSES > 0], ids=["three classes", "two classes"])
def test_a_classifier(estimator: Any, classes: np.ndarray) -> None:
    estimator.fit(ROWS, classes)
    np.testing.assert_allclose(answers(estimator), estimator.predict_proba(ROWS), atol=1e-5)


@pytest.mark.parametrize(
    "estimator",
    [
        LinearRegression(),
        RandomForestRegressor(10, random_state=0),
        HistGradientBoostingRegressor(max_iter=10),
        HistGradientBoostingRegressor(max_iter=10, loss="poisson"),
    ],
)
def test_a_regressor(estimator: Any) -> None:
    estimator.fit(ROWS, np.abs(VALUES))
    np.testing.assert_allclose(answers(estimator), estimator.predict(ROWS)[:, None], atol=1e-5)


@pytest.mark.parametrize(
    "estimator", [IsolationForest(n_estimators=20, random_state=0), OneClassSVM(), LocalOutlierFactor(novelty=True)]
)
def test_a_detector_gives_more_to_what_is_more_abnormal(estimator: Any) -> None:
    estimator.fit(ROWS)
    np.testing.assert_allclose(answers(estimator), -estimator.decision_function(ROWS)[:, None], atol=5e-5)


def test_tags_by_a_classifier_a_tag() -> None:
    estimator = OneVsRestClassifier(LogisticRegression()).fit(ROWS, TAGS)
    np.testing.assert_allclose(answers(estimator), estimator.predict_proba(ROWS), atol=1e-5)


def test_missing_values_take_the_way_that_boosting_learned() -> None:
    rows = ROWS.copy()
    rows[::3, 0] = np.nan
    estimator = HistGradientBoostingClassifier(max_iter=10).fit(rows, CLASSES)
    np.testing.assert_allclose(answers(estimator, rows), estimator.predict_proba(rows), atol=1e-5)


def test_a_number_at_a_threshold_of_boosting_falls_on_the_same_side() -> None:
    # Thresholds lie in the middle of two values, which in float32 may be one of them.
    rows = np.nextafter(np.float32(1), np.float32(2), dtype=np.float32) * np.ones((200, 1), np.float32)
    rows[::2] = 1
    estimator = HistGradientBoostingRegressor(max_iter=3).fit(rows, np.arange(200) % 2)
    np.testing.assert_allclose(answers(estimator, rows), estimator.predict(rows)[:, None], atol=1e-6)


def test_only_the_answer_is_left() -> None:
    estimator = RandomForestClassifier(5).fit(ROWS, CLASSES)
    model = onnx.load_from_string(export_sklearn(estimator, 5, "table", "answer"))
    assert [value.name for value in model.graph.input] == ["table"]
    assert [value.name for value in model.graph.output] == ["answer"]
    assert {one.domain for one in model.opset_import} == {"", "ai.onnx.ml"}
    assert model.ir_version <= 10


@pytest.mark.parametrize(
    ("estimator", "targets", "message"),
    [
        (
            LinearSVC(),
            CLASSES,
            "model.sklearn: LinearSVC gives no probabilities; wrap it: CalibratedClassifierCV: {estimator: LinearSVC}",
        ),
        (
            EllipticEnvelope(),
            None,
            "model.sklearn: EllipticEnvelope cannot be exported to ONNX: Unable to find a shape calculator for type"
            " '<class 'sklearn.covariance._elliptic_envelope.EllipticEnvelope'>'.; choose another estimator",
        ),
        (
            RandomForestClassifier(3),
            TAGS,
            "model.sklearn: RandomForestClassifier with several tags a record cannot be exported to ONNX; wrap it:"
            " OneVsRestClassifier: {estimator: RandomForestClassifier}",
        ),
        (
            MLPClassifier(3, max_iter=5),
            TAGS,
            "model.sklearn: MLPClassifier with several tags a record cannot be exported to ONNX; wrap it:"
            " OneVsRestClassifier: {estimator: MLPClassifier}",
        ),
        (
            KMeans(2),
            None,
            "model.sklearn: KMeans is neither a classifier nor a regressor nor a detector of what is abnormal",
        ),
        (
            HistGradientBoostingRegressor(max_iter=3, categorical_features=[0]),
            VALUES,
            "model.sklearn: HistGradientBoostingRegressor cannot be exported to ONNX: splits by category have no map to"
            " ONNX: encode categories as columns instead; choose another estimator",
        ),
    ],
)
def test_what_cannot_be_exported_is_named(estimator: Any, targets: np.ndarray | None, message: str) -> None:
    rows = ROWS.copy()
    rows[:, 0] = np.arange(len(rows)) % 7
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(rows, targets if targets is None or targets.ndim > 1 or targets is CLASSES else rows[:, 0] % 2)
    with pytest.raises(UseCaseError) as refused:
        export_sklearn(estimator, 5, "table", "answer")
    assert str(refused.value) == message
