"""The real tables of the tests, as the `files` source gives them: every column of CSV is text."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import csv

_ADULT = """age workclass fnlwgt education education-num marital-status occupation relationship race sex
capital-gain capital-loss hours-per-week native-country income"""
ADULT = _ADULT.split()
"""Columns of the adult data set, whose files have no header line."""


def read_table(path: Path, names: list[str] | None = None) -> pa.RecordBatch:
    """A CSV file as text.

    Args:
        path: of the file.
        names: of its columns, where it has no header line.
    """
    if names is None:
        with path.open() as file:
            names = file.readline().strip().split(",")
            skip = 1
    else:
        skip = 0
    table = csv.read_csv(
        path,
        read_options=csv.ReadOptions(column_names=names, skip_rows=skip),
        convert_options=csv.ConvertOptions(column_types={name: pa.string() for name in names}),
    )
    return table.combine_chunks().to_batches()[0]


def floats(batch: pa.RecordBatch, name: str) -> list[float]:
    """The numbers of a column of text, NaN where it has none."""
    return [float(text) if text else float("nan") for text in batch.column(name).to_pylist()]
