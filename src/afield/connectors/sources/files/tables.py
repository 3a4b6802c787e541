"""CSV and Parquet: tables that are read row by row from their beginning, whatever row is asked for first."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from afield.connectors.report import SourceReport
from afield.connectors.sources.files.records import MOST_ROWS, Rows, require
from afield.connectors.sources.files.spec import Files
from afield.connectors.sources.files.stream import ByteStream, TextStream
from afield.errors import DataError

_BATCH_BYTES = 4 * 2**20
_LONGEST_HEADER = 2**20


def csv_rows(spec: Files, path: Path, shown: str, report: SourceReport, start: int) -> Iterator[Rows]:
    """Rows of a CSV file; every column is text, as it stands in the file.

    A row with too few or too many fields is counted and left out; it keeps its number.

    Args:
        spec: columns, and the longest record.
        path: the file, .tsv with tabs between the fields.
        shown: the file, for people.
        report: takes the counts.
        start: number of the first row that is wanted, from 0.

    Raises:
        DataError: a column of `columns` is not there, or `header` does not fit.
        OSError: the file cannot be read.
    """
    delimiter = "\t" if ".tsv" in path.suffixes else ","
    first = _first_row(path, delimiter)
    if not first:
        return
    if spec.header and len(first) != len(spec.header):
        raise DataError(
            f"{shown}: expected {len(spec.header)} columns, as header: of the source names, found {len(first)} in its "
            "first row; correct header:, or leave the file out with exclude:"
        )
    lines_before = 0 if spec.header else 1
    names = spec.header or first
    require([name.strip() for name in names] if spec.strip else names, spec.columns or [], shown)
    bad: list[int] = []

    def left_out(row: int) -> None:
        bad.append(row)
        if row >= start:
            report.reject(shown, [row + lines_before + 1])

    with closing(ByteStream(path)) as stream:
        text = TextStream(stream)
        try:
            with _open_csv(text, names, delimiter, spec.max_record_bytes, lines_before, left_out) as reader:
                yield from _numbered(_trimmed(reader) if spec.strip else reader, bad, start, lines_before)
        except pa.ArrowInvalid as error:
            report.damaged[shown] = f"not all of it is CSV: {error}"
        finally:
            report.replaced_utf8 += text.replaced
            report.bytes += stream.position
            if stream.damage:
                report.damaged[shown] = stream.damage


def parquet_rows(spec: Files, path: Path, shown: str, report: SourceReport, start: int) -> Iterator[Rows]:
    """Rows of a Parquet file, with the types it declares; arguments and errors as for CSV."""
    try:
        # Arrow opens no path that is no UTF-8.
        with path.open("rb") as opened, pq.ParquetFile(opened) as file:
            require(file.schema_arrow.names, spec.columns or [], shown)
            groups, first = _groups_from(file, start)
            average = max(path.stat().st_size // max(file.metadata.num_rows, 1), 1)
            size = min(max(_BATCH_BYTES // average, 1), MOST_ROWS)
            for batch in file.iter_batches(size, row_groups=groups, columns=_read(spec)):
                wanted = batch.slice(max(start - first, 0))
                first += batch.num_rows
                if wanted.num_rows:
                    offsets = np.arange(first - wanted.num_rows, first)
                    yield Rows(_columns(wanted), offsets, offsets + 1, first, first + 1)
            report.bytes += path.stat().st_size
    except pa.ArrowInvalid as error:
        report.damaged[shown] = f"not a whole Parquet file: {error}"


def _read(spec: Files) -> list[str] | None:
    if spec.columns is None:
        return None
    return list(dict.fromkeys([*spec.columns, *(spec.label.columns if spec.label else [])]))


def _groups_from(file: pq.ParquetFile, start: int) -> tuple[list[int], int]:
    """The row groups that hold the row and what comes after it, and the number of their first row."""
    first = 0
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if first + rows > start:
            return list(range(group, file.num_row_groups)), first
        first += rows
    return [], first


def _first_row(path: Path, delimiter: str) -> list[str]:
    with closing(ByteStream(path)) as stream:
        text = stream.read(_LONGEST_HEADER).decode("utf-8-sig", "replace")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return next((row for row in rows if row), [])


def _open_csv(
    text: TextStream,
    names: list[str],
    delimiter: str,
    longest: int,
    lines_before: int,
    left_out: Callable[[int], None],
) -> pa_csv.CSVStreamingReader:
    def leave_out(row: pa_csv.InvalidRow) -> str:
        # Arrow counts from 1, and the header with the rows.
        left_out(row.number - 1 - lines_before)
        return "skip"

    return pa_csv.open_csv(
        pa.PythonFile(text, mode="r"),
        # Only a reader with one thread knows the numbers of rows.
        pa_csv.ReadOptions(
            use_threads=False,
            block_size=3 * max(_BATCH_BYTES, longest),
            column_names=None if lines_before else names,
        ),
        pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=leave_out),
        pa_csv.ConvertOptions(column_types={name: pa.string() for name in names}),
    )


def _trimmed(blocks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same without blanks at the ends of names and values."""
    for block in blocks:
        columns = [pc.call_function("utf8_trim_whitespace", [column]) for column in block.columns]
        yield pa.RecordBatch.from_arrays(columns, [name.strip() for name in block.schema.names])


def _numbered(blocks: Iterable[pa.RecordBatch], bad: list[int], start: int, lines_before: int) -> Iterator[Rows]:
    """The rows from `start` on; `bad` has the numbers of those that are left out, at least up to where it was read."""
    row, inside = 0, 0
    for block in blocks:
        for first in range(0, block.num_rows, MOST_ROWS):
            batch = block.slice(first, MOST_ROWS)
            numbers = np.setdiff1d(np.arange(row, row + batch.num_rows + len(bad)), bad)[: batch.num_rows]
            newlines = _newlines_inside(batch)
            lines = numbers + 1 + lines_before + inside + np.cumsum(newlines) - newlines
            row, inside = int(numbers[-1]) + 1, inside + int(newlines.sum())
            wanted = numbers >= start
            if wanted.any():
                kept = batch.slice(int(np.argmax(wanted)))
                yield Rows(_columns(kept), numbers[wanted], lines[wanted], row, row + 1 + lines_before + inside)


def _newlines_inside(batch: pa.RecordBatch) -> np.ndarray:
    count = np.zeros(batch.num_rows, np.int64)
    for column in batch.columns:
        count += pc.call_function("count_substring", [column], pc.MatchSubstringOptions("\n")).to_numpy(
            zero_copy_only=False
        )
    return count


def _columns(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    columns: dict[str, pa.Array] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        columns.setdefault(name, column)
    return columns
