"""A network at work: the same answers however the rows are grouped."""

from __future__ import annotations

import numpy as np
import pytest
from networks import last_state, softmax_of_sums, weighted_sum

from afield.bundle.manifest import Input
from afield.errors import BundleError
from afield.preprocess.rows import SparseRows
from afield.preprocess.windows import Windows
from afield.runtime import session as session_module
from afield.runtime.session import BLOCK, Session

COLUMNS, CLASSES = 50, 3
SPARSE = [
    Input(name="ids", dtype="int32", feature="text", form="ids"),
    Input(name="weights", dtype="float32", feature="text", form="weights"),
]


@pytest.fixture(scope="module")
def kernel() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(COLUMNS, CLASSES)).astype(np.float32)


@pytest.fixture(scope="module")
def session(kernel: np.ndarray) -> Session:
    return Session(softmax_of_sums(kernel), SPARSE, "test", threads=1)


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


def test_what_is_no_network_is_refused_in_one_line() -> None:
    with pytest.raises(BundleError) as refused:
        Session(softmax_of_sums(np.eye(2))[:50], SPARSE, "logs.afield")
    assert str(refused.value).startswith("logs.afield: ONNX Runtime refuses the network: ")
    assert "\n" not in str(refused.value)


def test_other_inputs_than_the_manifest_names_are_refused(kernel: np.ndarray) -> None:
    with pytest.raises(BundleError) as refused:
        Session(softmax_of_sums(kernel), SPARSE[:1], "logs.afield")
    assert str(refused.value) == "logs.afield: the network's inputs are ids, weights, the manifest names ids"


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole arrays of more than 256 bytes are cut into several calls."""
    monkeypatch.setattr(session_module, "BLOCK_BYTES", 256)


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("count", [0, 1, 2, 33, 100])
def test_dense_rows(count: int) -> None:
    weights = np.array([1.0, -2.0, 0.5], np.float32)
    dense = Session(weighted_sum(weights), [Input(name="x", dtype="float32", feature="table")], "test", threads=1)
    # What the feature is made of does not matter: the network's own type enters.
    rows = np.random.default_rng(count).normal(size=(count, 3))
    found = dense.answer({"table": rows, "unread": rows[:, :1]})
    assert (found.shape, found.dtype) == ((count, 1), np.float32)
    np.testing.assert_allclose(found, rows @ weights[:, None], rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_windows_are_written_out(count: int) -> None:
    weights = np.arange(1, 5, dtype=np.float32)
    dense = Session(weighted_sum(weights), [Input(name="x", dtype="float32", feature="w")], "test", threads=1)
    series = np.random.default_rng(0).normal(size=80).astype(np.float32)
    starts = np.arange(count) * 3 % 70
    found = dense.answer({"w": Windows(series, starts, 4)})
    expected = np.array([[series[start : start + 4] @ weights] for start in starts]).reshape(count, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("count", [0, 1, 60])
def test_all_features_joined_to_one_matrix(count: int) -> None:
    random = np.random.default_rng(3)
    weights = random.normal(size=COLUMNS + 2 + 6).astype(np.float32)
    entered = [Input(name="x", dtype="float32", feature="", form="joined")]
    rows = rows_of(random.integers(0, COLUMNS, count))
    numbers = random.normal(size=(count, 2)).astype(np.float32)
    windows = Windows(random.normal(size=(count + 3, 2)).astype(np.float32), np.arange(count), 3)
    features = {"text": rows, "table": numbers, "window": windows}
    found = Session(weighted_sum(weights), entered, "test", threads=1).answer(features)
    written_out = np.concatenate([rows.whole(), numbers, windows.dense().reshape(count, 6)], axis=1)
    np.testing.assert_allclose(found, written_out @ weights[:, None], rtol=1e-4, atol=1e-5)


def test_threads_of_a_recurrent_network_wait_awake_for_a_moment() -> None:
    entered = [Input(name="x", dtype="float32", feature="w")]
    recurrent = Session(last_state(inputs=2, units=4), entered, "test", threads=2)
    plain = Session(weighted_sum(np.ones(3)), [Input(name="x", dtype="float32", feature="t")], "test", threads=2)
    assert [_setting(one, "allow_spinning") for one in (recurrent, plain)] == ["1", "0"]
    assert _setting(recurrent, "spin_duration_us") == "50"


def _setting(session: Session, name: str) -> str:
    return session._session.get_session_options().get_session_config_entry(f"session.intra_op.{name}")
