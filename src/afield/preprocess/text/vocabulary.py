"""The terms of a fit: collected while it lasts, chosen when it ends, laid out for looking up when it is used."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from afield.preprocess.text.reduce import tabulate
from afield.preprocess.text.terms import PAD, SLOT

FIRST_SLOTS = 1 << 12
FIRST_BYTES = 1 << 15


def _longer(array: np.ndarray, size: int) -> np.ndarray:
    larger = np.zeros(size, array.dtype)
    larger[: len(array)] = array
    return larger


@dataclass
class Terms:
    """The terms met so far, in the order in which they were met; the arrays are those of `learn.learn_rows`.

    Args:
        records: number of records seen.
        size: number of terms met.
    """

    records: int = 0
    size: int = 0
    table: np.ndarray = field(default_factory=lambda: np.zeros(SLOT * FIRST_SLOTS, np.uint64))
    arena: np.ndarray = field(default_factory=lambda: np.zeros(FIRST_BYTES, np.uint8))
    bounds: np.ndarray = field(default_factory=lambda: np.zeros(FIRST_SLOTS // 2 + 1, np.int64))
    documents: np.ndarray = field(default_factory=lambda: np.zeros(FIRST_SLOTS // 2, np.int64))
    totals: np.ndarray = field(default_factory=lambda: np.zeros(FIRST_SLOTS // 2, np.int64))
    latest: np.ndarray = field(default_factory=lambda: np.zeros(FIRST_SLOTS // 2, np.int64))

    def grow(self) -> None:
        """Doubles the room."""
        self.arena = _longer(self.arena, 2 * len(self.arena))
        self.bounds = _longer(self.bounds, 2 * len(self.documents) + 1)
        self.documents = _longer(self.documents, 2 * len(self.documents))
        self.totals = _longer(self.totals, 2 * len(self.totals))
        self.latest = _longer(self.latest, 2 * len(self.latest))
        self.table = np.zeros(2 * len(self.table), np.uint64)
        tabulate(self.arena, self.bounds, np.zeros(self.size), self.table)

    def select(self, least: float, most: float, limit: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The terms in between two document frequencies, of those at most `limit` of the most frequent, by code point.

        Among equally frequent ones, those that come first by code point are kept.

        Returns:
            bytes uint8, offsets int64[V + 1] and document frequencies int64[V].
        """
        # Only the fit needs this module, and a site that only answers starts sooner without it.
        import pyarrow.compute as pc

        words = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), self.size, [None, pa.py_buffer(self.bounds), pa.py_buffer(self.arena)]
        )
        order = pc.call_function("array_sort_indices", [words]).to_numpy()
        documents = self.documents[order]
        order = order[(documents >= least) & (documents <= most)]
        if limit is not None and len(order) > limit:
            frequent = np.argsort(-self.totals[order], kind="stable")[:limit]
            order = order[np.sort(frequent)]
        _, offsets, data = words.take(pa.array(order)).buffers()
        bounds = np.frombuffer(offsets, np.int64, len(order) + 1).copy()
        return np.frombuffer(data, np.uint8, bounds[-1]).copy(), bounds, self.documents[order]


@dataclass(frozen=True)
class Lookup:
    """A vocabulary ready for use.

    Args:
        arena: uint8; the terms one after the other, and some bytes more.
        table: uint64[4 * slots]; see `terms`.
        factors: float64[4 * slots]; the same memory.
        size: number of terms.
    """

    arena: np.ndarray
    table: np.ndarray
    factors: np.ndarray
    size: int


def lookup(data: np.ndarray, offsets: np.ndarray, idf: np.ndarray) -> Lookup:
    """Builds the look-up table of a vocabulary.

    Args:
        data: uint8; the terms one after the other.
        offsets: int64[V + 1].
        idf: float64[V]; factor of each term.
    """
    slots = 1 << (2 * len(idf) + 1).bit_length()
    arena = np.concatenate([data, np.zeros(PAD, np.uint8)])
    table = np.zeros(SLOT * slots, np.uint64)
    tabulate(arena, np.ascontiguousarray(offsets, np.int64), np.ascontiguousarray(idf, np.float64), table)
    return Lookup(arena, table, table.view(np.float64), len(idf))
