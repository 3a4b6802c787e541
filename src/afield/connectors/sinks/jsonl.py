"""JSON Lines, assembled column by column: Arrow joins the text of the columns, no row becomes a Python object."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

DIGITS = 6
"""Of a 32-bit float: what follows is noise of its arithmetic, and costs a third of the file."""


class JsonLinesFormat:
    """Rows of one file need not have the same columns."""

    open_suffix: ClassVar[str] = ".jsonl"
    done_suffix: ClassVar[str] = ".jsonl"

    def encode(self, answers: pa.RecordBatch, first: bool) -> memoryview:
        return encode(answers)

    def schema(self, path: Path) -> pa.Schema | None:
        return None

    def finish(self, path: Path, done: Path) -> None:
        """Nothing to do: the file is finished at any line."""

    def cut(self, done: Path, rows: int) -> int:
        raise AssertionError("an open file and a finished one are the same here")


def encode(answers: pa.RecordBatch) -> memoryview:
    """One JSON object a row, each ended by a newline, keys in the order of the columns.

    Floats of 32 bits have 6 significant digits; a value that JSON cannot say (NaN, infinity) is null.
    """
    joined = _objects(answers, "}\n")
    start, end = np.frombuffer(joined.buffers()[1], np.int32)[[0, len(joined)]]
    return memoryview(joined.buffers()[2])[start:end]


def written(answers: pa.RecordBatch) -> tuple[list[str], list[bytes]]:
    """The id of each answer, and the JSON object that `encode` makes of it, without the newline.

    Args:
        answers: N rows with a column `id`.
    """
    return answers.column("id").cast(pa.string()).to_pylist(), _objects(answers, "}").cast(pa.binary()).to_pylist()


def _objects(answers: pa.RecordBatch, end: str) -> pa.Array:
    parts: list[Any] = []
    for name, column in zip(answers.schema.names, answers.columns, strict=True):
        parts.append(pa.scalar(("," if parts else "{") + orjson.dumps(name).decode() + ":"))
        parts.append(_texts(column))
    return pc.call_function("binary_join_element_wise", [*parts, pa.scalar(end), pa.scalar("")])


def _texts(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary).take(column.indices).fill_null("null")
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string()).fill_null("null")
    if pa.types.is_floating(kind):
        return _finite(column).cast(pa.string()).fill_null("null")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        # Each text is escaped once, however often it comes.
        column = column.dictionary_encode()
        return _dumped(column.dictionary).take(column.indices).fill_null("null")
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    return _dumped(column)


def _dumped(values: pa.Array) -> pa.Array:
    return pa.array([orjson.dumps(value, default=_plain).decode() for value in values.to_pylist()], pa.string())


def _plain(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _finite(column: pa.Array) -> pa.Array:
    values = column.cast(pa.float64()).fill_null(np.nan).to_numpy()
    known = np.isfinite(values)
    if column.type.bit_width == 64:
        return pa.array(values, mask=~known)
    size = np.abs(values, where=known & (values != 0), out=np.ones_like(values))
    scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(size)))
    # Back in 32 bits, the shortest text of a value has no more digits than were kept.
    rounded = np.round(np.where(known, values, 0) * scale) / scale
    return pa.array(rounded.astype(np.float32), mask=~known)
