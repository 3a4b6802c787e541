"""One file from where it was left to its end: how files are read that nobody appends to, or that are not followed."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa

from afield.connectors.base import Batch
from afield.connectors.report import SourceReport
from afield.connectors.sources.files.discover import Found, Kind, grows, is_there, kind_of, why
from afield.connectors.sources.files.identity import HEAD, TABLE_HEAD, Cursor, Streams, beginning
from afield.connectors.sources.files.idx import idx_rows, role_of
from afield.connectors.sources.files.lines import LineReader
from afield.connectors.sources.files.records import Rows, line_schema, record_batch
from afield.connectors.sources.files.spec import Files
from afield.connectors.sources.files.stream import BINARY_PROBE, ByteStream
from afield.connectors.sources.files.tables import csv_rows, parquet_rows

CHUNK = 2 * 2**20
BINARY = (
    "binary: a NUL byte stands in its first 8 KiB (UTF-16 text has them too: convert it with iconv); "
    "leave it out with exclude:"
)

NO_IDX = (
    "no IDX file by its name (as in train-images-idx3-ubyte.gz) or its first two bytes, which are 0; "
    "leave it out with exclude:"
)
TABLES = frozenset[Kind]({"csv", "parquet", "idx"})
"""What is read by rows, whatever row is asked for first."""

T = TypeVar("T")


@dataclass
class Reading:
    """What all files of one reading share.

    Args:
        spec: the declaration.
        labelled: whether batches have the column LABEL.
        report: takes the counts.
        streams: who the files are, and how far each has been read.
        chunk: bytes that are read at once.
        schema: columns of the batch before.
    """

    spec: Files
    labelled: bool
    report: SourceReport
    streams: Streams
    chunk: int = CHUNK
    schema: pa.Schema | None = None

    def batch(self, rows: Rows, file: Found, stream: str, cursor: Cursor) -> Batch:
        """The batch of these rows, after which the stream stands at the cursor."""
        records = record_batch(self.spec, rows, path=file.path, shown=file.shown, stream=stream, labelled=self.labelled)
        self.report.records += len(rows)
        self.report.read[file.shown] = self.report.read.get(file.shown, 0) + len(rows)
        self.schema = records.schema
        self.streams.move(stream, cursor)
        return Batch(records, {stream: cursor.dumps()})

    def moved(self, file: Found, stream: str) -> Batch:
        """A batch without records that says: the stream is in this file now, which has been read to its end."""
        cursor = self.streams.cursors[stream].moved_to(file, whole=file.size)
        self.streams.move(stream, cursor)
        return Batch(self.no_records(), {stream: cursor.dumps()})

    def no_records(self) -> pa.RecordBatch:
        """A batch without rows, with the columns of the batch before; of lines, where there was none."""
        schema = self.schema or line_schema(self.labelled)
        return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def read_file(reading: Reading, file: Found, stream: str | None) -> Iterator[Batch]:
    """The records of a file after its cursor, to its end.

    What cannot be read stands in the report, and ends the file without an error.

    Args:
        reading: what all files share.
        file: the file.
        stream: its stream, None for a new one.

    Raises:
        DataError: a column that is asked for is not there.
    """
    cursor = reading.streams.cursors[stream] if stream else None
    if cursor and cursor.is_end_of(file):
        return
    report, records = reading.report, reading.report.records
    try:
        yield from _read(reading, file, stream, cursor)
    except OSError as error:
        report.damaged[file.shown] = why(error)
    if report.records == records and cursor is None:
        report.nothing_of(file.shown)


def _read(reading: Reading, file: Found, stream: str | None, cursor: Cursor | None) -> Iterator[Batch]:
    kind = kind_of(reading.spec, file.path)
    table = kind in TABLES
    if not is_there(file):
        raise FileNotFoundError(errno.ENOENT, "renamed or removed since the folder was looked at")
    with closing(ByteStream(file.path)) as begin:
        probe = begin.read(BINARY_PROBE)
    if kind == "idx":
        role = role_of(file.path, probe)
        if role is None:
            reading.report.skipped[file.shown] = NO_IDX
        if role != "images":
            return
    elif kind != "parquet" and b"\0" in probe:
        reading.report.skipped[file.shown] = BINARY
        return
    reading.report.read.setdefault(file.shown, 0)
    stream = stream or reading.streams.name(file.inode, probe)
    cursor = (cursor or beginning(file, rows=table)).moved_to(file)
    head = probe[: TABLE_HEAD if table else HEAD]
    whole = 0 if grows(reading.spec, file.path) else file.size
    with ExitStack() as opened:
        for (part, tail), last in _with_last(_open(reading, file, cursor, opened)):
            cursor = cursor.at(part.next_offset, part.next_number, head, tail, whole=whole if last else 0)
            yield reading.batch(part, file, stream, cursor)
    if whole and cursor.head_bytes and not cursor.is_end_of(file):
        yield reading.moved(file, stream)


def _open(reading: Reading, file: Found, cursor: Cursor, opened: ExitStack) -> Iterator[tuple[Rows, bytes]]:
    """The rows after the cursor, each part with the bytes of the file that stand before its end."""
    spec, report = reading.spec, reading.report
    kind = kind_of(spec, file.path)
    if kind == "idx":
        labelled = reading.labelled and spec.label is not None and bool(spec.label.columns)
        parts = idx_rows(file.path, file.shown, report, cursor.offset, labelled=labelled)
        return ((rows, b"") for rows in parts)
    if kind in TABLES:
        read = csv_rows if kind == "csv" else parquet_rows
        return ((rows, b"") for rows in read(spec, file.path, file.shown, report, cursor.offset))
    stream = opened.enter_context(closing(ByteStream(file.path)))
    reader = LineReader(spec, kind, file.shown, report, offset=cursor.offset, line=cursor.line)
    stream.skip_to(cursor.offset)
    return ((rows, stream.trail.before(rows.next_offset)) for rows in _line_rows(reading, file, stream, reader))


def _line_rows(reading: Reading, file: Found, stream: ByteStream, reader: LineReader) -> Iterator[Rows]:
    while chunk := stream.read(reading.chunk):
        reading.report.bytes += len(chunk)
        yield from reader.feed(chunk)
    yield from reader.finish()
    if stream.damage:
        reading.report.damaged[file.shown] = f"damaged after byte {stream.position} of its content: {stream.damage}"


def _with_last(parts: Iterator[T]) -> Iterator[tuple[T, bool]]:
    """Each part, and whether it is the last one."""
    before: list[T] = []
    for part in parts:
        if before:
            yield before.pop(), False
        before.append(part)
    for part in before:
        yield part, True
