"""Reaches a database: its URL, password, time limits, and how its statements are written."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, NullPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from afield.connectors.database.declared import DRIVERS, Database, seconds
from afield.errors import DataError, StateError, UseCaseError

CONNECT_SECONDS = 10
BUSY_SECONDS = 30
_STEPS = 10_000
"""Of SQLite's machine, between two looks at the clock."""

_ALIVE = {"keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}


class Target:
    """A database that is declared, and not yet connected to.

    Args:
        spec: the declaration.
        base: folder that a relative path of SQLite starts from.
        where: the place in the use case, such as `source.sql`, that begins every message.
        writes: whether it is written to; otherwise the database is told that nothing will be.

    Raises:
        UseCaseError: the URL or the password is none.
        StateError: the driver is not installed.
    """

    def __init__(self, spec: Database, base: Path, where: str, *, writes: bool) -> None:
        try:
            url = make_url(spec.url)
        except (ArgumentError, ValueError):
            raise UseCaseError(f"{where}.url: expected the URL of a database") from None
        self.kind = url.get_backend_name()
        if self.kind not in DRIVERS:
            raise UseCaseError(f"{where}.url: expected postgresql, mysql, mariadb or sqlite, found {self.kind!r}")
        url = url.set(drivername=f"{self.kind}+{DRIVERS[self.kind]}")
        if self.kind == "sqlite":
            url = url.set(database=str((base / (url.database or "")).absolute()))
        elif spec.password:
            url = url.set(password=spec.password.read(f"{where}.password"))
        self.name = Path(url.database or "").stem if self.kind == "sqlite" else str(url.database)
        self.timeout = spec.timeout
        self.label = f"{where}: {_shown(url)}"
        self._limit = seconds(spec.timeout)
        self._deadline = float("inf")
        self._writes = writes
        self._file = Path(url.database or "") if self.kind == "sqlite" else None
        try:
            self.engine = create_engine(
                url,
                poolclass=NullPool,
                pool_reset_on_return=None,
                connect_args=self._arguments(),
                # Values of records stand in no error.
                hide_parameters=True,
            )
        except ModuleNotFoundError as error:
            raise StateError(
                f"{where}: needs {error.name}, which is not installed: run `pip install 'afield[sql]'`"
            ) from None
        event.listen(self.engine, "connect", getattr(self, f"_prepare_{self.dialect}"))
        if self.dialect == "sqlite":
            event.listen(self.engine, "begin", self._begin_sqlite)
            event.listen(self.engine, "before_cursor_execute", self._start_clock)

    @property
    def dialect(self) -> str:
        """postgresql, mysql or sqlite."""
        return "mysql" if self.kind == "mariadb" else self.kind

    def connect(self) -> Connection:
        """A new connection.

        Raises:
            DataError: there is no such file of SQLite.
            SQLAlchemyError: as the database says.
        """
        if self._file and not self._writes and not self._file.is_file():
            raise DataError(f"{self.label}: expected a file of SQLite, found none; correct url:")
        return self.engine.connect()

    def cancel(self, connection: Connection) -> None:
        """Ends the statement that another thread waits for on this connection."""
        driver: Any = connection.connection.driver_connection
        if self.dialect == "postgresql":
            driver.cancel_safe(timeout=CONNECT_SECONDS)
        elif self.dialect == "sqlite":
            driver.interrupt()
        else:
            with self.engine.connect() as other:
                other.exec_driver_sql(f"KILL QUERY {driver.thread_id()}")

    def table(self, name: str) -> str:
        """The name of a table, with its schema before a dot where it has one, as it stands in a statement."""
        return ".".join(self.column(part) for part in name.split("."))

    def column(self, name: str) -> str:
        """The name of a column as it stands in a statement."""
        return self.literal(self.engine.dialect.identifier_preparer.quote_identifier(name).replace("%%", "%"))

    def value(self, name: str) -> str:
        """Where a value that is given beside the statement stands in it."""
        return f":{name}" if self.dialect == "sqlite" else f"%({name})s"

    def literal(self, statement: str) -> str:
        """A statement of a person, with nothing in it that could be taken for the place of a value."""
        return statement if self.dialect == "sqlite" else statement.replace("%", "%%")

    def _arguments(self) -> dict[str, Any]:
        if self.dialect == "postgresql":
            named = {"application_name": "afield", "client_encoding": "utf8"}
            # A statement that the server keeps fails when a column changes, and behind a pooler.
            return {"connect_timeout": CONNECT_SECONDS, "prepare_threshold": None, **named, **_ALIVE}
        if self.dialect == "mysql":
            # The server ends a statement by itself; a server that is gone does not.
            patience = int(self._limit) + CONNECT_SECONDS
            waits = {"read_timeout": patience, "write_timeout": patience}
            return {"connect_timeout": CONNECT_SECONDS, "charset": "utf8mb4", **waits}
        return {"timeout": BUSY_SECONDS, "check_same_thread": False}

    def _prepare_postgresql(self, connection: Any, _: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {int(self._limit * 1000)}")
            cursor.execute("SET TIME ZONE 'UTC'")
            if not self._writes:
                cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        connection.commit()

    def _prepare_mysql(self, connection: Any, _: Any) -> None:
        mariadb = "mariadb" in connection.get_server_info().lower()
        limit = f"max_statement_time = {self._limit}" if mariadb else f"max_execution_time = {int(self._limit * 1000)}"
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION {limit}, time_zone = '+00:00'")
            # Otherwise a text that is too long would be cut without a word.
            cursor.execute(
                "SET SESSION " + ("sql_mode = 'STRICT_ALL_TABLES'" if self._writes else "TRANSACTION READ ONLY")
            )

    def _prepare_sqlite(self, connection: Any, _: Any) -> None:
        # The driver's own transactions begin too late; ours are begun by the statement BEGIN.
        connection.isolation_level = None
        connection.set_progress_handler(lambda: time.monotonic() > self._deadline, _STEPS)
        if not self._writes:
            connection.execute("PRAGMA query_only = ON")
            connection.text_factory = lambda text: text.decode(errors="replace")

    def _begin_sqlite(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if self._writes else "BEGIN")

    def _start_clock(self, *_: Any) -> None:
        self._deadline = time.monotonic() + self._limit


def _shown(url: URL) -> str:
    """The URL without password and without options."""
    shown = URL.create(
        url.get_backend_name(), username=url.username, host=url.host, port=url.port, database=url.database
    )
    return shown.render_as_string()
