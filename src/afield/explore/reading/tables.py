"""CSV as one table of text, with the line of every row; rows that do not fit are named and left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv as pa_csv

from afield.explore.reading.content import NEWLINE, Content, holds, newlines
from afield.explore.reading.dialect import HEAD, Dialect, dialect_of

# Arrow makes these functions when it is imported, so that a type checker cannot see them.
pc: Any = pyarrow.compute

_BLOCK = 2 * 2**20
_QUOTE = 34


@dataclass(frozen=True)
class Ragged:
    """A row with too few or too many fields."""

    line: int
    fields: int


@dataclass(frozen=True)
class Parsed:
    """A table as it was read from one file.

    Args:
        table: N rows; every column is text.
        lines: int64[N]; line of the file where each row starts.
        dialect: how it is written.
        ragged: rows that are left out for their number of fields.
        repeated: lines that repeat the names of the columns, left out too.
    """

    table: pa.Table
    lines: np.ndarray
    dialect: Dialect
    ragged: list[Ragged]
    repeated: list[int]


class NotATable(Exception):  # noqa: N818, as it is no error: the file is left out
    """What was read is no CSV; the text says why."""


def parse(content: Content, tabs: bool) -> Parsed:
    """Reads CSV.

    Args:
        content: of the file.
        tabs: whether the file's name says that tabs are between its fields.

    Raises:
        NotATable: it is none.
    """
    dialect = dialect_of(content.head(HEAD), tabs)
    if not dialect.names:
        raise NotATable("it holds no rows")
    quoted = holds(content.data, _QUOTE)
    bad: list[pa_csv.InvalidRow] = []
    table = _read(content, dialect, quoted, bad, threads=True)
    if bad:
        # Only a reader with one thread knows the numbers of rows.
        bad.clear()
        table = _read(content, dialect, quoted, bad, threads=False)
    places, bad_places = _places(content, table, bad, int(dialect.header), quoted)
    ragged = [
        Ragged(line, row.actual_columns)
        for line, row in zip(content.line_of(bad_places).tolist(), bad, strict=True)
        if row.text.strip()
    ]
    if dialect.blanks:
        table = pa.table({name: pc.utf8_trim(table.column(name), " ") for name in table.column_names})
    lines = content.line_of(places)
    repeated = _rows_of(table, dialect.names) if dialect.header else np.zeros(0, np.int64)
    blank = _rows_of(table, [""] * len(dialect.names))
    kept = np.ones(len(lines), bool)
    kept[repeated] = kept[blank] = False
    if not kept.all():
        table = table.filter(pa.array(kept))
    return Parsed(table, lines[kept], dialect, ragged, lines[repeated].tolist())


def _read(content: Content, dialect: Dialect, quoted: bool, bad: list[pa_csv.InvalidRow], *, threads: bool) -> pa.Table:
    def leave_out(row: pa_csv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    try:
        return pa_csv.read_csv(
            pa.BufferReader(content.buffer()),
            pa_csv.ReadOptions(
                use_threads=threads,
                block_size=_BLOCK,
                column_names=dialect.names,
                skip_rows=int(dialect.header),
            ),
            pa_csv.ParseOptions(
                delimiter=dialect.delimiter,
                newlines_in_values=quoted,
                # An empty line is counted, so that the rows after it keep their lines.
                ignore_empty_lines=False,
                invalid_row_handler=leave_out,
            ),
            pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in dialect.names}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise NotATable(f"not all of it is CSV: {error}") from None


def _places(
    content: Content, table: pa.Table, bad: list[pa_csv.InvalidRow], first: int, quoted: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The lines of the content, from 0, at which the rows of the table and those that are left out start.

    Args:
        content: of the file.
        table: N rows.
        bad: rows that are left out.
        first: line of the first row.
        quoted: whether there are values in quotes, which may hold newlines.
    """
    count = table.num_rows + len(bad)
    left_out = np.zeros(count, bool)
    # Arrow counts from 1, and the line of names with the rows.
    left_out[[row.number - 1 - first for row in bad]] = True
    starts = np.arange(first, first + count)
    if quoted and newlines(content.data) > first + count:
        inside = np.zeros(count, np.int64)
        inside[~left_out] = _newlines_inside(table)
        inside[left_out] = [row.text.count(chr(NEWLINE)) for row in bad]
        starts += np.cumsum(inside) - inside
    return starts[~left_out], starts[left_out]


def _newlines_inside(table: pa.Table) -> np.ndarray:
    """int64[N]: newlines in the values of each row."""
    count = np.zeros(table.num_rows, np.int64)
    for column in table.columns:
        count += pc.count_substring(column, pattern=chr(NEWLINE)).to_numpy()
    return count


def _rows_of(table: pa.Table, values: list[str]) -> np.ndarray:
    """int64[K]: the rows that have these values."""
    alike = np.flatnonzero(pc.equal(table.column(0), values[0]).to_numpy())
    for column, value in zip(table.columns[1:], values[1:], strict=True):
        if len(alike):
            alike = alike[pc.equal(column.take(pa.array(alike)), value).to_numpy()]
    return alike
