"""Windows: stretches of rows that are taken by index, so that overlapping ones cost no memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Windows:
    """Examples that are stretches of consecutive rows of one array.

    Args:
        values: float32[T, ...] or int32[T, ...]; the rows, those of one key beside each other in the order of time.
        starts: int64[N]; the first row of each example.
        length: rows of an example (L).
    """

    values: np.ndarray
    starts: np.ndarray
    length: int

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example: (L, ...)."""
        return (self.length, *self.values.shape[1:])

    def take(self, rows: np.ndarray) -> Windows:
        """The given examples (int64[M]), in that order; the rows are shared."""
        return Windows(self.values, self.starts[rows], self.length)

    def dense(self) -> np.ndarray:
        """The examples written out: [N, L, ...]."""
        return self.values[self.starts[:, None] + np.arange(self.length)]
