"""The simple models beside a network, against scikit-learn on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import records, use_case
from scipy.sparse import issparse
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from afield.preprocess.rows import SparseRows
from afield.preprocess.windows import Windows
from afield.train.base import Unwatched
from afield.train.baselines.matrix import matrix
from afield.train.baselines.models import Simple, simple_models
from afield.train.dataset import Dataset, build
from afield.usecase.model import UseCase

ROWS = 300
NUMBERS = np.random.default_rng(0).normal(size=(ROWS, 2))


def trained(labels: Any, question: dict[str, Any], **train: Any) -> tuple[Dataset, UseCase, list[Simple]]:
    case = use_case(question, [{"table": {"numbers": "none"}}], **train)
    data = build(records(case, labels, a=NUMBERS[:, 0], b=NUMBERS[:, 1]), case, Unwatched())
    return data, case, list(simple_models(data, case))


def test_classes() -> None:
    labels = np.where(NUMBERS[:, 0] + 0.5 * NUMBERS[:, 1] > 0.3, "up", "down").tolist()
    data, _, (majority, linear) = trained(labels, {})
    test, training = data.parts.test, data.parts.training
    assert (majority.name, majority.raw.test.shape, majority.raw.test.dtype) == ("majority", (75, 2), np.float32)
    assert (majority.raw.test == [1, 0]).all()
    scale = StandardScaler().fit(NUMBERS[training])
    model = LogisticRegression().fit(scale.transform(NUMBERS[training]), data.targets[training])
    np.testing.assert_allclose(linear.raw.test, model.predict_proba(scale.transform(NUMBERS[test])), atol=0.02)
    assert len(linear.raw.validation) == len(data.parts.validation)
    assert linear.seconds >= 0


def test_a_sample_is_named() -> None:
    labels = np.where(NUMBERS[:, 0] > 0, "up", "down").tolist()
    assert [simple.name for simple in trained(labels, {}, baseline_rows=50)[2]] == ["majority", "linear on 50 rows"]


def test_text() -> None:
    words = [["red", "blue", "green"][row % 3] for row in range(90)]
    case = use_case()
    data = build(records(case, words, text=[f"the {word} one" for word in words]), case, Unwatched())
    _, linear = simple_models(data, case)
    assert (linear.raw.test.argmax(axis=1) == data.targets[data.parts.test]).all()


def test_tags() -> None:
    truth = NUMBERS > 0.5
    data, _, (shares, linear) = trained([";".join(np.array(["a", "b"])[row]) or ";" for row in truth], {"kind": "tag"})
    np.testing.assert_allclose(shares.raw.test, np.tile(truth[data.parts.training].mean(axis=0), (75, 1)), rtol=1e-5)
    assert ((linear.raw.test > 0.5) == truth[data.parts.test]).mean() > 0.95


def test_values() -> None:
    values = 3 * NUMBERS[:, 0] - 7 * NUMBERS[:, 1] + 100
    data, _, (mean, linear) = trained(values.tolist(), {"kind": "regress"})
    assert mean.raw.test == pytest.approx(np.full((75, 1), values[data.parts.training].mean()))
    np.testing.assert_allclose(linear.raw.test[:, 0], values[data.parts.test], rtol=0.01)


def test_scores() -> None:
    data, _, (forest,) = trained(None, {"kind": "abnormal"})
    assert (forest.name, forest.raw.test.shape) == ("isolation forest", (75, 1))
    far = np.abs(NUMBERS[data.parts.test]).max(axis=1)
    # Higher for what lies apart.
    assert np.corrcoef(far, forest.raw.test[:, 0])[0, 1] > 0.5


def test_features_as_a_matrix() -> None:
    rows = SparseRows(np.array([0, 1, 3]), np.array([2, 0, 1], np.int32), np.array([1, 2, 3], np.float32), 4)
    alone = matrix({"text": rows})
    assert issparse(alone)
    whole = [[0, 0, 1, 0], [2, 3, 0, 0]]
    np.testing.assert_array_equal(alone.toarray(), whole)
    series = np.array([[1.0], [5.0], [3.0]], np.float32)
    windows = Windows(series, np.array([0, 1]), 2)
    numbers = np.arange(4, dtype=np.int32).reshape(2, 2)
    found = matrix({"text": rows, "windows": windows, "numbers": numbers})
    # Mean, deviation, least, greatest and last of each window.
    summary = [[3, 2, 1, 5, 5], [4, 1, 3, 5, 3]]
    np.testing.assert_allclose(found, np.concatenate([whole, summary, numbers], axis=1))
