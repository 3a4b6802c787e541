"""Sparse rows laid out for the compiled epoch: each step sees only the columns that its batch touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types

from afield.kernels import kernel
from afield.preprocess.rows import SparseRows


@dataclass(frozen=True)
class Shape:
    """Sizes of a compiled step; equal shapes share one compiled program.

    Args:
        rows: records in a step (B).
        entries: entries of the sparse rows in a step, at most (T).
        columns: distinct columns in a step, at most (U): the batch-local vocabulary.
    """

    rows: int
    entries: int
    columns: int


@dataclass(frozen=True)
class Steps:
    """S steps of one shape, ready for the device.

    Args:
        count: steps that hold data; the rest is padding.
        columns: int32[S, U]; columns touched by a step, padded with distinct numbers beyond the last column.
        row: int32[S, T]; row in the batch of each entry.
        slot: int32[S, T]; place of each entry's column in `columns`.
        weight: float32[S, T]; value of each entry, 0 where padded.
        targets: [S, B, ...]; the answer of each row.
        row_weights: float32[S, B] or None; weight of each row in the loss.
    """

    count: int
    columns: np.ndarray
    row: np.ndarray
    slot: np.ndarray
    weight: np.ndarray
    targets: np.ndarray
    row_weights: np.ndarray | None


_POINTERS = types.int64[::1]
_COLUMNS = types.int32[::1]
_PER_STEP = types.int32[:, ::1]


@kernel(_POINTERS, _COLUMNS, types.int64[::1], types.int64, types.int64, types.int64[::1], types.int64[::1])
def _measure(indptr: Any, ids: Any, order: Any, batch: Any, width: Any, entries: Any, columns: Any) -> None:
    seen = np.full(width, -1, np.int64)
    for step in range(len(entries)):
        for place in range(step * batch, min((step + 1) * batch, len(order))):
            row = order[place]
            entries[step] += indptr[row + 1] - indptr[row]
            for entry in range(indptr[row], indptr[row + 1]):
                if seen[ids[entry]] != step:
                    seen[ids[entry]] = step
                    columns[step] += 1


@kernel(
    _POINTERS,
    _COLUMNS,
    types.float32[::1],
    types.int64[::1],
    types.int64,
    types.int64,
    _PER_STEP,
    _PER_STEP,
    _PER_STEP,
    types.float32[:, ::1],
)
def _lay_out(
    indptr: Any,
    ids: Any,
    weights: Any,
    order: Any,
    batch: Any,
    width: Any,
    columns: Any,
    row: Any,
    slot: Any,
    weight: Any,
) -> None:
    seen = np.full(width, -1, np.int64)
    place_of = np.zeros(width, np.int64)
    for step in range((len(order) + batch - 1) // batch):
        entries = 0
        found = 0
        start = step * batch
        for place in range(start, min(start + batch, len(order))):
            record = order[place]
            for entry in range(indptr[record], indptr[record + 1]):
                column = ids[entry]
                if seen[column] != step:
                    seen[column] = step
                    place_of[column] = found
                    columns[step, found] = column
                    found += 1
                row[step, entries] = place - start
                slot[step, entries] = place_of[column]
                weight[step, entries] = weights[entry]
                entries += 1
        for padding in range(found, columns.shape[1]):
            columns[step, padding] = width + padding


def measure(rows: SparseRows, order: np.ndarray, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """How large each step of an order is: entries int64[S] and distinct columns int64[S].

    Args:
        rows: all records.
        order: int64[M]; rows in the order they are visited.
        batch_size: records a step; the last one may have fewer.
    """
    steps = -(-len(order) // batch_size)
    entries, columns = np.zeros(steps, np.int64), np.zeros(steps, np.int64)
    _measure(rows.indptr, rows.ids, order, batch_size, rows.width, entries, columns)
    return entries, columns


def lay_out(
    rows: SparseRows,
    order: np.ndarray,
    targets: np.ndarray,
    row_weights: np.ndarray | None,
    shape: Shape,
    room: int,
    *,
    exact: bool,
) -> Steps:
    """Lays the rows out in steps of the given shape.

    Args:
        rows: all records.
        order: int64[M]; the records to lay out, M a multiple of `shape.rows`.
        targets: [N, ...]; the answer of every record.
        row_weights: float32[N] or None.
        shape: sizes of a step.
        room: steps to make room for (S), so that a run with fewer steps needs no other compiled program.
        exact: columns keep their own numbers.
    """
    count = len(order) // shape.rows
    columns = np.zeros((room, shape.columns), np.int32)
    row = np.zeros((room, shape.entries), np.int32)
    slot = np.zeros((room, shape.entries), np.int32)
    weight = np.zeros((room, shape.entries), np.float32)
    _lay_out(rows.indptr, rows.ids, rows.weights, order, shape.rows, rows.width, columns, row, slot, weight)
    if exact:
        slot = np.take_along_axis(columns, slot, axis=1)
        columns = columns[:, :1]
    return Steps(
        count=count,
        columns=columns,
        row=row,
        slot=slot,
        weight=weight,
        targets=_by_step(targets[order], shape.rows, room),
        row_weights=None if row_weights is None else _by_step(row_weights[order], shape.rows, room),
    )


def _by_step(values: np.ndarray, batch_size: int, room: int) -> np.ndarray:
    laid = np.zeros((room * batch_size, *values.shape[1:]), values.dtype)
    laid[: len(values)] = values
    return laid.reshape(room, batch_size, *values.shape[1:])
