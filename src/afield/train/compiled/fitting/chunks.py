"""Rows in pieces, for data larger than memory: mixed as they come, cut into batches again."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from afield.errors import DataError
from afield.runtime.prefetch import prefetched
from afield.train.compiled.fitting.source import laid, length, piece_steps, take
from afield.train.compiled.runs import Run

Opened = Callable[[], Iterable[Any]]
"""Starts reading: gives chunks (x, y) or (x, y, weights) of arrays, each with as many rows as it likes."""

MIXED_BYTES = 256 << 20


class Chunks:
    """Data that is read anew in each epoch, a chunk of rows at a time.

    Only the chunks that are being mixed are in memory, and the two on their way to the device. The order of the rows
    differs from epoch to epoch: the parts are read in another order, and the rows of all chunks in memory are mixed.

    Args:
        read: starts reading; or several such, one for each part of the data (a file, a row group).
        rows: rows of all parts, where that is known; then progress has an end.
        mixed_rows: rows that are mixed with each other; by default as many as 256 MB hold.

    >>> import numpy as np
    >>> def read():
    ...     for part in range(3):
    ...         yield np.full((4, 2), part, "float32"), np.zeros(4, "int32")
    >>> data = Chunks(read, rows=12)
    """

    def __init__(self, read: Opened | Sequence[Opened], rows: int | None = None, mixed_rows: int | None = None) -> None:
        self.parts: list[Opened] = [read] if callable(read) else list(read)
        self.rows = rows
        self.mixed_rows = mixed_rows


class ChunkSource:
    """Steps over chunks.

    Args:
        chunks: the data.
        batch_size: rows a step.
        shuffle: whether parts and rows come in another order in each epoch.
        seed: of the orders.
        steps: that make an epoch; None takes all rows.
        standard: makes (x, y, weights) of a chunk.
    """

    def __init__(
        self,
        chunks: Chunks,
        batch_size: int,
        shuffle: bool,
        seed: int,
        steps: int | None,
        standard: Callable[[Any], Any],
    ) -> None:
        self._chunks = chunks
        self._batch = batch_size
        self._shuffle = shuffle
        self._seed = seed
        self._standard = standard
        self._limit = steps
        self.steps = steps or (None if chunks.rows is None else -(-chunks.rows // batch_size))

    def batch(self) -> Any:
        for part in self._chunks.parts:
            for chunk in part():
                rows = self._standard(chunk)
                return take(rows, np.arange(min(self._batch, length(rows))))
        raise DataError("x: expected at least one chunk of rows, found none")

    def epoch(self, number: int) -> Generator[Run]:
        yield from prefetched(self._runs(np.random.default_rng([self._seed, number])), ahead=1)

    def _runs(self, random: np.random.Generator) -> Iterator[Run]:
        parts = list(self._chunks.parts)
        if self._shuffle:
            random.shuffle(parts)  # pyright: ignore[reportArgumentType]
        chunks = (self._standard(chunk) for part in parts for chunk in part())
        if self._shuffle:
            chunks = _mixed(chunks, random, self._chunks.mixed_rows)
        left = self._limit
        for rows, room in _pieces(chunks, self._batch):
            for run in laid(rows, self._batch, room):
                if left is None:
                    yield run
                    continue
                if left == 0:
                    return
                run = Run(run.data, run.order, 0, min(run.last, left))
                left -= run.last
                yield run


def _mixed(chunks: Iterator[Any], random: np.random.Generator, rows: int | None) -> Iterator[Any]:
    """The same rows: half of those in memory go out in a drawn order whenever there are enough."""
    held: list[Any] = []
    for chunk in chunks:
        held.append(chunk)
        if rows is None:
            rows = max(MIXED_BYTES * length(chunk) // max(_bytes(chunk), 1), 1)
        if sum(map(length, held)) >= rows:
            everything = _joined(held)
            order = random.permutation(length(everything))
            half = -(-len(order) // 2)
            held = [take(everything, order[half:])] if half < len(order) else []
            yield take(everything, order[:half])
    if held:
        everything = _joined(held)
        yield take(everything, random.permutation(length(everything)))


def _pieces(chunks: Iterator[Any], batch_size: int) -> Iterator[tuple[Any, int]]:
    """The same rows in pieces of whole batches, and the room that each piece is given."""
    rest: Any = None
    room = 0
    for chunk in chunks:
        rows = chunk if rest is None else _joined([rest, chunk])
        if not room and length(rows):
            room = batch_size * piece_steps(take(rows, np.zeros(batch_size, np.int64)))
        whole = length(rows) // room * room if room else 0
        for start in range(0, whole, room or 1):
            yield _part(rows, start, start + room), room
        rest = _part(rows, whole, length(rows))
    if rest is not None and length(rest):
        yield rest, room


def _part(rows: Any, start: int, end: int) -> Any:
    return jax.tree.map(lambda array: array[start:end], rows)


def _joined(chunks: list[Any]) -> Any:
    return chunks[0] if len(chunks) == 1 else jax.tree.map(lambda *parts: np.concatenate(parts), *chunks)


def _bytes(chunk: Any) -> int:
    return sum(leaf.nbytes for leaf in jax.tree.leaves(chunk))
