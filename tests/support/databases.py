"""Real databases to read from and write to: tables under names of their own, gone after the test.

Run as a program, it is a run reduced to its sink, to be killed: URL, folder, table, how many answers to end with.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from afield.checks.sink import answers
from afield.connectors.sinks.sql.spec import SqlTable

URLS = {
    "postgresql": os.environ.get("AFIELD_POSTGRESQL", "postgresql://postgres@127.0.0.1/test"),
    "mariadb": os.environ.get("AFIELD_MARIADB", "mariadb://root@127.0.0.1/test"),
    "sqlite": "sqlite:///records.db",
}
KINDS = list(URLS)
TIMESTAMP = {"postgresql": "timestamptz", "mariadb": "datetime(6)", "sqlite": "text"}
"""A column for times, by kind of database."""

_STEP = 150

_DRIVERS = {"postgresql:": "postgresql+psycopg:", "mariadb:": "mariadb+pymysql:"}


@dataclass
class Database:
    """A database of a test.

    Args:
        kind: postgresql, mariadb or sqlite.
        url: as a use case writes it.
        base: folder of the use case.
        table: a name that no other test has.
    """

    kind: str
    url: str
    base: Path
    table: str

    def __post_init__(self) -> None:
        full = self.url.replace("sqlite:///", f"sqlite:///{self.base}/")
        for short, driver in _DRIVERS.items():
            full = full.replace(short, driver)
        self.engine = create_engine(full)

    def run(self, statement: str, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] = ()) -> None:
        """Runs a statement that names the table TABLE, in a transaction of its own."""
        with self.engine.begin() as connection:
            connection.execute(text(statement.replace("TABLE_", self.table)), values or None)

    def rows(self, order: str = "id") -> list[dict[str, Any]]:
        """All rows; none where there is no table."""
        with self.engine.connect() as connection:
            if not self.engine.dialect.has_table(connection, self.table):
                return []
            found = connection.exec_driver_sql(f"SELECT * FROM {self.table} ORDER BY {order}")
            return [dict(row) for row in found.mappings()]

    def end_connection(self, number: int) -> None:
        """Has the server end a connection, as it does when it stops."""
        self.run(f"SELECT pg_terminate_backend({number})" if self.kind == "postgresql" else f"KILL {number}")


def number_of(driver: Any) -> int:
    """The number of a connection of the driver at its server."""
    return driver.info.backend_pid if hasattr(driver, "info") else driver.thread_id()


@contextmanager
def database_of(kind: str, base: Path) -> Iterator[Database]:
    """A database whose table is dropped at the end."""
    database = Database(kind, URLS[kind], base, f"t_{uuid.uuid4().hex[:12]}")
    try:
        yield database
    finally:
        database.run("DROP TABLE IF EXISTS TABLE_")
        database.engine.dispose()


def written(url: str, folder: Path, table: str, count: int) -> None:
    """Goes on where it was committed last, and writes the answers up to `count`."""
    committed = folder / "committed.json"
    position = json.loads(committed.read_text()) if committed.exists() else 0
    sink = SqlTable(url=url, table=table).open(folder)
    sink.restore(None)
    while position < count:
        sink.write(answers(position, min(_STEP, count - position)))
        position = min(position + _STEP, count)
        new = folder / "committed.new"
        new.write_text(json.dumps(position))
        new.replace(committed)
    sink.close()


if __name__ == "__main__":
    written(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
