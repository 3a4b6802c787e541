"""Lines of the standard input as records, while they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from afield.connectors.report import SourceReport
from afield.connectors.sources.files.lines import LineReader
from afield.connectors.sources.files.records import Rows, record_batch
from afield.connectors.sources.files.spec import Files

READ_BYTES = 1 << 20
NAME = "-"


def lines(stream: BinaryIO, spec: Files) -> Iterator[pa.RecordBatch]:
    """Batches of whole records, as soon as there are any; the last one may lack its newline.

    Args:
        stream: binary, with a `read1`.
        spec: how records are made of lines, and the longest record.
    """
    reader = LineReader(spec, "lines", NAME, SourceReport(), offset=0, line=1)
    while block := stream.read1(READ_BYTES):  # pyright: ignore[reportAttributeAccessIssue]
        yield from _batches(spec, reader.feed(block))
    yield from _batches(spec, reader.finish())


def _batches(spec: Files, parts: Iterator[Rows]) -> Iterator[pa.RecordBatch]:
    for rows in parts:
        yield record_batch(spec, rows, path=Path(NAME), shown=NAME, stream=NAME, labelled=False)
