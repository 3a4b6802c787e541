"""Rows that are committed late: with a lag none is passed by, and none is read twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import TIMESTAMP, Database, database_of

from afield.connectors.base import Batch
from afield.connectors.sources.sql.place import Settled
from afield.connectors.sources.sql.source import SqlSource
from afield.connectors.sources.sql.spec import Sql


@pytest.fixture(params=["postgresql", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with database_of(request.param, tmp_path) as made:
        serial = "bigserial" if made.kind == "postgresql" else "bigint auto_increment"
        now = "clock_timestamp()" if made.kind == "postgresql" else "now(6)"
        made.run(
            f"CREATE TABLE TABLE_ (id {serial} primary key, word varchar(9), made {TIMESTAMP[made.kind]} DEFAULT {now})"
        )
        yield made


class Watched:
    """A source that follows, under a clock of the test.

    Args:
        database: whose table it reads.
        position: where it starts.
        fields: of the declaration.
    """

    def __init__(self, database: Database, position: dict[str, str], **fields: Any) -> None:
        self.now = 0.0
        self.position = dict(position)
        spec = Sql(url=database.url, table=database.table, **fields)
        self._source = SqlSource(
            spec, base=database.base, follow=True, labelled=False, poll=0.001, clock=lambda: self.now
        )
        self._batches = self._source.batches(position)

    def words(self) -> list[str]:
        """What comes until it has waited three times."""
        found: list[str] = []
        idle = 0
        while idle < 3:
            batch: Batch = next(self._batches)
            found += batch.records.column("word").to_pylist()
            self.position |= batch.position
            idle = 0 if batch.records.num_rows else idle + 1
        return found

    def close(self) -> None:
        self._source.close()
        assert list(self._batches) == []


WAYS = [{"cursor": "id"}, {"cursor": "made", "key": "id"}]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_row_that_is_committed_within_the_lag_is_read_once(way: dict[str, str], database: Database) -> None:
    watched = Watched(database, {}, lag="10s", **way)
    with database.engine.connect() as late:
        late.exec_driver_sql(f"INSERT INTO {database.table} (word) VALUES ('late')")
        database.run("INSERT INTO TABLE_ (word) VALUES ('early')")
        assert watched.words() == []
        watched.now = 9.9
        assert watched.words() == []
        late.commit()
    watched.now = 10.1
    assert watched.words() == ["late", "early"]
    watched.now = 100.0
    assert watched.words() == []
    watched.close()


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_without_a_lag_it_is_passed_by(way: dict[str, str], database: Database) -> None:
    watched = Watched(database, {}, **way)
    with database.engine.connect() as late:
        late.exec_driver_sql(f"INSERT INTO {database.table} (word) VALUES ('late')")
        database.run("INSERT INTO TABLE_ (word) VALUES ('early')")
        assert watched.words() == ["early"]
        late.commit()
    assert watched.words() == []
    watched.close()


def test_a_restart_begins_the_lag_anew_and_repeats_nothing(database: Database) -> None:
    database.run("INSERT INTO TABLE_ (word) VALUES ('one')")
    first = Watched(database, {}, lag="10s", cursor="id")
    assert first.words() == []
    first.now = 10.0
    assert first.words() == ["one"]
    with database.engine.connect() as late:
        late.exec_driver_sql(f"INSERT INTO {database.table} (word) VALUES ('late')")
        database.run("INSERT INTO TABLE_ (word) VALUES ('early')")
        assert first.words() == []
        first.close()
        second = Watched(database, first.position, lag="10s", cursor="id")
        assert second.words() == []
        late.commit()
    second.now = 10.0
    assert second.words() == ["late", "early"]
    second.close()


def test_many_writers_with_transactions_of_many_lengths(database: Database) -> None:
    """Ten transactions are always open, each for less than the lag; a row comes every tenth of a second."""
    watched = Watched(database, {}, lag="1s", cursor="id", batch=7)
    open_ones: list[Any] = []
    found: list[str] = []
    for number in range(120):
        connection = database.engine.connect()
        connection.exec_driver_sql(f"INSERT INTO {database.table} (word) VALUES ('{number}')")
        open_ones.append(connection)
        watched.now = number / 10
        if len(open_ones) == 9:
            done = open_ones.pop(number * 7 % 8 if number % 8 else 0)
            done.commit()
            done.close()
            # None is open for longer than 0.9 s.
            if number % 8 == 0:
                for connection in open_ones:
                    connection.commit()
                    connection.close()
                open_ones.clear()
        found += watched.words()
    for connection in open_ones:
        connection.commit()
        connection.close()
    assert len(found) < 120
    for later in (20.0, 30.0):
        watched.now = later
        found += watched.words()
    assert found == [str(number) for number in range(120)]
    watched.close()


def test_one_that_ends_waits_for_the_lag_once(database: Database) -> None:
    database.run("INSERT INTO TABLE_ (word) VALUES ('one'), ('two')")
    source = Sql(url=database.url, table=database.table, cursor="id", lag="50ms", batch=1).open(
        base=database.base, follow=False, labelled=False, poll=0.01
    )
    words = [word for batch in source.batches({}) for word in batch.records.column("word").to_pylist()]
    assert words == ["one", "two"]


def test_what_is_settled() -> None:
    settled = Settled(10.0)
    assert settled.until(0.0) is None
    settled.saw(5, 0.0)
    settled.saw(5, 8.0)
    settled.saw(9, 9.0)
    assert [settled.until(now) for now in (9.9, 10.0, 18.9, 19.0, 99.0)] == [None, 5, 5, 9, 9]
