"""What was read, whatever it came from: one table, the place of every row, and the account of every file."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from afield.connectors.base import TEXT
from afield.explore.reading.tables import Ragged
from afield.usecase.load import LoadedUseCase

BUDGET = 2**30
"""Bytes that are read; of more, a sample."""
MOST_CELLS = 60_000_000
"""Values of a table that are looked at; of more, evenly spread rows."""
MOST_LINES = 500_000
"""Lines of text that are looked at; of more, evenly spread ones."""


@dataclass(frozen=True)
class Account:
    """What reading a file has shown of it.

    Args:
        file: its path, for people.
        size: bytes, uncompressed as far as it was read.
        encoding: that it was written in; empty where it has none, as Parquet.
        foreign: lines that are not of that encoding.
        ragged: rows that are left out, for they have too few or too many fields.
        repeated: lines that repeat the names of the columns.
        delimiter: between the fields of CSV; empty where it is none.
        header: names of the columns of CSV that has no line of names.
        blanks: whether blanks stand around the values of CSV.
    """

    file: str
    size: int
    encoding: str = "UTF-8"
    foreign: list[int] = field(default_factory=list[int])
    ragged: list[Ragged] = field(default_factory=list[Ragged])
    repeated: list[int] = field(default_factory=list[int])
    delimiter: str = ""
    header: list[str] = field(default_factory=list[str])
    blanks: bool = False


@dataclass(frozen=True)
class Rows:
    """Records as they were read.

    Args:
        name: of the use case, file or folder.
        form: "lines", "csv", "jsonl", "parquet" or, of a use case, "records".
        table: N rows.
        files: that were read, for people.
        file: int32[N]; file of each row.
        lines: int64[N]; its line there, from 1.
        total: rows that the files hold; None where that is not known.
        accounts: of the files.
        labels: known answer of each row where it is no column, or where a use case says so.
        origin: where the labels stand, such as `file_name`; empty where there are none.
        hidden: columns that hold the answer.
        case: the use case, where it is one.
        notes: how it was read, and what was left out.
    """

    name: str
    form: str
    table: pa.Table
    files: list[str]
    file: np.ndarray
    lines: np.ndarray
    total: int | None
    accounts: list[Account]
    labels: pa.Array | None = None
    origin: str = ""
    hidden: list[str] = field(default_factory=list[str])
    case: LoadedUseCase | None = None
    notes: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> bool:
        """Whether the rows are lines of text."""
        return self.table.column_names == [TEXT]
