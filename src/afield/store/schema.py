"""Tables of the store, and the steps that bring an older store up to them."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    inspect,
    select,
)

metadata = MetaData()

# Times are text, ISO 8601 in UTC: SQLite has no type for them, and this form sorts.

# One row: how many of the migrations below this store has seen.
form = Table("form", metadata, Column("version", Integer, nullable=False))

versions = Table(
    "versions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", String(32), nullable=False, unique=True),
    Column("created", String(32), nullable=False),
    Column("bundle", String(1024), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("accuracy", Float),
    Column("summary", JSON, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", String(32), nullable=False),
    Column("actor", String(255), nullable=False),
    Column("action", String(64), nullable=False),
    Column("version", String(32)),
    Column("detail", JSON, nullable=False),
)

positions = Table(
    "positions",
    metadata,
    Column("use_case", String(255), primary_key=True),
    Column("stream", String(4096), primary_key=True),
    Column("cursor", String, nullable=False),
)

sinks = Table(
    "sinks",
    metadata,
    Column("use_case", String(255), primary_key=True),
    Column("sink", String(255), primary_key=True),
    Column("mark", String, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("use_case", String(255), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# What the preprocessing of a version carries from one batch to the next, as of the committed positions.
carries = Table(
    "carries",
    metadata,
    Column("use_case", String(255), primary_key=True),
    Column("version", String(32), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)


def _first(connection: Connection) -> None:
    metadata.create_all(connection)
    connection.execute(form.insert().values(version=0))
    if connection.dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit record is only ever added to'); END"
            )


def _second(connection: Connection) -> None:
    # A new store has all tables from the first step on.
    carries.create(connection, checkfirst=True)


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_first, _second)
"""Each takes a store from the form of its index to the next; a store's form is the number of those it has seen."""


def current_form(connection: Connection) -> int:
    """How many migrations the store has seen; 0 for an empty one."""
    if not inspect(connection).has_table(form.name):
        return 0
    return connection.execute(select(form.c.version)).scalar_one()


def migrate(connection: Connection) -> None:
    """Brings the store up to the newest form, inside the caller's transaction."""
    for migration in MIGRATIONS[current_form(connection) :]:
        migration(connection)
    connection.execute(form.update().values(version=len(MIGRATIONS)))
