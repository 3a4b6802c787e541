"""A network at work: the same answers however the rows are grouped."""

from __future__ import annotations

import numpy as np
import pytest
from networks import softmax_of_sums

from afield.errors import BundleError
from afield.preprocess.rows import SparseRows
from afield.runtime.session import BLOCK, Session

COLUMNS, CLASSES = 50, 3


@pytest.fixture(scope="module")
def kernel() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(COLUMNS, CLASSES)).astype(np.float32)


@pytest.fixture(scope="module")
def session(kernel: np.ndarray) -> Session:
    return Session(softmax_of_sums(kernel), "test", threads=1)


def rows_of(lengths: np.ndarray) -> SparseRows:
    random = np.random.default_rng(2)
    ids = [np.sort(random.permutation(COLUMNS)[:length]) for length in lengths]
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    entries = np.concatenate([*ids, np.zeros(0)]).astype(np.int32)
    return SparseRows(indptr, entries, random.uniform(0.1, 1, len(entries)).astype(np.float32), COLUMNS)


def expected(rows: SparseRows, kernel: np.ndarray) -> np.ndarray:
    dense = np.zeros((len(rows), COLUMNS), np.float32)
    dense[np.repeat(np.arange(len(rows)), rows.lengths), rows.ids] = rows.weights
    logits = dense @ kernel
    raised = np.exp(logits - logits.max(axis=1, keepdims=True, initial=0))
    return raised / raised.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("count", [0, 1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_rows_of_any_number_and_length(session: Session, kernel: np.ndarray, count: int) -> None:
    rows = rows_of(np.random.default_rng(count).integers(0, COLUMNS, count))
    answers = session.answer({"text": rows})
    assert (answers.shape, answers.dtype) == ((count, CLASSES), np.float32)
    np.testing.assert_allclose(answers, expected(rows, kernel), rtol=1e-4, atol=1e-6)


def test_together_as_one_by_one(session: Session) -> None:
    rows = rows_of(np.array([40, 0, 3, 17, 1, 0, 39, 2] * 40))
    alone = [session.answer({"text": rows.take(np.array([row]))}) for row in range(len(rows))]
    np.testing.assert_allclose(session.answer({"text": rows}), np.concatenate(alone), rtol=1e-4, atol=1e-6)


def test_dense_features_are_refused(session: Session) -> None:
    with pytest.raises(TypeError, match=r"^this network reads sparse rows$"):
        session.answer({"text": np.zeros((2, COLUMNS), np.float32)})


def test_what_is_no_network_is_refused_in_one_line() -> None:
    with pytest.raises(BundleError) as refused:
        Session(softmax_of_sums(np.eye(2))[:50], "logs.afield")
    assert str(refused.value).startswith("logs.afield: ONNX Runtime refuses the network: ")
    assert "\n" not in str(refused.value)
