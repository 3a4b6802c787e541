"""What the errors of the databases mean: what to wait for, what to correct."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from afield.connectors.database.engine import Target
from afield.errors import AfieldError, DataError, TransientError, UseCaseError

_LOST = "the connection is lost or refused"
_BUSY = "the database is busy or stopping"
_SLOW = "slow"
_LOGIN = "login"
_WRONG = "wrong"

_POSTGRESQL = {
    "08": _LOST,
    "40": _BUSY,
    "53": _BUSY,
    "55": _BUSY,
    "57014": _SLOW,
    "57": _LOST,
    "58": _BUSY,
    "28": _LOGIN,
    "42501": "",
    "42601": _WRONG,
    "25006": _WRONG,
}
"""SQLSTATE, or the two digits of its class."""

_MYSQL = {
    **dict.fromkeys((0, 2002, 2003, 2006, 2013, 2055, 1053, 1927, 4031), _LOST),
    **dict.fromkeys((1040, 1203, 1205, 1206, 1213, 1021, 1114, 1637), _BUSY),
    **dict.fromkeys((1317, 1969, 3024), _SLOW),
    **dict.fromkeys((1044, 1045, 1698, 1251), _LOGIN),
    **dict.fromkeys((1064, 1792), _WRONG),
}

_SQLITE = {
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED), "another process keeps it busy"),
    **dict.fromkeys((sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR), "the disk is full, or cannot be read or written"),
    sqlite3.SQLITE_INTERRUPT: _SLOW,
}

_REFUSED_LOGIN = ("password", 'role "', "pg_hba.conf", "authentication")
"""What PostgreSQL says of a connection that it refuses: it has no code then."""


@contextmanager
def translated(target: Target) -> Generator[None]:
    """Turns what the database refuses into our errors, without password or statement in them."""
    try:
        yield
    except SQLAlchemyError as error:
        # The error of the driver may show the row.
        raise meaning(target, error) from None


def meaning(target: Target, error: SQLAlchemyError) -> AfieldError:
    """Our error for one of the database.

    Returns:
        TransientError: it may pass: lost, busy, a statement that took too long. UseCaseError: user, password or
        statement are wrong. DataError: the rest, such as a table or a column that is not there.
    """
    cause = error.orig if isinstance(error, DBAPIError) else None
    said = _said(error, cause)
    kind = _kind(target, error, cause, said)
    if kind == _SLOW:
        return TransientError(
            f"{target.label}: a statement did not end within timeout: {target.timeout}; make it cheaper, as with an "
            "index, or raise timeout:"
        )
    if kind == _LOGIN:
        return UseCaseError(f"{target.label}: the login was refused; correct url: and password: ({said})")
    if kind == _WRONG:
        return UseCaseError(f"{target.label}: the database does not take this statement: {said}")
    if kind:
        return TransientError(f"{target.label}: {kind}: {said}")
    return DataError(f"{target.label}: the database refused: {said}")


def _said(error: SQLAlchemyError, cause: BaseException | None) -> str:
    # PostgreSQL shows the row in the details of what it refuses; its first line does not.
    first = getattr(getattr(cause, "diag", None), "message_primary", None)
    return " ".join(str(first or (cause.args[-1] if cause and cause.args else cause or error)).split())


def _kind(target: Target, error: SQLAlchemyError, cause: BaseException | None, said: str) -> str:
    if cause is None:
        return ""
    if target.dialect == "sqlite":
        return _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF, "")
    lost = _LOST if isinstance(error, DBAPIError) and error.connection_invalidated else ""
    if target.dialect == "mysql":
        code = cause.args[0] if cause.args else 0
        return _MYSQL.get(code, lost) if isinstance(code, int) else lost
    state = getattr(cause, "sqlstate", None)
    if state:
        return _POSTGRESQL.get(state, _POSTGRESQL.get(state[:2], lost))
    if "does not exist" in said and 'database "' in said:
        return ""
    if "no password supplied" in said or ("FATAL" in said and any(word in said for word in _REFUSED_LOGIN)):
        return _LOGIN
    return _LOST if type(cause).__name__ == "OperationalError" else lost
