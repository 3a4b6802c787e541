"""Which batches run together, in which of few compiled shapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from afield.preprocess.rows import SparseRows
from afield.train.compiled.batches import Shape, measure

CHUNK_BYTES = 32 << 20
CHUNK_STEPS = 512
USUAL = 0.95
"""Share of the batches that the common shape must hold."""
SLACK = 1.5
"""How much larger than that the common shape may be to hold all of them."""


class Schedule:
    """Cuts orders of the same rows into runs of batches.

    Nearly all batches share one shape. A batch that is far larger than the others (a record of a hundred thousand
    tokens, say) would make every step as slow as itself; it runs alone, after the others, in a shape of its own.

    Args:
        rows: all records.
        batch_size: records a step.
        orders: the first orders that will be asked for; the common shape is made to hold them.
        exact: every step sees all columns.
    """

    def __init__(self, rows: SparseRows, batch_size: int, orders: Iterable[np.ndarray], *, exact: bool) -> None:
        self._rows = rows
        self._batch = batch_size
        self._exact = exact
        sizes = [measure(rows, order, batch_size) for order in orders]
        entries, columns = (np.concatenate(kind) for kind in zip(*sizes, strict=True))
        self.shape = Shape(batch_size, _common(entries), rows.width if exact else _common(columns))
        bytes_a_step = 4 * (3 * self.shape.entries + self.shape.columns + 2 * batch_size)
        whole = max(len(entries) // len(sizes), 1)
        self._room = max(1, min(CHUNK_STEPS, CHUNK_BYTES // bytes_a_step, whole))

    def runs(self, order: np.ndarray) -> Iterator[tuple[np.ndarray, Shape, int]]:
        """Rows of a run of batches, the shape of each of its steps, and the steps to make room for.

        Args:
            order: int64[M]; rows in the order they are to be visited. What does not fill a batch comes last.
        """
        entries, columns = measure(self._rows, order, self._batch)
        whole = len(order) // self._batch
        batches = order[: whole * self._batch].reshape(whole, self._batch)
        fits = entries <= self.shape.entries
        if not self._exact:
            fits &= columns <= self.shape.columns
        usual = batches[fits[:whole]].reshape(-1)
        for start in range(0, len(usual), self._batch * self._room):
            yield usual[start : start + self._batch * self._room], self.shape, self._room
        for step in np.flatnonzero(~fits[:whole]):
            yield batches[step], self._large(self._batch, entries[step], columns[step]), 1
        rest = order[whole * self._batch :]
        if len(rest) and fits[-1]:
            yield rest, Shape(len(rest), self.shape.entries, self.shape.columns), 1
        elif len(rest):
            yield rest, self._large(len(rest), entries[-1], columns[-1]), 1

    def _large(self, rows: int, entries: int, columns: int) -> Shape:
        # Powers of two: however the sizes vary, few programs are compiled.
        return Shape(rows, _power(entries), self._rows.width if self._exact else _power(columns))


def _common(sizes: np.ndarray) -> int:
    usual = np.quantile(sizes, USUAL)
    most = int(sizes.max())
    return _roomy(most if most <= SLACK * usual else int(usual))


def _roomy(size: int) -> int:
    """The next of few sizes, so that similar data share a compiled program."""
    if size <= 16:
        return 16
    unit = 1 << max(size.bit_length() - 4, 4)
    return -(-size // unit) * unit


def _power(size: int) -> int:
    return 1 << max(int(size - 1).bit_length(), 4)
