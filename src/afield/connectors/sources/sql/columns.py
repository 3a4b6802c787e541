"""Values of a database as Arrow columns: which type a column has, and which rows do not keep to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
from sqlalchemy import Connection

from afield.connectors.database.engine import Target

_POSTGRESQL = {
    **dict.fromkeys((20, 21, 23, 26), pa.int64()),
    **dict.fromkeys((700, 701, 1700), pa.float64()),
    16: pa.bool_(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
    1082: pa.date32(),
}
"""OID of the type -> ours; any other is text."""

_AS_TEXT = ("json", "jsonb", "uuid", "time", "timetz", "interval", "inet", "cidr")

_MYSQL = {
    **dict.fromkeys((1, 2, 3, 8, 9, 13), pa.int64()),
    **dict.fromkeys((0, 4, 5, 246), pa.float64()),
    7: pa.timestamp("us", "UTC"),
    12: pa.timestamp("us"),
    10: pa.date32(),
}

_SQLITE = {
    **dict.fromkeys(("INT", "BOOL"), pa.int64()),
    **dict.fromkeys(("CHAR", "CLOB", "TEXT"), pa.string()),
    **dict.fromkeys(("REAL", "FLOA", "DOUB", "NUM", "DEC"), pa.float64()),
}
"""Part of the type that a column was declared with -> ours; the first that fits."""


def prepare_postgresql(connection: Any, _: Any) -> None:
    """Has the driver give numbers as floats, what we show as text as text, and times that Python has not as text."""
    from psycopg import DataError as OutOfRange
    from psycopg.adapt import Loader
    from psycopg.pq import Format
    from psycopg.types.numeric import FloatLoader
    from psycopg.types.string import TextLoader

    class Lenient(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._load = strict[oid](oid, context).load

        def load(self, data: Any) -> Any:
            try:
                return self._load(data)
            except OutOfRange:
                return bytes(data).decode()

    strict: dict[int, Any] = {oid: connection.adapters.get_loader(oid, Format.TEXT) for oid in (1082, 1114, 1184)}
    for oid in strict:
        connection.adapters.register_loader(oid, Lenient)
    connection.adapters.register_loader("numeric", FloatLoader)
    for name in _AS_TEXT:
        connection.adapters.register_loader(name, TextLoader)


def types_of(target: Target, description: Sequence[Any]) -> list[pa.DataType | None]:
    """The types of the columns of a result; None where the database does not say.

    Args:
        target: the database.
        description: of the result, as the driver gives it.
    """
    if target.dialect == "sqlite":
        return [None] * len(description)
    known = _POSTGRESQL if target.dialect == "postgresql" else _MYSQL
    return [known.get(column[1], pa.string()) for column in description]


def declared_types(connection: Connection, records: str) -> dict[str, pa.DataType | None]:
    """The types that SQLite was told of the columns; None where it was told none, as of an expression.

    Args:
        connection: to SQLite.
        records: the table or query, as it stands behind FROM.
    """
    run = connection.exec_driver_sql
    run("PRAGMA query_only = OFF")
    run(f"CREATE TEMP VIEW afield_records AS SELECT * FROM {records}")
    found = {row[1]: _declared(row[2]) for row in run("PRAGMA temp.table_info(afield_records)")}
    run("DROP VIEW temp.afield_records")
    run("PRAGMA query_only = ON")
    return found


def guessed(values: Sequence[Any]) -> pa.DataType:
    """The type for values of which the database says none."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds and kinds <= {int, float} else pa.string()


def column_of(values: Sequence[Any], kind: pa.DataType) -> tuple[pa.Array, dict[int, str]]:
    """The column, and row -> reason of the values that do not fit; these are null in it."""
    plain = _plain(values, kind)
    try:
        return pa.array(plain, kind), {}
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        bad = {
            row: f"expected {kind}, found {str(value)[:80]!r}"
            for row, value in enumerate(plain)
            if not _fits(value, kind)
        }
        return pa.array([None if row in bad else value for row, value in enumerate(plain)], kind), bad


def content_of(names: Sequence[str], row: Sequence[Any]) -> bytes:
    """A row as JSON, for people."""
    return orjson.dumps({name: _text(value) for name, value in zip(names, row, strict=True)})


def _declared(name: str) -> pa.DataType | None:
    for part, kind in _SQLITE.items():
        if part in name.upper():
            return kind
    return None


def _plain(values: Sequence[Any], kind: pa.DataType) -> Sequence[Any]:
    kinds = {type(value) for value in values} - {type(None)}
    if kind == pa.string():
        return values if kinds <= {str} else [_text(value) for value in values]
    if kind == pa.float64() and kinds & {Decimal, int}:
        return [float(value) if isinstance(value, Decimal | int) else value for value in values]
    if kind == pa.int64() and float in kinds:
        # Arrow would cut the fraction off; of text it takes none.
        return [str(value) if isinstance(value, float) else value for value in values]
    if str in kinds and (pa.types.is_timestamp(kind) or kind == pa.date32()):
        # MySQL's way to say that there is no date.
        return [None if isinstance(value, str) and value.startswith("0000-00-00") else value for value in values]
    return values


def _fits(value: Any, kind: pa.DataType) -> bool:
    try:
        pa.array([value], kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return False
    return True


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes | memoryview):
        return value.hex()
    if isinstance(value, list | dict):
        return orjson.dumps(value, default=str).decode()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
