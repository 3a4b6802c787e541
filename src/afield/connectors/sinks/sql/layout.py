"""The table of answers: made, checked against the answers, and given the columns that it lacks."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlalchemy import CHAR, VARCHAR, Connection, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from afield.connectors.database.engine import Target
from afield.errors import DataError

ID = "id"
PREDICTION = "prediction"

_LONGEST_NAME = {"postgresql": 63, "mysql": 64}
"""Bytes; PostgreSQL cuts a longer one without a word."""

_TEXT = {"postgresql": "TEXT", "mysql": "MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "sqlite": "TEXT"}
_FLOAT = {"postgresql": "DOUBLE PRECISION", "mysql": "DOUBLE", "sqlite": "REAL"}
_TIME = {"postgresql": "TIMESTAMP", "mysql": "DATETIME(6)", "sqlite": "TEXT"}
_ZONED = {"postgresql": "TIMESTAMP WITH TIME ZONE", "mysql": "DATETIME(6)", "sqlite": "TEXT"}
_MYSQL_ID = "VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
"""A name that an index of InnoDB can hold, and that no collation takes for another."""


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values of a column, whether a dictionary or not."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def sql_type(target: Target, name: str, kind: pa.DataType) -> str:
    """The type of a column that is made for answers; what has no other is text."""
    kind, dialect = plain_type(kind), target.dialect
    if pa.types.is_integer(kind):
        return "BIGINT"
    if pa.types.is_floating(kind):
        return _FLOAT[dialect]
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if pa.types.is_date(kind):
        return "DATE"
    if pa.types.is_timestamp(kind):
        return (_ZONED if kind.tz else _TIME)[dialect]
    return _MYSQL_ID if dialect == "mysql" and name == ID else _TEXT[dialect]


def prepared(target: Target, connection: Connection, table: str, schema: pa.Schema) -> dict[str, str]:
    """Makes the table fit for answers: it is made where it is not there, and columns that it lacks are added.

    Args:
        target: the database.
        connection: to it.
        table: the table, with its schema before a dot where it has one.
        schema: of the answers.

    Returns:
        Column of the answers -> its type in the database, to cast to.

    Raises:
        DataError: there is a table that is none of answers, or a column of it is of another kind.
        SQLAlchemyError: as the database says.
    """
    where = f"{target.label}: table {table}"
    longest = _LONGEST_NAME.get(target.dialect, 10**9)
    for name in schema.names:
        if len(name.encode()) > longest:
            raise DataError(f"{where}: expected names of columns of at most {longest} bytes, found {name!r}")
    if not _exists(connection, table):
        _change(connection, table, _create(target, table, schema), None)
    found = _columns(connection, table)
    _check(connection, table, found, schema, where)
    for field in schema:
        if field.name not in found:
            kind = sql_type(target, field.name, field.type)
            statement = f"ALTER TABLE {target.table(table)} ADD COLUMN {target.column(field.name)} {kind}"
            _change(connection, table, statement, field.name)
    return {name: _without_length(kind, connection) for name, kind in _columns(connection, table).items()}


def _create(target: Target, table: str, schema: pa.Schema) -> str:
    columns = [
        f"{target.column(field.name)} {sql_type(target, field.name, field.type)}"
        + (" NOT NULL PRIMARY KEY" if field.name == ID else "")
        for field in schema
    ]
    return f"CREATE TABLE {target.table(table)} ({', '.join(columns)})"


def _change(connection: Connection, table: str, statement: str, column: str | None) -> None:
    """Changes the table, unless another process does just that at the same time."""
    try:
        with connection.begin():
            connection.exec_driver_sql(statement)
    except DBAPIError as error:
        there = not error.connection_invalidated and _exists(connection, table)
        if not there or (column is not None and column not in _columns(connection, table)):
            raise


def _check(
    connection: Connection, table: str, found: dict[str, TypeEngine[Any]], schema: pa.Schema, where: str
) -> None:
    if missing := [name for name in (ID, PREDICTION) if name not in found]:
        raise DataError(
            f"{where}: expected a table of answers, with the columns {ID} and {PREDICTION}, found no {missing[0]!r} "
            f"among {', '.join(found)}; name another with table:, it is made where it is not there"
        )
    if [ID] not in _unique(connection, table):
        raise DataError(f"{where}: expected {ID} as its primary key, so that an answer is kept once; make it that")
    for field in schema:
        wanted = _kind(plain_type(field.type))
        kind = _kind_of(found[field.name]) if field.name in found else None
        if wanted and kind and wanted != kind:
            raise DataError(
                f"{where}: column {field.name!r}: expected {wanted}, as the answers have, found "
                f"{_type_text(found[field.name], connection)}; name another table with table:"
            )


def _unique(connection: Connection, table: str) -> list[list[str]]:
    name, schema = _parts(table)
    with connection.begin():
        look = inspect(connection)
        key = look.get_pk_constraint(name, schema)["constrained_columns"]
        others = [index["column_names"] for index in look.get_unique_constraints(name, schema)]
    return [list(key), *(list(names) for names in others)]


def _exists(connection: Connection, table: str) -> bool:
    with connection.begin():
        return inspect(connection).has_table(*_parts(table))


def _columns(connection: Connection, table: str) -> dict[str, TypeEngine[Any]]:
    with connection.begin():
        return {column["name"]: column["type"] for column in inspect(connection).get_columns(*_parts(table))}


def _parts(table: str) -> tuple[str, str | None]:
    schema, _, name = table.rpartition(".")
    return name, schema or None


def _type_text(kind: TypeEngine[Any], connection: Connection) -> str:
    return kind.compile(connection.dialect)


def _without_length(kind: TypeEngine[Any], connection: Connection) -> str:
    # A cast to a type with a length cuts what is too long; the column itself refuses it.
    return "TEXT" if type(kind) in (CHAR, VARCHAR) else re.sub(r"\([^)]*\)", "", _type_text(kind, connection))


def _kind(kind: pa.DataType) -> str | None:
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    return "a number" if pa.types.is_integer(kind) or pa.types.is_floating(kind) else None


def _kind_of(kind: TypeEngine[Any]) -> str | None:
    try:
        python = kind.python_type
    except NotImplementedError:
        return None
    if python is str:
        return "text"
    return "a number" if issubclass(python, int | float | Decimal) else None
