"""Batches made by others: a `keras.utils.PyDataset`, a generator, any iterable."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import Any

import jax
import keras
import numpy as np

from afield.errors import DataError
from afield.runtime.prefetch import prefetched
from afield.train.compiled.fitting.source import laid, length, piece_steps
from afield.train.compiled.placing import as_fed
from afield.train.compiled.runs import Run


class Batches:
    """Batches as they come, several of one shape at a time.

    Args:
        begin: starts a pass over the batches of an epoch, the first is 0.
        first: gives a batch, for its shapes; None takes it from the pass that is begun, which goes on with it.
        steps: batches that make an epoch; None where it ends by itself.
        standard: makes (x, y, weights) of what comes.
    """

    def __init__(
        self,
        begin: Callable[[int], Iterable[Any]],
        first: Callable[[], Any] | None,
        steps: int | None,
        standard: Callable[[Any], Any],
    ) -> None:
        self._begin = begin
        self._first = first
        self._standard = standard
        self.steps = steps
        self._open: Iterator[Any] | None = None

    def batch(self) -> Any:
        if self._first is not None:
            return self._standard(self._first())
        self._open = iter(self._begin(0))
        first = next(self._open, None)
        if first is None:
            raise DataError("x: expected at least one batch, found none")
        self._open = chain([first], self._open)
        return self._standard(first)

    def epoch(self, number: int) -> Generator[Run]:
        batches = islice(self._open or self._begin(number), self.steps)
        yield from prefetched(_pieces(map(self._standard, batches)), ahead=1)


def of_dataset(dataset: keras.utils.PyDataset, *, shuffle: bool, seed: int) -> Callable[[int], Iterator[Any]]:
    """What starts a pass over a `keras.utils.PyDataset`: its hooks are called, its workers are threads."""
    # As Keras does before the first epoch.
    dataset.on_epoch_end()

    def begin(number: int) -> Iterator[Any]:
        dataset.on_epoch_begin()
        order = np.arange(dataset.num_batches)
        if shuffle:
            np.random.default_rng([seed, number]).shuffle(order)
        with ThreadPoolExecutor(max(dataset.workers, 1), "batches") as workers:
            waiting: deque[Any] = deque()
            for place in order.tolist():
                waiting.append(workers.submit(dataset.__getitem__, place))
                if len(waiting) >= max(dataset.workers, 1):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        dataset.on_epoch_end()

    return begin


def _pieces(batches: Iterator[Any]) -> Iterator[Run]:
    group: list[Any] = []
    for batch in batches:
        if group and (_shapes(group[0]) != _shapes(batch) or len(group) == piece_steps(batch)):
            yield from _joined(group)
            group = []
        group.append(batch)
    if group:
        yield from _joined(group)


def _joined(group: list[Any]) -> Iterator[Run]:
    rows = jax.tree.map(lambda *parts: np.concatenate(parts), *group)
    batch = length(group[0])
    return laid(rows, batch, batch * piece_steps(group[0]))


def _shapes(batch: Any) -> Any:
    return jax.tree.structure(batch), [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(batch)]


def standard(batch: Any, weigh: Callable[[Any, Any], Any]) -> Any:
    """A batch as (x, y, weights), or fewer, of arrays in Keras's types.

    Args:
        batch: (x,), (x, y) or (x, y, weights), or x alone.
        weigh: gives the weights, from the answers and the weights that came.
    """
    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    weights = weigh(y, weights)
    return keras.utils.pack_x_y_sample_weight(*(jax.tree.map(as_fed, part) for part in (x, y, weights)))
