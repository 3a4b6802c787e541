"""What is kept of the numbers of training records: exact moments, and a sample of whole rows for ranks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROWS = 200_000
"""Most rows of the sample."""
VALUES = 1 << 24
"""Most values of the sample, so that a wide table keeps fewer rows."""


@dataclass
class Moments:
    """Count, mean and spread of each of S columns, of the values that are finite.

    Source: T. F. Chan, G. H. Golub, R. J. LeVeque, Algorithms for Computing the Sample Variance, 1983.

    Args:
        counts: int64[S].
        means: float64[S].
        squares: float64[S]; sum of the squared distances from the mean.
        lows: float64[S]; inf before the first value.
        highs: float64[S]; -inf before the first value.
    """

    counts: np.ndarray
    means: np.ndarray
    squares: np.ndarray
    lows: np.ndarray
    highs: np.ndarray

    @classmethod
    def of(cls, size: int) -> Moments:
        """Of no values yet."""
        nothing = np.zeros(size)
        return cls(np.zeros(size, np.int64), nothing, nothing.copy(), nothing + np.inf, nothing - np.inf)

    @property
    def deviations(self) -> np.ndarray:
        """float64[S]: standard deviations, 0 where there is no value."""
        return np.sqrt(self.squares / np.maximum(self.counts, 1))

    def add(self, values: np.ndarray) -> None:
        """Takes in rows (float32 or float64 [N, S]); NaN and infinities count as nothing."""
        if not len(values):
            return
        rows = values.astype(np.float64)
        sums = rows.sum(axis=0)
        counts = np.full(len(sums), len(rows))
        if np.isfinite(sums).all():
            self._bound(rows.min(axis=0), rows.max(axis=0))
            means = sums / counts
            rows -= means
        else:
            finite = np.isfinite(rows)
            counts = finite.sum(axis=0)
            self._bound(np.where(finite, rows, np.inf).min(axis=0), np.where(finite, rows, -np.inf).max(axis=0))
            means = np.where(finite, rows, 0).sum(axis=0) / np.maximum(counts, 1)
            rows = np.where(finite, rows - means, 0)
        shifts = means - self.means
        totals = np.maximum(self.counts + counts, 1)
        self.squares = self.squares + np.einsum("ij,ij->j", rows, rows)
        self.squares += shifts * shifts * (self.counts * (counts / totals))
        self.means = self.means + shifts * (counts / totals)
        self.counts = self.counts + counts

    def _bound(self, lows: np.ndarray, highs: np.ndarray) -> None:
        self.lows, self.highs = np.minimum(self.lows, lows), np.maximum(self.highs, highs)


class Sample:
    """Rows drawn evenly from all that were added, the same whatever batches they came in.

    Each row has a priority that depends on its number alone; the rows of least priority are kept.

    Args:
        width: values of a row.
        seed: of the priorities.
    """

    def __init__(self, width: int, seed: int = 0) -> None:
        self._most = min(ROWS, VALUES // max(width, 1))
        self._seed = seed
        self._bar = np.uint64(2**64 - 1)
        self._kept: list[tuple[np.ndarray, np.ndarray]] = []
        self._size = 0

    def add(self, values: np.ndarray, first: int) -> None:
        """Takes in rows ([N, S]), the first of which has this number."""
        priorities = _priorities(first, len(values), self._seed)
        under = priorities <= self._bar
        # The rows may lie in memory that is used again for the next ones.
        self._kept.append((priorities[under], values[under]))
        self._size += len(self._kept[-1][0])
        if self._size > 2 * self._most:
            self._prune()

    def rows(self) -> np.ndarray:
        """The rows that are kept, [M, S]."""
        if self._size > self._most or len(self._kept) > 1:
            self._prune()
        return self._kept[0][1]

    def _prune(self) -> None:
        priorities = np.concatenate([priorities for priorities, _ in self._kept])
        rows = np.concatenate([rows for _, rows in self._kept])
        if len(priorities) > self._most:
            least = np.argpartition(priorities, self._most)[: self._most]
            priorities, rows = priorities[least], rows[least]
            self._bar = priorities.max()
        self._kept, self._size = [(priorities, rows)], len(rows)


def _priorities(first: int, count: int, seed: int) -> np.ndarray:
    """uint64[N] of rows by their number, as if drawn at random.

    Source: G. L. Steele, D. Lea, C. H. Flood, Fast Splittable Pseudorandom Number Generators, 2014 (SplitMix64).
    """
    found = np.arange(first + 1, first + 1 + count, dtype=np.uint64) + np.uint64(seed) * np.uint64(1 << 40)
    found *= np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))
