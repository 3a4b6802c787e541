"""The statement that writes answers by their id, in the form that is fast in each database."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa
from sqlalchemy import Connection

from afield.connectors.database.engine import Target
from afield.connectors.sinks.sql.layout import ID, plain_type


class Upsert:
    """Writes a row for each answer, in the place of the one that has its id.

    Args:
        target: the database.
        table: the table, with its schema before a dot where it has one.
        schema: of the answers.
        types: of the columns in the database.
    """

    def __init__(self, target: Target, table: str, schema: pa.Schema, types: Mapping[str, str]) -> None:
        self.schema = schema
        self._dialect = target.dialect
        names = [target.column(name) for name in schema.names]
        others = [target.column(name) for name in schema.names if name != ID]
        into = f"INSERT INTO {target.table(table)} ({', '.join(names)})"
        if self._dialect == "mysql":
            kept = ", ".join(f"{name} = VALUES({name})" for name in others)
            self._statement = f"{into} VALUES ({', '.join(['%s'] * len(names))}) ON DUPLICATE KEY UPDATE {kept}"
            return
        kept = ", ".join(f"{name} = excluded.{name}" for name in others)
        conflict = f"ON CONFLICT ({target.column(ID)}) DO UPDATE SET {kept}"
        if self._dialect == "sqlite":
            self._statement = f"{into} VALUES ({', '.join('?' * len(names))}) {conflict}"
            return
        # One statement for all rows: each column is given as an array.
        arrays = ", ".join(f"%s::{types[name]}[]" for name in schema.names)
        self._statement = f"{into} SELECT * FROM unnest({arrays}) {conflict}"

    def execute(self, connection: Connection, answers: pa.RecordBatch) -> None:
        """Writes the answers, in the transaction that is begun."""
        columns = [_values(self._dialect, column) for column in answers.columns]
        if self._dialect == "postgresql":
            connection.exec_driver_sql(self._statement, tuple(columns))
        else:
            connection.exec_driver_sql(self._statement, list(zip(*columns, strict=True)))


def _values(dialect: str, column: pa.Array) -> list[Any]:
    """The values as the driver takes them."""
    kind = plain_type(column.type)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values: list[Any] = column.to_pylist()
    if pa.types.is_floating(kind):
        return values if dialect != "mysql" else _each(values, lambda value: value if math.isfinite(value) else None)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values if dialect != "postgresql" else _each(values, _without_nul)
    if pa.types.is_temporal(kind) and dialect == "sqlite":
        return _each(values, lambda value: value.isoformat())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        return _each(values, lambda value: value.hex() if isinstance(value, bytes) else orjson.dumps(value).decode())
    return values


def _each(values: Sequence[Any], change: Callable[[Any], Any]) -> list[Any]:
    return [None if value is None else change(value) for value in values]


def _without_nul(text: str) -> str:
    return text.replace("\x00", "�") if "\x00" in text else text
