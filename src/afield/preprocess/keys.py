"""Keys of rows: equal where every byte of a row's features is equal, so that duplicates are found in one pass."""

from __future__ import annotations

import numpy as np
from numba import types

from afield.kernels import helper, kernel
from afield.preprocess.base import Features
from afield.preprocess.rows import SparseRows
from afield.preprocess.windows import Windows

_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xD6E8FEB86659FD93)

_WORDS = types.Array(types.uint32, 2, "C", readonly=True)
_FLAT = types.Array(types.uint32, 1, "C", readonly=True)
_KEYS = types.Array(types.uint64, 1, "C", readonly=True)
_PLACES = types.Array(types.int64, 1, "C", readonly=True)


def row_keys(features: Features) -> np.ndarray:
    """uint64[N], equal for rows whose features are equal in every byte.

    Different rows hardly ever meet: keys behave as if they were drawn at random from 2^64. A window is equal to another
    where the rows written out are.

    Args:
        features: N rows each.
    """
    keys: np.ndarray | None = None
    for name in sorted(features):
        feature = features[name]
        keys = np.zeros(len(feature), np.uint64) if keys is None else keys
        if isinstance(feature, SparseRows):
            weights = np.ascontiguousarray(feature.weights, np.float32).view(np.uint32)
            ids = np.ascontiguousarray(feature.ids, np.int32).view(np.uint32)
            _mix_sparse(feature.indptr, ids, weights, keys)
        elif isinstance(feature, Windows):
            rows = np.zeros(len(feature.values), np.uint64)
            _mix_rows(_words(feature.values), rows)
            _mix_windows(rows, feature.starts, feature.length, keys)
        else:
            _mix_rows(_words(feature), keys)
    return np.zeros(0, np.uint64) if keys is None else keys


def _words(values: np.ndarray) -> np.ndarray:
    """uint32[N, W]: the bytes of each row, four to a word where they are so many."""
    flat = np.ascontiguousarray(values).reshape(len(values), -1 if values.size else int(np.prod(values.shape[1:])))
    return flat.view(np.uint32) if flat.itemsize % 4 == 0 else flat.view(np.uint8).astype(np.uint32)


@helper
def _mixed(key: np.uint64, word: np.uint64) -> np.uint64:
    """The next key: a multiplication carries each bit upwards, the shift takes the upper half down again.

    For one word, no two keys become the same.
    """
    key = (key ^ (word + _FIRST)) * _SECOND
    return key ^ (key >> np.uint64(32))


@kernel(_WORDS, types.uint64[::1])
def _mix_rows(words: np.ndarray, keys: np.ndarray) -> None:
    for row in range(len(words)):
        key = keys[row]
        for place in range(words.shape[1]):
            key = _mixed(key, np.uint64(words[row, place]))
        keys[row] = _mixed(key, np.uint64(words.shape[1]))


@kernel(_KEYS, _PLACES, types.int64, types.uint64[::1])
def _mix_windows(rows: np.ndarray, starts: np.ndarray, length: int, keys: np.ndarray) -> None:
    for window in range(len(starts)):
        key = keys[window]
        for row in range(starts[window], starts[window] + length):
            key = _mixed(key, rows[row])
        keys[window] = key


@kernel(_PLACES, _FLAT, _FLAT, types.uint64[::1])
def _mix_sparse(indptr: np.ndarray, ids: np.ndarray, weights: np.ndarray, keys: np.ndarray) -> None:
    for row in range(len(indptr) - 1):
        key = keys[row]
        for entry in range(indptr[row], indptr[row + 1]):
            key = _mixed(key, (np.uint64(ids[entry]) << np.uint64(32)) | np.uint64(weights[entry]))
        keys[row] = _mixed(key, np.uint64(indptr[row + 1] - indptr[row]))
