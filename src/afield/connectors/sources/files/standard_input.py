"""Lines of the standard input as records, while they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from afield.connectors.base import FILE, LINE, OFFSET, STREAM, TEXT

READ_BYTES = 1 << 20
NAME = "-"


def lines(stream: BinaryIO) -> Iterator[pa.RecordBatch]:
    """Batches of whole lines, as soon as there are any; the last one may lack its newline.

    Args:
        stream: binary, with a `read1`.
    """
    rest, offset, number = b"", 0, 1
    while block := stream.read1(READ_BYTES):  # pyright: ignore[reportAttributeAccessIssue]
        whole, newline, rest = (rest + block).rpartition(b"\n")
        if newline:
            texts = whole.split(b"\n")
            yield _batch(texts, offset, number)
            offset += len(whole) + 1
            number += len(texts)
    if rest:
        yield _batch([rest], offset, number)


def _batch(texts: list[bytes], offset: int, number: int) -> pa.RecordBatch:
    starts = [offset]
    for text in texts[:-1]:
        starts.append(starts[-1] + len(text) + 1)
    name = pa.DictionaryArray.from_arrays(pa.array([0] * len(texts), pa.int32()), pa.array([NAME]))
    return pa.RecordBatch.from_pydict(
        {
            TEXT: pa.array([text.removesuffix(b"\r").decode(errors="replace") for text in texts], pa.string()),
            STREAM: name,
            OFFSET: pa.array(starts, pa.int64()),
            FILE: name,
            LINE: pa.array(range(number, number + len(texts)), pa.int64()),
        }
    )
