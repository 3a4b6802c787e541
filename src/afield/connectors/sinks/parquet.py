"""Parquet files, each an Arrow stream as long as it grows: a stream can be appended to and cut, Parquet cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from afield import faults
from afield.files import replacing, sync_folder

GROUP = 131_072
"""Rows of one row group: what a reader takes at once."""


class ParquetFormat:
    """One schema a file."""

    open_suffix: ClassVar[str] = ".arrows"
    done_suffix: ClassVar[str] = ".parquet"

    def encode(self, answers: pa.RecordBatch, first: bool) -> bytes:
        message = answers.serialize().to_pybytes()
        return answers.schema.serialize().to_pybytes() + message if first else message

    def schema(self, path: Path) -> pa.Schema | None:
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
            return stream.schema

    def finish(self, path: Path, done: Path) -> None:
        with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
            _write(done, stream.schema, iter(stream))
        faults.point("sink rotation")
        path.unlink()
        sync_folder(path.parent)

    def cut(self, done: Path, rows: int) -> int:
        with pq.ParquetFile(done) as file:
            found = file.metadata.num_rows
            if found > rows:
                _write(done, file.schema_arrow, _first(rows, file.iter_batches(GROUP)))
        return found


def _write(done: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    with replacing(done) as file:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for group in _groups(batches):
                writer.write_table(pa.Table.from_batches(group), row_group_size=GROUP)
        faults.point("sink rotation")


def _groups(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    for first in batches:
        group, rows = [first], first.num_rows
        while rows < GROUP and (batch := next(batches, None)) is not None:
            group.append(batch)
            rows += batch.num_rows
        yield group


def _first(rows: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if not rows:
            return
        part = batch.slice(0, rows)
        rows -= part.num_rows
        yield part
