"""What `afield check` says of the source of databases, before anything is connected to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from afield.connectors.database.declared import seconds
from afield.connectors.sources.sql.spec import Sql
from afield.errors import StateError, UseCaseError

GOOD: dict[str, Any] = {"url": "postgresql://reader@db.example:5432/shop", "table": "events", "cursor": "id"}


def problems(**changes: Any) -> list[str]:
    fields = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return [".".join(map(str, problem.path)) + ": " + problem.message for problem in Sql(**fields).lint()]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"url": "mysql://root@127.0.0.1/test"},
        {"url": "mariadb+pymysql://root@127.0.0.1/test"},
        {"url": "sqlite:///events.db"},
        {"url": "sqlite:////data/events.db"},
        {"url": "postgresql:///shop?host=/run/postgresql"},
        {"table": "north.events"},
        {"table": None, "query": "-- of today\n (SELECT 1 AS id);"},
        {"table": None, "query": "/* all */ with a as (select 1 as id) select * from a"},
        {"password": {"env": "DB_PASSWORD"}},
    ],
)
def test_what_is_right(changes: dict[str, Any]) -> None:
    assert problems(**changes) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"url": "postgresql://reader:hunter2@db/shop"},
            "url: a password stands in the URL; take it out, and add `password: {env: NAME}` or `{file: PATH}`",
        ),
        (
            {"url": "mysql://db/shop?user=me&password=hunter2"},
            "url: a password stands in the URL; take it out, and add `password: {env: NAME}` or `{file: PATH}`",
        ),
        (
            {"url": "hunter2"},
            "url: expected the URL of a database, such as postgresql://user@host/database, mysql://user@host/database "
            "or sqlite:///file.db",
        ),
        ({"url": "oracle://db/shop"}, "url: expected postgresql, mysql, mariadb or sqlite before ://, found 'oracle'"),
        (
            {"url": "postgresql+asyncpg://db/shop"},
            "url: expected postgresql:// or postgresql+psycopg://, found the driver 'asyncpg'",
        ),
        (
            {"url": "postgresql://db"},
            "url: expected the name of a database at the end, as in postgresql://user@host/database",
        ),
        ({"url": "sqlite://"}, "url: expected a file, as in sqlite:///file.db, found none"),
        ({"url": "sqlite:///a.db", "password": {"env": "A"}}, "password: SQLite has no passwords; remove it"),
        ({"query": "SELECT 1"}, ": expected `table:` or `query:`, found both"),
        ({"table": None}, ": expected `table:` or `query:`, found neither"),
        ({"table": None, "query": "DELETE FROM events"}, "query: expected a SELECT, found 'DELETE'"),
        ({"table": None, "query": "-- SELECT"}, "query: expected a SELECT, found 'nothing'"),
        ({"key": "id"}, "key: the key tells rows with the same cursor apart, and is the cursor; remove it"),
        ({"poll": "0s"}, "poll: expected a time above nothing, found '0s'"),
        ({"timeout": "0s"}, "timeout: expected a time above nothing, found '0s'"),
    ],
)
def test_what_is_wrong(changes: dict[str, Any], expected: str) -> None:
    assert problems(**changes) == [expected]


@pytest.mark.parametrize("changes", [{"lag": "10"}, {"lag": "-1s"}, {"table": "a.b.c"}, {"batch": 0}, {"columns": []}])
def test_what_types_refuse(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Sql(**(GOOD | changes))


@pytest.mark.parametrize(("text", "expected"), [("500ms", 0.5), ("10s", 10), ("2m", 120), ("1h", 3600)])
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


def test_a_label_must_be_declared_to_train(tmp_path: Path) -> None:
    with pytest.raises(UseCaseError) as raised:
        Sql(**GOOD).open(base=tmp_path, follow=False, labelled=True)
    assert str(raised.value) == (
        "source.sql: training needs the known answer of each record, and no label is declared; "
        "add label: NAME-OF-A-COLUMN"
    )


def test_a_port_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(UseCaseError, match=r"^source\.sql\.url: expected the URL of a database$"):
        Sql(**(GOOD | {"url": "postgresql://db:port/shop"})).open(base=tmp_path, follow=False, labelled=False)


def test_a_password_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFIELD_NO_SUCH", raising=False)
    with pytest.raises(
        UseCaseError, match=r"source\.sql\.password: the environment variable AFIELD_NO_SUCH holds noth"
    ):
        Sql(**GOOD, password={"env": "AFIELD_NO_SUCH"}).open(base=tmp_path, follow=False, labelled=False)


def test_a_driver_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(StateError) as raised:
        Sql(**GOOD).open(base=tmp_path, follow=False, labelled=False)
    assert str(raised.value) == ("source.sql: needs psycopg, which is not installed: run `pip install 'afield[sql]'`")
