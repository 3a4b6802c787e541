"""What the source of databases says of what goes wrong, and how it goes on afterwards."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import KINDS, Database, database_of, number_of
from sqlalchemy import event

from afield.connectors.sources.sql.spec import Sql
from afield.errors import AfieldError, DataError, TransientError, UseCaseError

SLOW = {
    "postgresql": "SELECT 1 AS id FROM pg_sleep(20)",
    "mariadb": "SELECT SLEEP(20) + 1 AS id",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS id FROM n",
}


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with database_of(request.param, tmp_path) as made:
        made.run("CREATE TABLE TABLE_ (id bigint primary key, node varchar(9), load_ integer)")
        made.run("INSERT INTO TABLE_ VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)")
        yield made


def source(database: Database, *, follow: bool = False, **fields: Any) -> Any:
    declared = {"url": database.url, "cursor": "id"} | ({} if "query" in fields else {"table": database.table}) | fields
    return Sql(**declared).open(base=database.base, follow=follow, labelled=False, poll=0.01)


def said(database: Database, kind: type[AfieldError], **fields: Any) -> str:
    with pytest.raises(AfieldError) as raised:
        list(source(database, **fields).batches({}))
    assert type(raised.value) is kind
    return str(raised.value)


def test_a_table_that_is_not_there(database: Database) -> None:
    message = said(database, DataError, table="no_such_table")
    assert message.startswith(f"source.sql: {database.kind}://")
    assert "no_such_table" in message.split("the database refused: ")[1]


def test_a_query_that_is_not_sql(database: Database) -> None:
    kind = DataError if database.kind == "sqlite" else UseCaseError
    assert "syntax" in said(database, kind, query="SELECT FROM WHERE")


def test_a_query_that_writes(database: Database) -> None:
    writes = {
        "postgresql": f"WITH gone AS (DELETE FROM {database.table} RETURNING *) SELECT * FROM gone",
        "mariadb": f"SELECT 1 AS id) AS a; DELETE FROM {database.table}; SELECT * FROM (SELECT 1 AS id",
        "sqlite": f"SELECT 1 AS id) AS a; DELETE FROM {database.table}; SELECT * FROM (SELECT 1 AS id",
    }
    said(database, DataError if database.kind != "mariadb" else UseCaseError, query=writes[database.kind])
    assert len(database.rows()) == 3


def test_the_session_is_for_reading_only(database: Database) -> None:
    opened = source(database)
    with opened._target.connect() as connection, pytest.raises(Exception, match=r"(?i)read.?only"):
        with connection.begin():
            connection.exec_driver_sql(f"DELETE FROM {database.table}")


def test_a_query_that_never_ends(database: Database) -> None:
    started = time.monotonic()
    message = said(database, TransientError, query=SLOW[database.kind], timeout="300ms")
    assert time.monotonic() - started < 10
    assert message.endswith(
        "a statement did not end within timeout: 300ms; make it cheaper, as with an index, or raise timeout:"
    )


def test_close_ends_a_statement_that_runs(database: Database) -> None:
    opened = source(database, query=SLOW[database.kind])
    found: list[Any] = []
    reading = threading.Thread(target=lambda: found.extend(opened.batches({})))
    reading.start()
    time.sleep(0.5)
    started = time.monotonic()
    opened.close()
    reading.join(timeout=10)
    assert not reading.is_alive()
    assert time.monotonic() - started < 5
    assert found == []


def test_close_ends_the_waiting(database: Database) -> None:
    declared = Sql(url=database.url, table=database.table, cursor="id", poll="1h")
    opened = declared.open(base=database.base, follow=True, labelled=False)
    seen: list[int] = []
    reading = threading.Thread(target=lambda: seen.extend(batch.records.num_rows for batch in opened.batches({})))
    reading.start()
    time.sleep(1.5)
    started = time.monotonic()
    opened.close()
    reading.join(timeout=10)
    assert not reading.is_alive()
    assert time.monotonic() - started < 1
    assert seen[0] == 3
    assert set(seen[1:]) == {0}
    assert len(seen) >= 3


def test_a_column_that_is_dropped_under_way_is_named(database: Database) -> None:
    batches = source(database, follow=True, batch=2).batches({})
    assert next(batches).records.num_rows == 2
    database.run("ALTER TABLE TABLE_ DROP COLUMN load_")
    with pytest.raises(DataError, match="load_"):
        for _ in batches:
            pass


def test_a_column_that_changes_its_type_under_way_is_named(tmp_path: Path) -> None:
    for kind in ("postgresql", "mariadb"):
        with database_of(kind, tmp_path) as database:
            database.run("CREATE TABLE TABLE_ (id bigint primary key, amount integer)")
            database.run("INSERT INTO TABLE_ VALUES (1, 1), (2, 2), (3, 3)")
            batches = source(database, follow=True, batch=2).batches({})
            next(batches)
            alter = "ALTER COLUMN amount TYPE varchar(9)" if kind == "postgresql" else "MODIFY amount varchar(9)"
            database.run(f"ALTER TABLE TABLE_ {alter}")
            with pytest.raises(
                DataError, match="column 'amount' was int64 and is string now; if that is as it must be"
            ):
                for _ in batches:
                    pass


def test_a_column_that_is_added_under_way_is_left_out(database: Database) -> None:
    batches = source(database, follow=True, batch=2).batches({})
    first = next(batches)
    database.run("ALTER TABLE TABLE_ ADD COLUMN more integer")
    second = next(batches)
    assert second.records.num_rows == 1
    assert second.records.schema == first.records.schema
    batches.close()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_server_that_is_gone_in_the_middle(kind: str, tmp_path: Path) -> None:
    with database_of(kind, tmp_path) as database:
        database.run("CREATE TABLE TABLE_ (id bigint primary key)")
        database.run("INSERT INTO TABLE_ VALUES (1), (2), (3), (4), (5)")
        opened = source(database, batch=2)
        numbers: list[int] = []
        event.listen(opened._target.engine, "connect", lambda driver, _: numbers.append(number_of(driver)))
        batches = opened.batches({})
        first = next(batches)
        database.end_connection(numbers[-1])
        with pytest.raises(TransientError) as raised:
            next(batches)
        lost = (
            f"source.sql: {kind}://{'postgres' if kind == 'postgresql' else 'root'}@127.0.0.1/test: the connection is"
        )
        assert str(raised.value).startswith(f"{lost} lost or refused: ")
        rest = [batch.records.column("id").to_pylist() for batch in source(database, batch=2).batches(first.position)]
        assert rest == [[3, 4], [5]]


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_server_that_is_not_there(kind: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"{kind}://me@127.0.0.1:{taken.getsockname()[1]}/shop"
        opened = Sql(url=url, table="t", cursor="id").open(base=tmp_path, follow=False, labelled=False)
        with pytest.raises(TransientError) as raised:
            next(opened.batches({}))
    assert str(raised.value).startswith(f"source.sql: {url}: the connection is lost or refused: ")


@pytest.mark.parametrize(
    ("url", "kind", "message"),
    [
        (
            "postgresql://nobody_of_that_name@127.0.0.1/test",
            UseCaseError,
            "the login was refused; correct url: and pass",
        ),
        (
            "mysql://nobody_of_that_name@127.0.0.1/test",
            UseCaseError,
            "the login was refused; correct url: and password:",
        ),
        ("postgresql://postgres@127.0.0.1/no_such", DataError, 'the database refused: .*"no_such" does not exist'),
        ("mysql://root@127.0.0.1/no_such", DataError, "the database refused: Unknown database 'no_such'"),
        ("sqlite:///no_such.db", DataError, "expected a file of SQLite, found none; correct url:"),
    ],
)
def test_logins_and_databases_that_are_not_there(
    url: str, kind: type[AfieldError], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFIELD_TEST_PASSWORD", "hunter2")
    password = None if url.startswith(("sqlite", "mysql://root")) else {"env": "AFIELD_TEST_PASSWORD"}
    declared = Sql(url=url, table="t", cursor="id", password=password)
    opened = declared.open(base=tmp_path, follow=False, labelled=False)
    with pytest.raises(AfieldError, match=message) as raised:
        next(opened.batches({}))
    assert type(raised.value) is kind
    assert "hunter2" not in str(raised.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_text("no database " * 100)
    opened = Sql(url="sqlite:///records.db", table="t", cursor="id").open(base=tmp_path, follow=False, labelled=False)
    with pytest.raises(DataError, match="the database refused: file is not a database"):
        next(opened.batches({}))
