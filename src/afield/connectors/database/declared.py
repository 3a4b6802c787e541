"""How a database is declared in a use case, light enough for `afield check`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import Field

from afield.usecase.base import Component, Problem
from afield.usecase.secret import Secret

Duration = Annotated[str, Field(pattern=r"^\d+(ms|s|m|h)$")]
"""A time with its unit: 500ms, 10s, 5m, 1h."""

DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql", "sqlite": "pysqlite"}
"""Kind of database -> the driver that is used."""

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_URL = re.compile(r"(?P<kind>\w+)(?:\+(?P<driver>\w+))?://(?:(?P<user>[^/@]*)@)?(?P<rest>.*)", re.DOTALL)
_EXPECTED = "such as postgresql://user@host/database, mysql://user@host/database or sqlite:///file.db"


def seconds(duration: str) -> float:
    """A duration as a number.

    >>> seconds("500ms"), seconds("5m")
    (0.5, 300.0)
    """
    digits = duration.rstrip("msh")
    return int(digits) * _SECONDS[duration[len(digits) :]]


def table_name(*, default: str | None, description: str, example: str) -> Any:
    """The field `table`, of the source and of the sink: a name, with its schema before a dot where it has one."""
    return Field(default=default, pattern=r"^[^.\x00]+(\.[^.\x00]+)?$", description=description, examples=[example])


class Database(Component):
    """The fields that say which database, and who asks."""

    url: str = Field(
        min_length=1,
        description="The database, as SQLAlchemy writes it: `postgresql://user@host:5432/database`, "
        "`mysql://user@host/database` (MariaDB too) or `sqlite:///file.db`. The file of SQLite is relative to the use "
        "case; `sqlite:////data/file.db` is absolute. The password does not stand here.",
        examples=["postgresql://reader@db.example/shop", "sqlite:///events.db"],
    )
    password: Secret | None = Field(
        default=None,
        description="Where the password is kept; none for SQLite, or where the server asks for none.",
        examples=[{"env": "DB_PASSWORD"}],
    )
    timeout: Duration = Field(
        default="60s",
        description="A statement that takes longer is ended by the database: ms, s, m or h.",
        examples=["5m"],
    )

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say, found without a connection."""
        return list(self._lint_database())

    def _lint_database(self) -> Iterator[Problem]:
        found = _URL.fullmatch(self.url)
        # What is no URL may still hold a password: it is not repeated.
        if found is None:
            yield Problem(("url",), f"expected the URL of a database, {_EXPECTED}")
            return
        kind, driver = found["kind"], found["driver"]
        if kind not in DRIVERS:
            yield Problem(("url",), f"expected postgresql, mysql, mariadb or sqlite before ://, found {kind!r}")
        elif driver not in (None, DRIVERS[kind]):
            yield Problem(("url",), f"expected {kind}:// or {kind}+{DRIVERS[kind]}://, found the driver {driver!r}")
        if ":" in (found["user"] or "") or re.search(r"[?&](password|passwd|sslpassword)=", self.url):
            yield Problem(
                ("url",), "a password stands in the URL; take it out, and add `password: {env: NAME}` or `{file: PATH}`"
            )
        if kind == "sqlite":
            if not found["rest"].removeprefix("/"):
                yield Problem(("url",), "expected a file, as in sqlite:///file.db, found none")
            if self.password:
                yield Problem(("password",), "SQLite has no passwords; remove it")
        elif kind in DRIVERS and not re.match(r"[^/?]*/[^/?]", found["rest"]):
            yield Problem(("url",), f"expected the name of a database at the end, as in {kind}://user@host/database")
        if seconds(self.timeout) <= 0:
            yield Problem(("timeout",), f"expected a time above nothing, found '{self.timeout}'")
