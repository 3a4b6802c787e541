"""Records as vectors: principal components of numbers and of text, and codes of auto-encoders."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import use_case
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA, TruncatedSVD

from afield.errors import AfieldError, DataError, UseCaseError
from afield.preprocess.base import StepInput
from afield.preprocess.rows import SparseRows
from afield.preprocess.windows import Windows
from afield.runtime.session import Session
from afield.train.base import Examples, Task, Trained, Unwatched
from afield.train.groups.spec import Groups
from afield.usecase.training import Train

NUMBERS = (np.random.default_rng(0).normal(size=(300, 5)) * [5, 3, 1, 1, 1]).astype(np.float32)
LAYERS = [{"dense": {"units": 8, "activation": "relu"}}, {"dropout": {"rate": 0.1}}, {"dense": {"units": 2}}]


def fitted(features: dict[str, Any], inputs: list[StepInput], **declared: Any) -> Trained:
    count = len(next(iter(features.values())))
    task = Task("group", [], inputs, Train.model_validate({"epochs": 2}))
    examples = Examples(features, np.full(count, -1, np.int32))
    return Groups.model_validate(declared).open(task).fit(examples, examples, Unwatched())


def exported(made: Trained, features: dict[str, Any]) -> np.ndarray:
    return Session(made.export_onnx(), made.fed(), "here").answer(features)


def same_up_to_sign(first: np.ndarray, second: np.ndarray) -> None:
    signs = np.sign((first * second).sum(axis=0))
    np.testing.assert_allclose(first * signs, second, atol=1e-4)


def test_principal_components_of_numbers() -> None:
    made = fitted({"table": NUMBERS}, [StepInput("table", (5,))], dimensions=3)
    assert made.vectors
    assert made.history == []
    assert made.stopped == "3 principal components of 5 columns"
    same_up_to_sign(made.predict({"table": NUMBERS}), PCA(3).fit_transform(NUMBERS))
    np.testing.assert_allclose(exported(made, {"table": NUMBERS}), made.predict({"table": NUMBERS}), atol=1e-4)


def test_principal_components_of_several_features_and_of_windows() -> None:
    windows = Windows(NUMBERS, np.arange(290), 4)
    images = np.random.default_rng(1).random((290, 2, 3, 1)).astype(np.float32)
    features = {"table": windows, "image": images}
    made = fitted(features, [StepInput("table", (4, 5)), StepInput("image", (2, 3, 1))], dimensions=4)
    whole = np.concatenate([windows.dense().reshape(290, -1), images.reshape(290, -1)], axis=1)
    same_up_to_sign(made.predict(features), PCA(4).fit_transform(whole))
    np.testing.assert_allclose(exported(made, features), made.predict(features), atol=1e-4)


def test_principal_components_of_text() -> None:
    random = np.random.default_rng(0)
    dense = random.random((200, 40)) * (random.random((200, 40)) < 0.1)
    dense[0] = 0  # a record without a known term
    matrix = csr_matrix(dense.astype(np.float32))
    rows = SparseRows(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data, 40)
    made = fitted({"text": rows}, [StepInput("text", (40,), sparse=True)], dimensions=6)
    vectors = made.predict({"text": rows})
    expected = TruncatedSVD(6, random_state=0).fit(matrix).transform(matrix)
    lengths = np.linalg.norm(expected, axis=1, keepdims=True)
    same_up_to_sign(vectors, expected / np.maximum(lengths, 1e-12))
    assert (vectors[0] == 0).all()
    np.testing.assert_allclose(exported(made, {"text": rows}), vectors, atol=1e-4)
    assert [(row.layer, row.output_shape, row.parameters) for row in made.layers()] == [
        ("Dense", "(rows, 6)", 240),
        ("UnitNormalization", "(rows, 6)", 0),
    ]


def test_the_code_of_an_auto_encoder() -> None:
    made = fitted({"table": NUMBERS}, [StepInput("table", (5,))], layers=LAYERS)
    assert made.vectors
    assert len(made.history) == 2
    vectors = made.predict({"table": NUMBERS})
    assert vectors.shape == (300, 2)
    np.testing.assert_allclose(exported(made, {"table": NUMBERS}), vectors, atol=1e-4)
    assert [row.layer for row in made.layers()] == ["Dense", "Dropout", "Dense"]


def test_the_code_of_windows() -> None:
    windows = {"table": Windows(NUMBERS, np.arange(0, 290, 3), 4)}
    made = fitted(windows, [StepInput("table", (4, 5))], layers=[{"lstm": {"units": 3}}])
    assert made.predict(windows).shape == (97, 3)
    np.testing.assert_allclose(exported(made, windows), made.predict(windows), atol=1e-4)


CATEGORIES = StepInput("categories", (1,), "int32", cardinalities=(3,))
CODES = np.zeros((300, 1), np.int32)
REFUSED = [
    (
        {"table": NUMBERS, "categories": CODES},
        [StepInput("table", (5,)), CATEGORIES],
        {},
        UseCaseError,
        "model.groups: reads numbers, or the terms of one text step, found table (numbers), categories (categories);"
        " leave the others out, or write `categories: one_hot` in the table step",
    ),
    (
        {"table": NUMBERS, "categories": CODES},
        [StepInput("table", (5,)), CATEGORIES],
        {"layers": LAYERS},
        UseCaseError,
        "model.groups.layers: read one feature of numbers, found table (numbers), categories (categories); leave the"
        " others out, or leave `layers` out",
    ),
    (
        {"table": Windows(NUMBERS, np.arange(9), 4)},
        [StepInput("table", (4, 5))],
        {"layers": [{"dense": {"units": 2}}]},
        UseCaseError,
        "model.groups.layers: the last layer gives (4, 2) a record; expected one vector, as after `flatten` or `dense`",
    ),
    (
        {"table": np.ones((9, 5), np.float32)},
        [StepInput("table", (5,))],
        {},
        DataError,
        "model.groups: all training records are alike; there is nothing to group them by",
    ),
    (
        {"table": NUMBERS[:4]},
        [StepInput("table", (5,))],
        {"count": 5},
        DataError,
        "model.groups.count: 5 groups need as many different records, and the training part has 4; ask for fewer"
        " groups, or give more data",
    ),
]


@pytest.mark.parametrize(("features", "inputs", "declared", "kind", "message"), REFUSED)
def test_what_is_refused(
    features: dict[str, Any],
    inputs: list[StepInput],
    declared: dict[str, Any],
    kind: type[AfieldError],
    message: str,
) -> None:
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        fitted(features, inputs, **declared)


def test_what_is_wrong_with_the_declaration() -> None:
    def said(kind: str, *steps: str, **declared: Any) -> list[tuple[tuple[Any, ...], str]]:
        spec = Groups.model_validate(declared)
        problems = [*spec.lint(), *spec.lint_in(use_case({"kind": kind}, list(steps)), Path())]
        return [(problem.path, problem.message) for problem in problems]

    assert said("group", "table", layers=LAYERS) == []
    assert said("group", "text") == []
    assert said("classify", "table") == [((), "groups answers `kind: group`, not `kind: classify`")]
    message = "layers give back numbers, not text; leave them out on a `text` step"
    assert said("group", "text", layers=LAYERS) == [(("layers",), message)]
    message = "`method: density` finds the number by itself; remove it, or write k_means"
    assert said("group", "table", method="density", count=3) == [(("count",), message)]
    message = "has no effect with `method: k_means`; write `method: density` or remove it"
    assert said("group", "table", smallest=9) == [(("smallest",), message)]
    message = 'Keras has no layer "dens"; did you mean "dense"?'
    assert said("group", "table", layers=[{"dens": {}}]) == [(("layers", 0, "dens"), message)]
