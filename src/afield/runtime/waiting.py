"""The records that wait for a trigger, in the batches they came in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from afield.connectors.base import OFFSET, STREAM, Batch

NOTHING = "{}"
"""What `Queue.answered` says where no batch is done with in part."""
OVERHEAD = 4096
"""Bytes that a batch takes beside its values, roughly."""


@dataclass(frozen=True)
class _Arrived:
    batch: Batch
    at: float
    bytes: int


class Queue:
    """Batches in the order they arrived, taken by the record.

    Args:
        answered: what `answered` gave when the state was last committed: records that are not to come again.
    """

    def __init__(self, answered: str = NOTHING) -> None:
        self._arrived: deque[_Arrived] = deque()
        self._past: dict[str, int] = orjson.loads(answered)
        # Of the oldest batch: records that are done with.
        self._done = 0
        self.pending = 0
        self.taken = 0
        self.bytes = 0

    def add(self, batch: Batch, at: float) -> int:
        """Takes in a batch; returns how many of its records wait.

        Args:
            batch: as the source gave it.
            at: seconds on the loop's clock.
        """
        if self._past:
            batch = Batch(self._new(batch.records), batch.position, batch.refused)
        self._arrived.append(_Arrived(batch, at, batch.records.nbytes + OVERHEAD))
        self.pending += batch.records.num_rows
        self.bytes += self._arrived[-1].bytes
        return batch.records.num_rows

    def since(self) -> float | None:
        """When the oldest record that waits arrived; None where none waits."""
        return next((one.at for one in self._arrived if one.batch.records.num_rows), None)

    def records(self, start: int = 0) -> list[pa.RecordBatch]:
        """The records that wait, oldest first, without the first so many."""
        found: list[pa.RecordBatch] = []
        left = self.pending - start
        for one in reversed(self._arrived):
            if left <= 0:
                break
            records = one.batch.records
            part = min(left, records.num_rows)
            if part:
                found.append(records.slice(records.num_rows - part))
            left -= part
        return found[::-1]

    def take(self, count: int) -> tuple[list[pa.RecordBatch], list[Batch]]:
        """Takes the oldest records out.

        Args:
            count: how many; 0 takes the batches without records that stand first.

        Returns:
            These records, and the batches that are done with.
        """
        parts: list[pa.RecordBatch] = []
        finished: list[Batch] = []
        self.pending -= count
        self.taken += count
        while self._arrived:
            records = self._arrived[0].batch.records
            part = min(count, records.num_rows - self._done)
            if part:
                parts.append(records.slice(self._done, part))
                self._done += part
                count -= part
            if self._done < records.num_rows:
                break
            one = self._arrived.popleft()
            self._done = 0
            self.bytes -= one.bytes
            finished.append(one.batch)
        return parts, finished

    def answered(self) -> str:
        """Stream -> offset of the last record that is done with, of a batch that is done with in part; as text."""
        done: dict[str, int] = {}
        if self._done:
            records = self._arrived[0].batch.records.slice(0, self._done)
            streams, offsets = records.column(STREAM).to_pylist(), records.column(OFFSET).to_pylist()
            done = dict(zip(streams, offsets, strict=True))
        return orjson.dumps(self._past | done).decode()

    def _new(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """Without the records that were answered before the position was committed."""
        for stream, offset in list(self._past.items()):
            mine = pc.call_function("equal", [records.column(STREAM).cast(pa.string()), pa.scalar(stream)])
            old = pc.call_function("less_equal", [records.column(OFFSET), pa.scalar(offset, pa.int64())])
            again = pc.call_function("and", [mine, old])
            if pc.call_function("any", [pc.call_function("and_not", [mine, again])]).as_py():
                # It has come past them.
                del self._past[stream]
            records = records.filter(pc.call_function("invert", [again]))
        return records


def joined(parts: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Records as one batch, with null where a part has no such column; as they are where the types do not agree."""
    if len(parts) < 2:
        return parts
    try:
        tables = [pa.Table.from_batches([part]) for part in parts]
        return pa.concat_tables(tables, promote_options="default").combine_chunks().to_batches()
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return parts
