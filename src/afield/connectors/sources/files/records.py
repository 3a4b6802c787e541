"""Rows of a file with where they came from: what every format becomes before it leaves the source."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from afield.connectors.base import FILE, LABEL, LINE, OFFSET, STREAM, TEXT
from afield.connectors.sources.files.label import label_array, same
from afield.connectors.sources.files.reader import Lines
from afield.connectors.sources.files.spec import Files
from afield.errors import DataError

MOST_ROWS = 65536
PROVENANCE = (STREAM, OFFSET, FILE, LINE, LABEL)


@dataclass(frozen=True)
class Rows:
    """Records of one file in their order.

    Args:
        columns: name -> array[N].
        offsets: int64[N]; byte of the uncompressed file, or row of the table, where each starts.
        numbers: int64[N]; line of the file where each starts, from 1.
        next_offset: where the record after the last one starts.
        next_number: its line.
        metadata: column -> what its field says of it, where it says something.
    """

    columns: Mapping[str, pa.Array]
    offsets: np.ndarray
    numbers: np.ndarray
    next_offset: int
    next_number: int
    metadata: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])

    def __len__(self) -> int:
        return len(self.offsets)


def text_rows(lines: Lines) -> Iterator[Rows]:
    """Lines as records with one column."""
    for piece in lines.pieces(MOST_ROWS):
        yield Rows({TEXT: piece.text}, piece.offsets, piece.numbers, piece.next_offset, piece.next_number)


def line_schema(labelled: bool) -> pa.Schema:
    """The columns of records that are lines."""
    words = pa.dictionary(pa.int32(), pa.string())
    fields = [(TEXT, pa.string()), (STREAM, words), (OFFSET, pa.int64()), (FILE, words), (LINE, pa.int64())]
    return pa.schema([*fields, (LABEL, words)] if labelled else fields)


def record_batch(spec: Files, rows: Rows, *, path: Path, shown: str, stream: str, labelled: bool) -> pa.RecordBatch:
    """The batch that leaves the source.

    Raises:
        DataError: a column that the label needs is not there, or one bears a reserved name.
    """
    count = len(rows)
    require(rows.columns, spec.label.columns if spec.label and labelled else [], shown)
    columns = dict(rows.columns)
    if spec.columns is not None and TEXT not in columns:
        columns = {name: columns[name] for name in spec.columns}
    if reserved := [name for name in columns if name in PROVENANCE]:
        raise DataError(
            f"{shown}: the name of column {reserved[0]} is reserved for where a record came from; "
            "rename it, or name the others in columns: of the source"
        )
    columns[STREAM] = same(stream, count)
    columns[OFFSET] = pa.array(rows.offsets, pa.int64())
    columns[FILE] = same(shown, count)
    columns[LINE] = pa.array(rows.numbers, pa.int64())
    if spec.label and labelled:
        columns[LABEL] = label_array(spec.label, path, count, rows.columns)
    fields = [pa.field(name, array.type, metadata=rows.metadata.get(name)) for name, array in columns.items()]
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=pa.schema(fields))


def require(there: Mapping[str, object] | Sequence[str], wanted: Sequence[str], shown: str) -> None:
    """Checks that a file has the columns that are asked for.

    Raises:
        DataError: it lacks one; names the nearest that is there.
    """
    for name in wanted:
        if name not in there:
            near = difflib.get_close_matches(name, list(there), 1)
            hint = f"; the nearest is {near[0]}" if near else ""
            raise DataError(
                f"{shown}: expected a column {name}, found {', '.join(there) or 'none'}{hint}; "
                "correct its name in label: or columns: of the source, or leave the file out with exclude:"
            )
