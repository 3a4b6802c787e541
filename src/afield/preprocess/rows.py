"""Sparse rows: what text becomes, from the file to the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class SparseRows:
    """Rows of a matrix that is mostly zero, in compressed row form.

    Args:
        indptr: int64[N + 1]; row i has the entries indptr[i] to indptr[i + 1].
        ids: int32[nnz]; column of each entry, ascending within a row.
        weights: float32[nnz]; value of each entry.
        width: number of columns.
    """

    indptr: np.ndarray
    ids: np.ndarray
    weights: np.ndarray
    width: int

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def lengths(self) -> np.ndarray:
        """int64[N]: entries of each row."""
        return np.diff(self.indptr)

    def take(self, rows: np.ndarray) -> SparseRows:
        """The given rows (int64[M]), in that order."""
        lengths = self.lengths[rows]
        indptr = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(lengths, out=indptr[1:])
        entries = np.repeat(self.indptr[rows] - indptr[:-1], lengths) + np.arange(indptr[-1])
        return SparseRows(indptr, self.ids[entries], self.weights[entries], self.width)

    def padded(self) -> tuple[np.ndarray, np.ndarray]:
        """The form that enters a network: ids int32[N, L] and weights float32[N, L], L the longest row, at least 1.

        Padding is column 0 with weight 0, which adds nothing.
        """
        lengths = self.lengths
        longest = max(int(lengths.max(initial=0)), 1)
        ids = np.zeros((len(self), longest), np.int32)
        weights = np.zeros((len(self), longest), np.float32)
        filled = np.arange(longest) < lengths[:, None]
        ids[filled] = self.ids
        weights[filled] = self.weights
        return ids, weights

    def whole(self) -> np.ndarray:
        """Every column written out: float32[N, width]."""
        rows = np.zeros((len(self), self.width), np.float32)
        rows[np.repeat(np.arange(len(self)), self.lengths), self.ids] = self.weights
        return rows


def taken(features: Mapping[str, Any], rows: np.ndarray) -> dict[str, Any]:
    """Some rows (int64[M]) of every feature."""
    return {
        name: value[rows] if isinstance(value, np.ndarray) else value.take(rows) for name, value in features.items()
    }


def dense(value: Any) -> np.ndarray:
    """A feature written out: sparse rows with every column, windows with every row."""
    if isinstance(value, np.ndarray):
        return value
    return value.whole() if isinstance(value, SparseRows) else value.dense()


def joined(features: Mapping[str, Any]) -> np.ndarray:
    """Every feature of N examples written out, flattened and joined: float32[N, W]."""
    parts = [dense(value) for value in features.values()]
    return np.concatenate([part.reshape(len(part), -1).astype(np.float32, copy=False) for part in parts], axis=1)


def concatenate(parts: list[SparseRows]) -> SparseRows:
    """The rows of all parts, one after the other; all must have the same width."""
    lengths = np.concatenate([part.lengths for part in parts])
    indptr = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=indptr[1:])
    return SparseRows(
        indptr,
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.weights for part in parts]),
        parts[0].width,
    )
