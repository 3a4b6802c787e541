"""How the sink of databases is declared in a use case."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from afield.connectors.base import Sink
from afield.connectors.database.declared import Database, table_name


class SqlTable(Database):
    """Answers as rows of a table, one row an answer however often it is given."""

    summary: ClassVar[str] = "Rows of a table, kept once by the id of the answer; PostgreSQL, MySQL, SQLite."

    table: str = table_name(
        default="answers",
        description="The table; it is made by the first answers where it is not there. With its schema before a dot "
        "where that is needed.",
        example="answers",
    )

    def open(self, base: Path) -> Sink:
        """The sink; a relative path of SQLite starts from `base`, the folder of the use case. It connects to write.

        Raises:
            UseCaseError: the password is not there.
            StateError: the driver is not installed.
        """
        from afield.connectors.sinks.sql.sink import SqlSink

        return SqlSink(self, base)
