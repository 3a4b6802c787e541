"""A table or a query, read page by page in the order of its cursor."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, CursorResult

from afield.connectors.base import FILE, LABEL, LINE, OFFSET, STREAM
from afield.connectors.database.engine import Target
from afield.connectors.sources.sql.columns import declared_types, guessed, types_of
from afield.connectors.sources.sql.place import Place, Value, checked
from afield.connectors.sources.sql.spec import Sql
from afield.errors import DataError

_ALIAS = "records"
_RESERVED = (STREAM, OFFSET, FILE, LINE, LABEL)


@dataclass(frozen=True)
class Page:
    """Rows in their order.

    Args:
        rows: values of each, in the order of `Table.names`.
        places: behind each.
        full: whether there are more.
    """

    rows: Sequence[Sequence[Any]]
    places: Sequence[Place]
    full: bool


class Table:
    """What is read, and how its columns are called.

    Args:
        spec: the declaration.
        target: the database.
        connection: to look at the columns with.

    Raises:
        DataError: a column that is declared is not there.
        SQLAlchemyError: as the database says.
    """

    def __init__(self, spec: Sql, target: Target, connection: Connection) -> None:
        self._target = target
        self._batch = spec.batch
        self._where = target.label
        self._from = _records(spec, target)
        self._order: tuple[str, ...] = (spec.cursor, spec.key) if spec.key else (spec.cursor,)
        with connection.begin():
            found = connection.exec_driver_sql(f"SELECT * FROM {self._from} WHERE 1 = 0")
            names = list(found.keys())
            types = dict(zip(names, types_of(target, _description(found)), strict=True))
            found.close()
            if target.dialect == "sqlite":
                types |= declared_types(connection, self._from)
        self._check_names(spec, names)
        self.shown = tuple(spec.columns or names)
        """The columns of a record."""
        wanted = [*self.shown, *self._order, *([spec.label] if spec.label else [])]
        self.names: tuple[str, ...] = tuple(dict.fromkeys(wanted))
        """The columns that are read."""
        self._types = {name: types[name] for name in self.names}

    def types(self, rows: Sequence[Sequence[Any]]) -> dict[str, pa.DataType]:
        """The types of the columns; what the database does not say is settled by the first rows."""
        for place, name in enumerate(self.names):
            if self._types[name] is None and rows:
                self._types[name] = guessed([row[place] for row in rows])
        return {name: kind or pa.string() for name, kind in self._types.items()}

    def last(self, connection: Connection, after: Place | None) -> Value | None:
        """The greatest cursor there is behind a place."""
        cursor = self._column(self._order[0])
        condition, values = self._behind(after)
        statement = f"SELECT {cursor} FROM {self._from} WHERE {condition} ORDER BY {cursor} DESC LIMIT 1"
        with connection.begin():
            row = connection.exec_driver_sql(statement, values).first()
        return checked(row, self._order[:1], self._where)[0] if row else None

    def page(self, connection: Connection, after: Place | None, until: Value | None) -> Page:
        """The next rows.

        Args:
            connection: to the database.
            after: the place behind which they start; None for the beginning.
            until: the greatest cursor wanted; None for all.

        Raises:
            DataError: a column has another type than before, or two rows have the same cursor and key.
            SQLAlchemyError: as the database says; a column that is gone.
        """
        condition, values = self._behind(after)
        if until is not None:
            condition += f" AND {self._column(self._order[0])} <= {self._target.value('until')}"
            values["until"] = until
        columns, order = (", ".join(map(self._column, names)) for names in (self.names, self._order))
        # One row more tells whether the next is another one.
        statement = f"SELECT {columns} FROM {self._from} WHERE {condition} ORDER BY {order} LIMIT {self._batch + 1}"
        with connection.begin():
            found = connection.exec_driver_sql(statement, values)
            self._check_types(_description(found))
            rows = found.fetchall()
        at = [self.names.index(name) for name in self._order]
        places = [Place(self._order, checked([row[i] for i in at], self._order, self._where)) for row in rows]
        self._check_differ(places)
        return Page(rows[: self._batch], places[: self._batch], len(rows) > self._batch)

    def _column(self, name: str) -> str:
        # Without the name of its table, SQLite takes a column that is not there for text.
        return f"{_ALIAS}.{self._target.column(name)}"

    def _behind(self, after: Place | None) -> tuple[str, dict[str, Value]]:
        cursor = self._column(self._order[0])
        if after is None:
            return f"{cursor} IS NOT NULL", {}
        values: dict[str, Value] = dict(zip(("cursor", "key"), after.values, strict=False))
        old = self._target.value("cursor")
        if len(self._order) == 1:
            return f"{cursor} > {old}", values
        key = f"{self._column(self._order[1])} > {self._target.value('key')}"
        # The first part alone lets every database use an index.
        return f"{cursor} >= {old} AND ({cursor} > {old} OR {key})", values

    def _check_names(self, spec: Sql, names: list[str]) -> None:
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DataError(f"{self._where}: two columns are called {twice[0]!r}; rename one in query: with AS")
        if reserved := [name for name in spec.columns or names if name in _RESERVED]:
            raise DataError(
                f"{self._where}: the name of column {reserved[0]!r} is reserved for where a record came from; "
                "rename it in query: with AS, or name the others in columns:"
            )
        declared = [("cursor", spec.cursor), ("key", spec.key), ("label", spec.label)]
        for field, name in [*declared, *(("columns", name) for name in spec.columns or [])]:
            if name is not None and name not in names:
                raise DataError(f"{self._where}: {field}: expected one of {', '.join(names)}, found {name!r}")

    def _check_types(self, description: Sequence[Any]) -> None:
        for name, found in zip(self.names, types_of(self._target, description), strict=True):
            if found is not None and found != self._types[name]:
                raise DataError(
                    f"{self._where}: column {name!r} was {self._types[name]} and is {found} now; if that is as it must "
                    "be, start again, and train again where the model reads it"
                )

    def _check_differ(self, places: Sequence[Place]) -> None:
        for one, other in itertools.pairwise(places):
            if one.values == other.values:
                name = " and ".join(self._order)
                advice = (
                    "take another column as key:"
                    if len(self._order) == 2
                    else "add key:, a column that tells them apart"
                )
                raise DataError(f"{self._where}: two rows have the same {name}, {one.dumps()}; {advice}")


def _description(found: CursorResult[Any]) -> Sequence[Any]:
    """Of the columns of a result, as the driver gives it."""
    return found.cursor.description if found.cursor else ()


def _records(spec: Sql, target: Target) -> str:
    if spec.table is not None:
        return f"{target.table(spec.table)} AS {_ALIAS}"
    query = (spec.query or "").strip().rstrip(";")
    # A comment at its end must not swallow the rest.
    return f"({target.literal(query)}\n) AS {_ALIAS}"
