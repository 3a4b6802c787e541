"""Messages turned into batches: text or JSON objects, whose columns keep one type over the whole run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from afield.connectors.base import LABEL, OFFSET, STREAM, TEXT, Batch, Position, Refused
from afield.connectors.messages import RESERVED, Messages
from afield.connectors.sources.files.label import same

MOST_COLUMNS = 1000
"""Of a run without `columns`: a message that would bring more is refused, so that memory stays flat."""

_WORDS = pa.dictionary(pa.int32(), pa.string())
_NAMES = {pa.float64(): "a number", pa.bool_(): "true or false", pa.string(): "text"}


class Decoder:
    """Makes batches of messages; each message becomes one record, or is refused with a reason.

    The type of a JSON column is that of its first value: float64 for any number (RFC 8259 promises no more), bool, or
    string. Objects and lists are their JSON as text. A column of text takes any other value as JSON; a value that does
    not fit a column of another type makes its message refused. A column that has had no value yet is text.

    Args:
        declared: format, columns, label and max_record_bytes.
        labelled: adds the column LABEL.
    """

    def __init__(self, declared: Messages, labelled: bool) -> None:
        self._declared = declared
        self._label = declared.label if labelled else None
        self._types: dict[str, pa.DataType | None] = dict.fromkeys(declared.columns or [])
        self._open = declared.columns is None
        self._last = self._batch("", np.zeros(0, np.int64), [], self._nothing(), {}, [])

    def batch(self, stream: str, offsets: Sequence[int], payloads: Sequence[bytes], cursor: str) -> Batch:
        """The batch of these messages.

        Args:
            stream: where all of them came from.
            offsets: of each, its place there.
            payloads: of each, its bytes.
            cursor: of the stream, once they are answered.
        """
        if self._declared.format == "json":
            return self.objects(stream, offsets, map(self._parsed, payloads), cursor, payloads.__getitem__)
        refused: dict[int, Refused] = {}
        most = self._declared.max_record_bytes
        texts = None if payloads and max(map(len, payloads)) > most else _utf8(payloads)
        kept = range(len(payloads))
        if texts is None:
            for index, payload in enumerate(payloads):
                if reason := self.too_long(len(payload)) or _no_utf8(payload):
                    refused[index] = Refused(stream, offsets[index], reason, payload)
            kept = [index for index in kept if index not in refused]
            texts = _utf8([payloads[index] for index in kept])
        places = np.array(offsets, np.int64)[kept]
        return self._batch(stream, places, [], {TEXT: texts}, {stream: cursor}, list(refused.values()))

    def objects(
        self,
        stream: str,
        offsets: Sequence[int],
        objects: Iterator[Mapping[str, Any] | str],
        cursor: str,
        content: Callable[[int], bytes],
    ) -> Batch:
        """The batch of messages that are objects already.

        Args:
            stream, offsets, cursor: as of `batch`.
            objects: of each message, names and values; or the reason why it is refused.
            content: of a message by its index, its bytes as they arrived; asked for where it is refused.
        """
        reasons: dict[int, str] = {}
        rows: list[Mapping[str, Any]] = []
        kept: list[int] = []
        known = self._types.keys()
        for index, found in enumerate(objects):
            if isinstance(found, str):
                reasons[index] = found
            elif self._open and not found.keys() <= known and (reason := self._meet(found)):
                reasons[index] = reason
            else:
                rows.append(found)
                kept.append(index)
        columns, unfit = self._columns(rows)
        if unfit:
            reasons |= {kept[row]: reason for row, reason in unfit.items()}
            rows = [row for number, row in enumerate(rows) if number not in unfit]
            kept = [index for index in kept if index not in reasons]
            columns, _ = self._columns(rows)
        places = np.array([offsets[index] for index in kept], np.int64)
        refused = [Refused(stream, offsets[index], reasons[index], content(index)) for index in sorted(reasons)]
        return self._batch(stream, places, rows, columns, {stream: cursor}, refused)

    def too_long(self, size: int) -> str | None:
        """Why a message of so many bytes is refused; None where it is not."""
        most = self._declared.max_record_bytes
        if size <= most:
            return None
        return f"expected at most {most} bytes, found {size}; raise max_record_bytes of the source to take it"

    def empty(self) -> Batch:
        """A batch without records that moves nothing, with the columns of the one before."""
        return Batch(self._last.records.slice(0, 0), {})

    def _parsed(self, payload: bytes) -> Mapping[str, Any] | str:
        """The object of a message, or why there is none."""
        if reason := self.too_long(len(payload)):
            return reason
        try:
            value = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            return f"expected JSON: {error}"
        return value if isinstance(value, dict) else f"expected a JSON object, found {_named(value)}"

    def _nothing(self) -> dict[str, pa.Array]:
        return self._columns([])[0] if self._declared.has_columns else {TEXT: pa.array([], pa.string())}

    def _meet(self, found: Mapping[str, Any]) -> str | None:
        """Takes in new columns; returns why it cannot."""
        new = [name for name in found if name not in self._types]
        if reserved := [name for name in new if name in RESERVED]:
            return f"the name {reserved[0]} is reserved for where a record came from"
        if len(self._types) + len(new) > MOST_COLUMNS:
            return (
                f"expected at most {MOST_COLUMNS} columns over the run, found one more, {new[0]!r}; "
                "name those to read in columns: of the source"
            )
        self._types.update(dict.fromkeys(new))
        return None

    def _columns(self, rows: list[Mapping[str, Any]]) -> tuple[dict[str, pa.Array], dict[int, str]]:
        """The columns of these rows; and of those rows that do not fit, why."""
        columns: dict[str, pa.Array] = {}
        reasons: dict[int, str] = {}
        for name in self._types:
            values = [row.get(name) for row in rows]
            kind = self._types[name] or _kind_of(values)
            self._types[name] = kind
            kind = kind or pa.string()
            try:
                # Arrow would take true for a 1.
                if kind == pa.float64() and bool in set(map(type, values)):
                    raise pa.ArrowInvalid
                columns[name] = pa.array(values, kind)
            except (pa.ArrowInvalid, pa.ArrowTypeError):
                fitted = [_fitted(value, kind) for value in values]
                columns[name] = pa.array([value if value is not _UNFIT else None for value in fitted], kind)
                for row, value in enumerate(fitted):
                    if value is _UNFIT:
                        reasons.setdefault(row, _misfit(name, kind, values[row]))
        return columns, reasons

    def _batch(
        self,
        stream: str,
        offsets: np.ndarray,
        rows: Sequence[Mapping[str, Any]],
        columns: Mapping[str, pa.Array],
        position: Position,
        refused: Sequence[Refused],
    ) -> Batch:
        named = {**columns, STREAM: same(stream, len(offsets)), OFFSET: pa.array(offsets, pa.int64())}
        if self._label is not None:
            named[LABEL] = pa.array([_label_of(row.get(self._label)) for row in rows], pa.string()).cast(_WORDS)
        self._last = Batch(pa.RecordBatch.from_pydict(named), position, refused)
        return self._last


class _Unfit:
    """What stands for a value that does not fit its column."""


_UNFIT = _Unfit()


def _utf8(payloads: Sequence[bytes]) -> pa.StringArray | None:
    """The payloads as text; None where one of them is not UTF-8."""
    raw = pa.array(payloads, pa.binary())
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        return None


def _no_utf8(payload: bytes) -> str | None:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        return f"expected UTF-8, found byte 0x{payload[error.start]:02x} at {error.start}: {error.reason}"
    return None


def _kind_of(values: list[Any]) -> pa.DataType | None:
    """The type of the first value that there is."""
    first = next((value for value in values if value is not None), None)
    if first is None:
        return None
    if isinstance(first, bool):
        return pa.bool_()
    return pa.float64() if isinstance(first, int | float) else pa.string()


def _fitted(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if kind == pa.string():
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    if kind == pa.bool_():
        return value if isinstance(value, bool) else _UNFIT
    # Of a whole number over 2^53 Arrow makes no float; the nearest is meant.
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else _UNFIT


def _misfit(name: str, kind: pa.DataType, value: Any) -> str:
    return f"column {name}: expected {_NAMES[kind]}, as in messages before it, found {_named(value)}"


def _named(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return f"the value {orjson.dumps(value).decode()}"


def _label_of(value: Any) -> str | None:
    """The known answer as text; a whole number is written the same whether it came with a fraction or not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
