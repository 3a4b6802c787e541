"""Where the steps of an epoch come from."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, Protocol

import jax
import numpy as np

from afield.preprocess.windows import Windows
from afield.runtime.prefetch import prefetched
from afield.train.compiled.placing import as_fed, place
from afield.train.compiled.runs import Run, cut, whole_runs

PIECE_BYTES = 64 << 20
PIECE_STEPS = 512


class Source(Protocol):
    """Gives the steps of one epoch after another."""

    @property
    def steps(self) -> int | None:
        """Steps of an epoch, where that is known."""
        ...

    def batch(self) -> Any:
        """A batch of the kind that comes, for its shapes: structure (x, y, weights)."""
        ...

    def epoch(self, number: int) -> Generator[Run]:
        """The steps of an epoch, the first is 0."""
        ...


class Arrays:
    """Rows in memory, visited in an order that depends on the seed and the epoch alone.

    Args:
        data: structure (x, y, weights) of arrays and windows with N rows.
        batch_size: rows a step.
        shuffle: True, False or "batch"; see `afield.fit`.
        seed: of the orders.
        steps: that make an epoch; None takes all rows. A pass over the rows goes on in the next epoch.
        whole: all of it lies on the device; else pieces are moved there one after another.
    """

    def __init__(
        self,
        data: Any,
        batch_size: int,
        shuffle: Any = False,
        seed: int = 0,
        steps: int | None = None,
        *,
        whole: bool,
    ) -> None:
        self._rows = length(data)
        self._batch = batch_size
        self._sample = take(data, np.arange(min(batch_size, self._rows)))
        self._shuffle = shuffle
        self._seed = seed
        self._pass_steps = -(-self._rows // batch_size)
        self.steps: int | None = steps or self._pass_steps
        # What lies on the device need not be kept here too.
        self._data = None if whole else data
        self._placed = place(data) if whole else None

    def batch(self) -> Any:
        return self._sample

    def epoch(self, number: int) -> Generator[Run]:
        assert self.steps
        at, left = divmod(number * self.steps, self._pass_steps), self.steps
        passed, first = at
        while left:
            last = min(first + left, self._pass_steps)
            order = self._order(passed)[first * self._batch : last * self._batch]
            yield from whole_runs(self._placed, order, self._batch) if self._placed is not None else self._moved(order)
            left -= last - first
            passed, first = passed + 1, 0

    def _order(self, number: int) -> np.ndarray:
        random = np.random.default_rng([self._seed, number])
        order = np.arange(self._rows)
        if self._shuffle == "batch":
            for part in range(0, self._rows, self._batch):
                random.shuffle(order[part : part + self._batch])
        elif self._shuffle:
            random.shuffle(order)
        return order

    def _moved(self, order: np.ndarray) -> Iterator[Run]:
        room = piece_steps(self._sample) * self._batch
        yield from prefetched(self._pieces(order, room), ahead=1)

    def _pieces(self, order: np.ndarray, room: int) -> Iterator[Run]:
        for start in range(0, len(order), room):
            yield from laid(take(self._data, order[start : start + room]), self._batch, room)


def laid(rows: Any, batch_size: int, room: int) -> Iterator[Run]:
    """Steps over rows in the order they have, moved to the device.

    Args:
        rows: structure of arrays with as many rows.
        batch_size: rows a step; what is left over is a smaller one.
        room: rows to make room for, so that fewer rows need no other program.
    """
    count = length(rows)
    data = place(jax.tree.map(lambda array: _roomy(array, room), rows))
    for part in cut(np.arange(count), batch_size):
        steps, size = part.shape
        if size == batch_size:
            order = np.zeros((-(-room // batch_size), size), np.int32)
            order[:steps] = part
            part = order
        yield Run(data, part, 0, steps)


def piece_steps(batch: Any) -> int:
    """Steps that are moved to the device at a time."""
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(batch))
    return max(1, min(PIECE_STEPS, PIECE_BYTES // max(size, 1)))


def length(data: Any) -> int:
    """Rows of a structure of arrays and windows."""
    leaves = jax.tree.leaves(data, is_leaf=_is_windows)
    return len(leaves[0]) if leaves else 0


def size(data: Any) -> int:
    """Bytes of a structure of arrays and windows."""
    leaves = jax.tree.leaves(data, is_leaf=_is_windows)
    return sum(leaf.values.nbytes if isinstance(leaf, Windows) else leaf.nbytes for leaf in leaves)


def take(data: Any, rows: np.ndarray) -> Any:
    """The given rows (int64[M]) of a structure of arrays and windows, written out."""
    return jax.tree.map(
        lambda leaf: as_fed(leaf.take(rows).dense() if isinstance(leaf, Windows) else leaf[rows]),
        data,
        is_leaf=_is_windows,
    )


def _roomy(array: np.ndarray, room: int) -> np.ndarray:
    if len(array) >= room:
        return array
    roomy = np.zeros((room, *array.shape[1:]), array.dtype)
    roomy[: len(array)] = array
    return roomy


def _is_windows(leaf: Any) -> bool:
    return isinstance(leaf, Windows)
