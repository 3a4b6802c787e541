"""What a loop is tested with: a source of numbered records, a model that knows them, a sink that keeps its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from afield.connectors.base import OFFSET, STREAM, Batch, Position
from afield.errors import TransientError
from afield.runtime.decisions import Classes, Value
from afield.runtime.predictor import Answers


class Numbers:
    """A source of numbered records, in batches of given sizes; a batch of 0 records may move the position too."""

    replayable: ClassVar[bool] = True
    splittable: ClassVar[bool] = True

    def __init__(self, sizes: list[int], follow: bool = False) -> None:
        self.sizes = sizes
        self.follow = follow
        self.acknowledged: list[Position] = []

    def batches(self, position: Position) -> Iterator[Batch]:
        done, first = int(position.get("numbers", 0)), 0
        for size in self.sizes:
            if first >= done:
                yield self._batch(first, size, {"numbers": str(first + size)})
            first += size
        while self.follow:
            yield self._batch(first, 0, {})

    def acknowledge(self, position: Position) -> None:
        self.acknowledged.append(position)

    def close(self) -> None: ...

    @staticmethod
    def _batch(first: int, size: int, position: Position) -> Batch:
        stream = pa.array(["numbers"] * size, pa.string()).dictionary_encode()
        offsets = pa.array(range(first, first + size), pa.int64())
        return Batch(pa.RecordBatch.from_arrays([stream, offsets], [STREAM, OFFSET]), position)


class Oracle:
    """Answers "odd" or "even"; each record has two terms, and odd ones one that is unknown."""

    decision = Classes(["even", "odd"])

    def __init__(self, version: str = "v1") -> None:
        self.version = version
        self.asked: list[int] = []

    def answer(self, records: pa.RecordBatch, carry: Any = None) -> Answers:
        self.asked.append(records.num_rows)
        odd = records.column(OFFSET).to_numpy() % 2
        columns = self.decision.answer(np.eye(2, dtype=np.float32)[odd])
        ends = np.arange(len(odd))
        return Answers(columns, self.decision.figure, ends, None, 2 * len(odd), int(odd.sum()))


class Pairs(Oracle):
    """Answers each record but the first with what came before it, which it carries on."""

    def answer(self, records: pa.RecordBatch, carry: Any = None) -> Answers:
        offsets = records.column(OFFSET).to_numpy()
        before = np.array([] if carry is None else carry["last"], np.float32)
        values = np.concatenate([before, offsets])[:-1].astype(np.float32) if len(offsets) else before[:0]
        ends = np.arange(len(offsets) - len(values), len(offsets))
        carry = {"last": offsets[-1:].astype(np.float32)} if len(offsets) else carry
        return Answers(Value().answer(values[:, None]), Value.figure, ends, carry)


class Rows:
    """A sink that keeps its rows; `fails_at` is the write that finds the disk full."""

    idempotent: ClassVar[bool] = False

    def __init__(self, fails_at: int = 0) -> None:
        self.rows: list[dict[str, Any]] = []
        self.writes = 0
        self._fails_at = fails_at

    def restore(self, mark: str | None) -> None:
        del self.rows[int(mark or 0) :]

    def write(self, answers: pa.RecordBatch) -> str:
        self.writes += 1
        if self.writes == self._fails_at:
            raise TransientError("rows: the disk is full; make room and run again")
        self.rows += answers.to_pylist()
        return str(len(self.rows))

    def close(self) -> None: ...

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.rows]


def ids(count: int) -> list[str]:
    return [f"numbers:{number}" for number in range(count)]
