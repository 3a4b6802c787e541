"""The sink of databases when the database is away: what it says, and that the next write goes on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import Database, database_of, number_of
from sqlalchemy import event

from afield.checks.sink import answers, expected
from afield.connectors.sinks.sql.sink import SqlSink
from afield.connectors.sinks.sql.spec import SqlTable
from afield.errors import TransientError, UseCaseError


@pytest.fixture(params=["postgresql", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with database_of(request.param, tmp_path) as made:
        yield made


def test_a_connection_that_is_lost(database: Database) -> None:
    sink = SqlTable(url=database.url, table=database.table).open(database.base)
    assert isinstance(sink, SqlSink)
    numbers: list[int] = []
    event.listen(sink._target.engine, "connect", lambda driver, _: numbers.append(number_of(driver)))
    sink.write(answers(0, 5))
    for first in (5, 10):
        database.end_connection(numbers[-1])
        with pytest.raises(
            TransientError, match=rf"^sink\.sql: {database.kind}://.*: the connection is lost or refused: "
        ):
            sink.write(answers(first, 5))
        sink.write(answers(first, 5))
    sink.close()
    sink.close()
    assert len(numbers) == 3
    assert database.rows() == expected(0, 15)


def test_a_table_that_is_locked_for_longer_than_the_timeout(database: Database) -> None:
    sink = SqlTable(url=database.url, table=database.table, timeout="1s").open(database.base)
    sink.write(answers(0, 5))
    with database.engine.connect() as other:
        other.exec_driver_sql(f"UPDATE {database.table} SET prediction = 'other' WHERE id = 2")
        with pytest.raises(TransientError, match="a statement did not end within timeout: 1s"):
            sink.write(answers(0, 10))
        other.rollback()
    sink.write(answers(0, 10))
    sink.close()
    assert database.rows() == expected(0, 10)


def test_a_file_of_sqlite_that_another_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("afield.connectors.database.engine.BUSY_SECONDS", 0.2)
    with database_of("sqlite", tmp_path) as database:
        sink = SqlTable(url=database.url, table=database.table).open(database.base)
        sink.write(answers(0, 5))
        with database.engine.connect() as other:
            other.exec_driver_sql("BEGIN IMMEDIATE")
            with pytest.raises(TransientError, match="another process keeps it busy: database is locked"):
                sink.write(answers(5, 5))
            other.rollback()
        sink.write(answers(5, 5))
        sink.close()
        assert database.rows() == expected(0, 10)


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_server_that_is_not_there_is_asked_again_at_each_write(kind: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sink = SqlTable(url=f"{kind}://me@127.0.0.1:{taken.getsockname()[1]}/shop").open(tmp_path)
        sink.restore(None)
        for _ in range(2):
            with pytest.raises(TransientError, match=r"the connection is lost or refused: "):
                sink.write(answers(0, 5))
        sink.close()


def test_a_login_that_is_refused(tmp_path: Path) -> None:
    for kind in ("postgresql", "mysql"):
        sink = SqlTable(url=f"{kind}://nobody_of_that_name@127.0.0.1/test").open(tmp_path)
        with pytest.raises(UseCaseError, match=r"^sink\.sql: .*: the login was refused; correct url: and password:"):
            sink.write(answers(0, 5))
        sink.close()


@pytest.mark.parametrize(
    ("changes", "expected_problem"),
    [
        (
            {"url": "mysql://a:secret@b/c"},
            "a password stands in the URL; take it out, and add `password: {env: NAME}` or",
        ),
        ({"timeout": "0s"}, "expected a time above nothing, found '0s'"),
    ],
)
def test_what_check_says(changes: dict[str, Any], expected_problem: str) -> None:
    (problem,) = SqlTable(**({"url": "sqlite:///a.db"} | changes)).lint()
    assert problem.message.startswith(expected_problem)
    assert "secret" not in problem.message
