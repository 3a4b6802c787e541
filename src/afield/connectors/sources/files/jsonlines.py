"""JSON Lines: one object a line becomes one row; a line that is none is counted and left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from afield.connectors.report import SourceReport
from afield.connectors.sources.files.reader import Lines
from afield.connectors.sources.files.records import MOST_ROWS, Rows
from afield.connectors.sources.files.spec import Files


class JsonRows:
    """Turns lines of one file into columns, whose names and types stay once they have been seen.

    A key that is missing is null. Objects inside, and a column whose values are of several kinds, become text: strings
    as they are, the others as JSON.
    """

    def __init__(self, spec: Files, shown: str, report: SourceReport) -> None:
        self._shown = shown
        self._report = report
        self._types: dict[str, pa.DataType] = {name: pa.null() for name in spec.columns or []}

    def rows(self, lines: Lines) -> Iterator[Rows]:
        """The objects of these lines, and where they stand."""
        for piece in lines.pieces(MOST_ROWS):
            objects = [_parsed(text) for text in piece.text.to_pylist()]
            good = np.array([isinstance(value, dict) for value in objects], bool)
            blank = np.array([value is None for value in objects], bool)
            self._report.reject(self._shown, piece.numbers[~good & ~blank].tolist())
            columns = self._columns([value for value in objects if isinstance(value, dict)])
            yield Rows(columns, piece.offsets[good], piece.numbers[good], piece.next_offset, piece.next_number)

    def _columns(self, objects: list[dict[str, Any]]) -> dict[str, pa.Array]:
        for value in objects:
            for name in value:
                self._types.setdefault(name, pa.null())
        return {name: self._column(name, [value.get(name) for value in objects]) for name in self._types}

    def _column(self, name: str, values: list[Any]) -> pa.Array:
        column = _fitted(values, self._types[name])
        if column.type == pa.null():
            return column.cast(pa.string())
        self._types[name] = column.type
        return column


def _parsed(text: str) -> Any:
    """The value of a line; None where it is blank, a string where it is no JSON."""
    line = text.lstrip("\ufeff").strip()
    if not line:
        return None
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    return value if isinstance(value, dict) else line


def _fitted(values: list[Any], known: pa.DataType) -> pa.Array:
    """The values in the type that is known, or in a wider one where they do not fit into it."""
    try:
        column = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return _as_text(values)
    if known == pa.null() or column.type == known:
        return _as_text(values) if pa.types.is_struct(column.type) else column
    numbers = _is_number(column.type) and _is_number(known)
    if column.type == pa.null() or numbers or (pa.types.is_list(column.type) and pa.types.is_list(known)):
        try:
            return column.cast(known)
        except pa.ArrowInvalid:
            # Fractions after whole numbers: from here on the column has fractions.
            return column
    return _as_text(values)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _as_text(values: list[Any]) -> pa.Array:
    texts = [value if value is None or isinstance(value, str) else orjson.dumps(value).decode() for value in values]
    return pa.array(texts, pa.string())
