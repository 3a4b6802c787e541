"""Keys are equal where rows are, and nowhere else."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.preprocess.keys import row_keys
from afield.preprocess.rows import SparseRows
from afield.preprocess.windows import Windows


@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=1, max_size=40))
def test_keys_part_rows_as_their_bytes_do(rows: list[list[int]]) -> None:
    for dtype in (np.float32, np.float64, np.int32, np.uint8, np.bool_):
        values = np.array(rows, dtype)
        same = np.unique(values, axis=0, return_inverse=True)[1].ravel()
        keys = row_keys({"a": values})
        assert keys.dtype == np.uint64
        assert ((keys[:, None] == keys) == (same[:, None] == same)).all()


def test_every_feature_counts() -> None:
    first, second = np.array([[1.0], [1.0], [2.0]], np.float32), np.array([[1], [2], [1]], np.int32)
    assert len(set(row_keys({"a": first, "b": second}).tolist())) == 3
    assert len(set(row_keys({"a": first}).tolist())) == 2
    # What is moved from one feature to the next is another row.
    moved = row_keys({"a": np.array([[1, 0], [0, 1]], np.float32), "b": np.array([[0, 1], [1, 0]], np.float32)})
    assert moved[0] != moved[1]


def test_order_of_features_does_not_count() -> None:
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    one, other = row_keys({"a": values, "b": values + 1}), row_keys({"b": values + 1, "a": values})
    np.testing.assert_array_equal(one, other)


@given(st.lists(st.integers(0, 1), min_size=5, max_size=40))
def test_windows_have_the_keys_of_what_they_write_out(rows: list[int]) -> None:
    values = np.array(rows, np.float32)[:, None]
    windows = Windows(values, np.arange(len(rows) - 3), 4)
    keys = row_keys({"a": windows})
    same = np.unique(windows.dense().reshape(len(windows), -1), axis=0, return_inverse=True)[1].ravel()
    assert ((keys[:, None] == keys) == (same[:, None] == same)).all()


def test_sparse_rows() -> None:
    rows = SparseRows(np.array([0, 2, 4, 5, 5]), np.array([1, 4, 1, 4, 1], np.int32), np.ones(5, np.float32), 9)
    keys = row_keys({"text": rows})
    assert keys[0] == keys[1]
    assert len(set(keys.tolist())) == 3


def test_no_rows_and_no_columns() -> None:
    assert len(row_keys({})) == 0
    assert len(row_keys({"a": np.zeros((0, 3), np.float32)})) == 0
    assert len(set(row_keys({"a": np.zeros((4, 0), np.float32)}).tolist())) == 1


@pytest.mark.parametrize("width", [1, 50])
def test_keys_of_many_rows_are_fast_and_do_not_meet(width: int) -> None:
    rows = 500_000 if width == 1 else 100_000
    values = np.zeros((rows, width), np.float32)
    values[np.arange(rows), np.arange(rows) % width] = np.arange(rows)
    begin = time.process_time()
    keys = row_keys({"a": values})
    assert time.process_time() - begin < 0.5
    assert len(np.unique(keys)) == rows
