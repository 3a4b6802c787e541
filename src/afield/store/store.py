"""Opens the database, keeps its form up to date, and turns its errors into ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from afield.errors import AfieldError, StateError, TransientError
from afield.files import writing
from afield.lock import STATE
from afield.store.schema import MIGRATIONS, current_form, migrate

FILE = "afield.db"
BUSY_SECONDS = 30

_PASSING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR}
_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full; make room and run again",
    sqlite3.SQLITE_BUSY: "another process keeps it busy; run again when that has ended",
    sqlite3.SQLITE_IOERR: "the disk cannot be written, as when it is full; make room and run again",
    sqlite3.SQLITE_READONLY: "no permission to write it; check the owner and the mode of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the owner and the mode of the file and its folder",
    sqlite3.SQLITE_NOTADB: "it is not a database; put a saved copy back, or move it away to start anew",
    sqlite3.SQLITE_CORRUPT: "it is damaged; put a saved copy back, or move it away to start anew",
}


class Store:
    """A database whose form is the one this code knows.

    Args:
        engine: connected to the database.
        where: how messages name it.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self.engine = engine
        self.where = where

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A connection that sees one state of the database and keeps no writer waiting."""
        with self._translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """A transaction: all of its block is kept, or nothing. One writer at a time."""
        with self._translated(), self.engine.connect().execution_options(afield_writes=True) as connection:
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Lets go of all connections."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise _meaning(self.where, error) from error


def open_store(place: Path | str) -> Store:
    """Opens the store of a use case, and makes or upgrades it where needed.

    Args:
        place: the folder of a use case, whose `.afield/afield.db` is the store; or the URL of a database of its own.

    Raises:
        StateError: no permission, damaged, or made by a newer Afield.
        TransientError: the disk is full, or the database is busy or out of reach.
    """
    if isinstance(place, Path):
        file = place / STATE / FILE
        with writing(file.parent):
            file.parent.mkdir(exist_ok=True)
        return _opened(URL.create("sqlite", database=str(file)), str(file))
    try:
        url = make_url(place)
    except ArgumentError:
        raise StateError(
            f"{place!r} is no URL of a database; expected one such as 'sqlite:////data/afield.db'"
        ) from None
    return _opened(url, url.render_as_string(hide_password=True))


def _opened(url: URL, where: str) -> Store:
    try:
        engine = create_engine(url)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StateError(f"{where}: no such kind of database here: {error}; install its driver") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    store = Store(engine, where)
    with store.reading() as connection:
        found = current_form(connection)
    if found > len(MIGRATIONS):
        store.close()
        raise StateError(
            f"{where}: made by a newer Afield (form {found}, this one knows up to {len(MIGRATIONS)}); upgrade Afield"
        )
    if found < len(MIGRATIONS):
        with store.writing() as connection:
            migrate(connection)
    return store


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # The driver's own transactions begin too late to be a snapshot; ours are begun below.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    # In WAL mode a crash of the process loses nothing and a power cut at most the last commits, never their order:
    # sinks are then restored to the older mark, and the same answers are written again.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader could find another writer before it and fail at once, without waiting.
    writes = connection.get_execution_options().get("afield_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _meaning(where: str, error: SQLAlchemyError) -> AfieldError:
    cause = error.orig if isinstance(error, DBAPIError) else None
    code = getattr(cause, "sqlite_errorcode", None)
    if code is None:
        kind = TransientError if isinstance(error, DBAPIError) and error.connection_invalidated else StateError
        return kind(f"{where}: the database refused: {cause or error}")
    primary = code & 0xFF
    advice = _ADVICE.get(primary, f"the database refused: {cause}")
    return (TransientError if primary in _PASSING else StateError)(f"{where}: {advice}")
