"""Features as one matrix, as simple models read them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from afield.preprocess.base import Features
from afield.preprocess.rows import SparseRows
from afield.preprocess.windows import Windows

BLOCK = 4096


def matrix(features: Features) -> Any:
    """The features of N examples as float32[N, W]; SciPy's sparse rows where all of them are sparse.

    Of a window, every column gives its mean, deviation, least, greatest and last value.
    """
    values = list(features.values())
    if len(values) == 1 and isinstance(values[0], SparseRows):
        return sparse_matrix(values[0])
    return np.concatenate([_flat(value) for value in values], axis=1)


def sparse_matrix(rows: SparseRows) -> csr_matrix:
    """The rows as SciPy's float32 matrix."""
    return csr_matrix((rows.weights, rows.ids, rows.indptr), shape=(len(rows), rows.width))


def _flat(value: np.ndarray | SparseRows | Windows) -> np.ndarray:
    if isinstance(value, SparseRows):
        return value.whole()
    if isinstance(value, Windows):
        blocks = [value.take(np.arange(start, min(start + BLOCK, len(value)))) for start in range(0, len(value), BLOCK)]
        return np.concatenate([_summary(block.dense()) for block in blocks])
    return value.reshape(len(value), -1).astype(np.float32)


def _summary(rows: np.ndarray) -> np.ndarray:
    rows = rows.reshape(*rows.shape[:2], -1).astype(np.float32)
    figures = (rows.mean(axis=1), rows.std(axis=1), rows.min(axis=1), rows.max(axis=1), rows[:, -1])
    return np.concatenate(figures, axis=1)
