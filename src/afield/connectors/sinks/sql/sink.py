"""The sink of databases: a batch is one transaction, an answer one row."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from afield import faults
from afield.connectors.database.engine import Target
from afield.connectors.database.errors import translated
from afield.connectors.sinks.sql.layout import ID, prepared
from afield.connectors.sinks.sql.spec import SqlTable
from afield.connectors.sinks.sql.statement import Upsert
from afield.errors import AfieldError


class SqlSink:
    """Writes answers into a table, by their id.

    Args:
        spec: the declaration.
        base: folder that a relative path of SQLite starts from.
    """

    idempotent: ClassVar[bool] = True

    def __init__(self, spec: SqlTable, base: Path) -> None:
        self._table = spec.table
        self._target = Target(spec, base, "sink.sql", writes=True)
        self._connection: Connection | None = None
        self._upsert: Upsert | None = None

    def restore(self, mark: str | None) -> None:
        """Nothing is taken back: an answer that is given again takes the place of the first."""
        del mark

    def write(self, answers: pa.RecordBatch) -> str:
        """Writes the answers in one transaction.

        Raises:
            TransientError: the database is away or busy; the next write connects anew.
            DataError: the table is none of answers, or does not take them.
            UseCaseError: the login is refused.
        """
        if not answers.num_rows:
            return ""
        try:
            with translated(self._target):
                self._write(_last_of_each(answers))
        except AfieldError:
            self._let_go()
            raise
        faults.point("sink written")
        return ""

    def close(self) -> None:
        """Lets go of the connection."""
        self._let_go()

    def _write(self, answers: pa.RecordBatch) -> None:
        connection = self._connection = self._connection or self._target.connect()
        if self._upsert is None or self._upsert.schema != answers.schema:
            columns = prepared(self._target, connection, self._table, answers.schema)
            self._upsert = Upsert(self._target, self._table, answers.schema, columns)
        with connection.begin():
            self._upsert.execute(connection, answers)
            faults.point("sink half written")

    def _let_go(self) -> None:
        connection, self._connection, self._upsert = self._connection, None, None
        if connection is not None:
            # A connection that is lost cannot even be closed.
            with contextlib.suppress(SQLAlchemyError):
                connection.close()


def _last_of_each(answers: pa.RecordBatch) -> pa.RecordBatch:
    """The answers without those that a later one of the same id replaces: one statement writes a row once."""
    if answers.schema.get_field_index(ID) < 0:
        return answers
    rows = {name: row for row, name in enumerate(answers.column(ID).to_pylist())}
    if len(rows) == answers.num_rows:
        return answers
    return answers.take(pa.array(np.sort(np.fromiter(rows.values(), np.int64))))
