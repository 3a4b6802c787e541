"""The window step at work: rows in, windows of consecutive rows out, across batches and over whole tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from afield.errors import DataError
from afield.preprocess.base import Carry, Features
from afield.preprocess.cells import plain, seconds
from afield.preprocess.demand import demand
from afield.preprocess.window.follow import LATE, UNDATED, follow, prevailing
from afield.preprocess.window.spec import Window
from afield.preprocess.windows import Windows

NEVER = np.iinfo(np.int64).max // 2
"""More rows than will ever come."""


@dataclass(frozen=True)
class Cut:
    """The windows of a whole table, before any feature is known.

    Args:
        order: int64[T]; rows of the table, those of one sequence beside each other in the order of time.
        starts: int64[M]; first row of each window, as a place in `order`.
        ends: int64[M]; last row of each window, as a row of the table.
        runs: int64[M]; number of the run that a window lies in; windows of two runs share no row.
        length: rows of a window.
        undated: rows of the table that are left out because they have no time.
    """

    order: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    runs: np.ndarray
    length: int
    undated: int

    def __len__(self) -> int:
        return len(self.starts)

    def features(self, rows: dict[str, np.ndarray]) -> Features:
        """The windows of features of the table's rows ([T, ...] each), by index."""
        return {name: Windows(values[self.order], self.starts, self.length) for name, values in rows.items()}


class WindowStep:
    """Rows to windows of consecutive rows.

    Args:
        declared: the step as declared in the use case.
    """

    def __init__(self, declared: Window) -> None:
        self.declared = declared

    @property
    def length(self) -> int:
        """Rows of a window."""
        return self.declared.length

    def columns(self, frozen: object, schema: pa.Schema) -> list[str]:
        """The columns of the key and the time, where they are named.

        Raises:
            DataError: one of them is not there.
        """
        named = {"key": self.declared.key, "time": self.declared.time}
        for field, name in named.items():
            if name is not None:
                demand(schema, name, f"preprocess.window.{field}")
        return [name for name in named.values() if name is not None]

    def windows(
        self, carry: Carry, features: dict[str, np.ndarray], batch: pa.RecordBatch
    ) -> tuple[Features, np.ndarray, Carry]:
        """The windows that end in a batch.

        However a stream of rows is cut into batches, its windows are the same.

        Args:
            carry: of the batch before; None at the start of a stream.
            features: of the rows of the batch, float32[N, ...] or int32[N, ...] each.
            batch: N records.

        Returns:
            The windows of each feature under its name; int64[M], the row of the batch that each ends at, ascending;
            and the carry, whose `late` and `undated` count the rows that were left out.
        """
        carry = carry or _start()
        codes, keys = self._codes(batch, carry["keys"])
        new = len(keys) - len(carry["keys"])
        latest = np.append(carry["latest"], np.full(new, -np.inf))
        rows = np.append(carry["rows"], np.zeros(new, np.int64))
        seen = np.append(carry["seen"], np.zeros(new, np.int64))
        places = np.empty(batch.num_rows, np.int64)
        follow(codes, self._times(batch), self._gap, self.declared.forget, carry["count"], latest, rows, seen, places)
        taken = np.flatnonzero(places >= 0)
        tails = np.minimum(carry["rows"], self.length - 1)
        # The rows kept of each sequence, then the batch's own.
        owners = np.concatenate([np.repeat(np.arange(len(tails)), tails), codes[taken]])
        order = np.argsort(owners, kind="stable")
        values = {
            name: np.concatenate([carry["tails"].get(name, feature[:0]), feature[taken]])[order]
            for name, feature in features.items()
        }
        at = np.empty(len(order), np.int64)
        at[order] = np.arange(len(order))
        ending = self._ending(places[taken])
        starts = at[len(order) - len(taken) + ending] - (self.length - 1)
        count = carry["count"] + batch.num_rows
        known = (rows > 0) & (count - seen <= self.declared.forget)
        owners = owners[order]
        after = np.searchsorted(owners, owners, side="right") - 1 - np.arange(len(owners))
        kept = known[owners] & (after < np.minimum(rows, self.length - 1)[owners])
        carry = {
            "keys": [key for key, still in zip(keys, known.tolist(), strict=True) if still],
            "latest": latest[known],
            "rows": rows[known],
            "seen": seen[known],
            "tails": {name: value[kept] for name, value in values.items()},
            "count": count,
            "late": carry["late"] + int((places == LATE).sum()),
            "undated": carry["undated"] + int((places == UNDATED).sum()),
        }
        return {name: Windows(value, starts, self.length) for name, value in values.items()}, taken[ending], carry

    def cut(self, table: pa.RecordBatch | pa.Table) -> Cut:
        """The windows of a whole table, its rows sorted by key and time first.

        Args:
            table: N records.

        Raises:
            DataError: no row has a time, or no run is as long as a window.
        """
        codes, keys = self._codes(table, [])
        times = self._times(table)
        if table.num_rows and np.isnan(times).all():
            example = _column(table, self.declared.time or "")[0].as_py()
            raise DataError(
                f"preprocess.window.time: expected times in column '{self.declared.time}' (2024-05-31 13:45:00, or "
                f"seconds), found {example!r}; name another column"
            )
        order = np.lexsort((times, codes))
        order = order[~np.isnan(times[order])]
        places = np.empty(len(order), np.int64)
        state = np.full(len(keys), -np.inf), np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
        follow(codes[order], times[order], self._gap, NEVER, 0, *state, places)
        last = self._ending(places)
        if not len(last):
            raise DataError(
                f"preprocess.window.length: expected {self.length} rows or more without a gap, found at most "
                f"{int(places.max(initial=-1)) + 1} in {table.num_rows} rows; shorten the window or allow a longer gap"
            )
        runs = np.cumsum(places == 0)[last] - 1
        return Cut(order, last - (self.length - 1), order[last], runs, self.length, table.num_rows - len(order))

    def labels(self, cut: Cut, codes: np.ndarray, classes: list[str]) -> np.ndarray:
        """The known answer of each window, by the rule that is declared.

        Args:
            cut: M windows of a table of N rows.
            codes: int32[N]; the answer of each row, a place in `classes`, -1 where it has none.
            classes: names of the answers.

        Returns:
            int32[M], -1 where a window has none.

        Raises:
            DataError: no answer bears the name of the normal one, which the rule `any` needs.
        """
        if self.declared.label == "last":
            return codes[cut.ends].astype(np.int32)
        rows = codes[cut.order].astype(np.int32)
        if self.declared.label == "all_same":
            changes = np.append(0, np.cumsum(np.diff(rows) != 0))
            last = cut.starts + self.length - 1
            return np.where(changes[last] == changes[cut.starts], rows[last], np.int32(-1))
        if self.declared.normal not in classes:
            raise DataError(
                f"preprocess.window.normal: no row has the answer '{self.declared.normal}'; there are "
                f"{', '.join(classes)}; name the one that says that nothing is wrong"
            )
        found = np.empty(len(cut), np.int32)
        prevailing(rows, cut.starts, self.length, classes.index(self.declared.normal), len(classes), found)
        return found

    @cached_property
    def _gap(self) -> float:
        gap = self.declared.gap_seconds
        return np.inf if gap is None else gap

    def _ending(self, places: np.ndarray) -> np.ndarray:
        """Which rows end a window, by their places in their runs."""
        beyond = places - (self.length - 1)
        return np.flatnonzero((beyond >= 0) & (beyond % self.declared.stride == 0))

    def _times(self, batch: pa.RecordBatch | pa.Table) -> np.ndarray:
        if self.declared.time is None:
            return np.zeros(batch.num_rows)
        return np.ascontiguousarray(seconds(_column(batch, self.declared.time)), np.float64)

    def _codes(self, batch: pa.RecordBatch | pa.Table, known: list[Any]) -> tuple[np.ndarray, list[Any]]:
        """int64[N], the number of each row's sequence, and the keys of all sequences, those known first."""
        if self.declared.key is None:
            return np.zeros(batch.num_rows, np.int64), known or [None]
        column: Any = _column(batch, self.declared.key).cast(pa.string())
        encoded = column.dictionary_encode(null_encoding="encode")
        numbers = {key: number for number, key in enumerate(known)}
        own = [numbers.setdefault(key, len(numbers)) for key in encoded.dictionary.to_pylist()]
        return np.array(own, np.int64)[encoded.indices.to_numpy()], list(numbers)


def _column(batch: pa.RecordBatch | pa.Table, name: str) -> pa.Array:
    column: Any = batch.column(name)
    return plain(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)


def _start() -> dict[str, Any]:
    return {
        "keys": [],
        "latest": np.zeros(0),
        "rows": np.zeros(0, np.int64),
        "seen": np.zeros(0, np.int64),
        "tails": {},
        "count": 0,
        "late": 0,
        "undated": 0,
    }
