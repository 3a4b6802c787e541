"""What rows of each database become: types, texts, values that do not fit, and places."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from databases import KINDS, Database, database_of

from afield.connectors.base import LABEL, OFFSET, Batch
from afield.connectors.sources.sql.place import Place
from afield.connectors.sources.sql.spec import Sql
from afield.errors import DataError, StateError


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with database_of(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[Database]:
    with database_of("postgresql", tmp_path) as made:
        yield made


@pytest.fixture
def mariadb(tmp_path: Path) -> Iterator[Database]:
    with database_of("mariadb", tmp_path) as made:
        yield made


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    with database_of("sqlite", tmp_path) as made:
        yield made


def read(database: Database, position: dict[str, str] | None = None, **fields: Any) -> list[Batch]:
    declared = {"url": database.url, "cursor": "id"} | ({} if "query" in fields else {"table": database.table}) | fields
    source = Sql(**declared).open(base=database.base, follow=False, labelled="label" in fields)
    return list(source.batches(position or {}))


def row(database: Database, **fields: Any) -> tuple[dict[str, Any], dict[str, pa.DataType]]:
    (batch,) = read(database, **fields)
    (found,) = batch.records.to_pylist()
    types = {field.name: field.type for field in batch.records.schema if not field.name.startswith("_")}
    return {name: found[name] for name in types}, types


def test_types_of_postgresql(postgresql: Database) -> None:
    postgresql.run(
        "CREATE TABLE TABLE_ AS SELECT 1::int AS id, 1.5::numeric(9, 2) AS price, 2::smallint AS small, 0.5::real AS r,"
        " true AS good, 'é'::text AS word, 'x'::varchar AS v, '2026-03-01 10:00:00.25'::timestamp AS plain,"
        " '2026-03-01 10:00:00+02'::timestamptz AS zoned, '2026-03-01'::date AS day, '\\x00ff'::bytea AS raw,"
        " '{\"a\": 1}'::jsonb AS json, '10:00'::time AS hour, array[1, 2] AS list, null::float8 AS nothing,"
        " '6ecd8c99-4036-403d-bf84-cf8400f67836'::uuid AS uuid, '1 hour'::interval AS span, '10.0.0.1'::inet AS ip"
    )
    found, types = row(postgresql)
    assert found == {
        "id": 1,
        "price": 1.5,
        "small": 2,
        "r": 0.5,
        "good": True,
        "word": "é",
        "v": "x",
        "plain": datetime(2026, 3, 1, 10, 0, 0, 250_000),
        "zoned": datetime(2026, 3, 1, 8, tzinfo=UTC),
        "day": date(2026, 3, 1),
        "raw": "00ff",
        "json": '{"a": 1}',
        "hour": "10:00:00",
        "list": "[1,2]",
        "nothing": None,
        "uuid": "6ecd8c99-4036-403d-bf84-cf8400f67836",
        "span": "01:00:00",
        "ip": "10.0.0.1",
    }
    assert types["price"] == types["r"] == types["nothing"] == pa.float64()
    assert types["plain"] == pa.timestamp("us")
    assert types["zoned"] == pa.timestamp("us", "UTC")


def test_types_of_mariadb(mariadb: Database) -> None:
    mariadb.run(
        "CREATE TABLE TABLE_ (id bigint, price decimal(9, 2), tiny tinyint(1), f double, word text, code varchar(9), "
        "`when` datetime(6), stamp timestamp, day date, raw blob, doc json, span time, y year, zero datetime)"
    )
    mariadb.run(
        "SET STATEMENT sql_mode = '' FOR INSERT INTO TABLE_ VALUES (1, 1.5, 1, 0.5, 'é', 'x', '2026-03-01 10:00:00.25',"
        " from_unixtime(0 + 1772359200), '2026-03-01', x'00ff', '{\"a\"\\: 1}', '01:00:00', 2026, '0000-00-00')"
    )
    found, types = row(mariadb)
    assert found == {
        "id": 1,
        "price": 1.5,
        "tiny": 1,
        "f": 0.5,
        "word": "é",
        "code": "x",
        "when": datetime(2026, 3, 1, 10, 0, 0, 250_000),
        "stamp": datetime(2026, 3, 1, 10, tzinfo=UTC),
        "day": date(2026, 3, 1),
        "raw": "00ff",
        "doc": '{"a": 1}',
        "span": "1:00:00",
        "y": 2026,
        "zero": None,
    }
    assert types["price"] == pa.float64()
    assert types["when"] == types["zero"] == pa.timestamp("us")


def test_types_of_sqlite(sqlite: Database) -> None:
    sqlite.run("CREATE TABLE TABLE_ (id integer primary key, n numeric(9, 2), t text, at datetime, raw blob, free)")
    sqlite.run("INSERT INTO TABLE_ VALUES (1, 2, 'é', '2026-03-01', x'00ff', 0.5)")
    found, types = row(sqlite)
    assert found == {"id": 1, "n": 2.0, "t": "é", "at": "2026-03-01", "raw": "00ff", "free": 0.5}
    assert types["n"] == types["free"] == pa.float64()


def test_times_of_sqlite_are_what_they_are_stored_as(sqlite: Database) -> None:
    sqlite.run("CREATE TABLE TABLE_ (id integer primary key, at timestamp, day date, never date)")
    sqlite.run("INSERT INTO TABLE_ VALUES (1, 1772359200, '2026-03-01', NULL)")
    found, types = row(sqlite)
    assert found == {"id": 1, "at": 1772359200, "day": "2026-03-01", "never": None}
    assert types["at"] == pa.int64()


def test_values_that_do_not_fit_are_refused_and_the_rest_is_read(sqlite: Database) -> None:
    sqlite.run("CREATE TABLE TABLE_ (id integer primary key, n integer)")
    sqlite.run("INSERT INTO TABLE_ VALUES (1, 10), (2, 'many'), (3, NULL), (4, 2.5)")
    (batch,) = read(sqlite)
    assert batch.records.column("id").to_pylist() == [1, 3]
    assert [(one.stream, one.offset, one.reason) for one in batch.refused] == [
        (f"records.{sqlite.table}", 2, "column 'n': expected int64, found 'many'"),
        (f"records.{sqlite.table}", 4, "column 'n': expected int64, found '2.5'"),
    ]
    assert batch.refused[0].content == b'{"id":"2","n":"many"}'
    assert json.loads(batch.position[f"records.{sqlite.table}"]) == {"id": 4}


def test_times_that_python_has_not_are_refused(postgresql: Database) -> None:
    postgresql.run("CREATE TABLE TABLE_ AS SELECT 1 AS id, 'infinity'::timestamptz AS at UNION SELECT 2, 'epoch'")
    (batch,) = read(postgresql)
    assert batch.records.column("at").to_pylist() == [datetime(1970, 1, 1, tzinfo=UTC)]
    assert [one.reason for one in batch.refused] == ["column 'at': expected timestamp[us, tz=UTC], found 'infinity'"]


def test_columns_and_label(database: Database) -> None:
    database.run("CREATE TABLE TABLE_ (id bigint primary key, node varchar(9), state integer, extra integer)")
    database.run("INSERT INTO TABLE_ VALUES (7, 'a', 1, 9), (8, 'b', NULL, 9)")
    (batch,) = read(database, columns=["node"], label="state")
    assert batch.records.schema.names == ["_stream", "_offset", "node", "_label"]
    assert batch.records.column(LABEL).to_pylist() == ["1", None]
    assert batch.records.column(OFFSET).to_pylist() == [7, 8]


def test_the_label_is_not_told_among_the_columns(database: Database) -> None:
    database.run("CREATE TABLE TABLE_ (id bigint primary key, state integer)")
    database.run("INSERT INTO TABLE_ VALUES (7, 1)")
    for fields in ({}, {"columns": ["id", "state"]}):
        (batch,) = read(database, label="state", **fields)
        assert batch.records.schema.names == ["_stream", "_offset", "id", "_label"]


def test_reserved_names_are_refused(database: Database) -> None:
    database.run("CREATE TABLE TABLE_ (id bigint primary key, _label integer)")
    with pytest.raises(DataError, match="the name of column '_label' is reserved for where a record came from; rename"):
        read(database)
    assert read(database, columns=["id"]) == []


def test_names_that_need_quotes(database: Database) -> None:
    q = "`" if database.kind == "mariadb" else '"'
    database.run(f"CREATE TABLE TABLE_ ({q}the id{q} bigint primary key, {q}100%{q} integer, {q}Order{q} integer)")
    database.run("INSERT INTO TABLE_ VALUES (1, 2, 3)")
    (batch,) = read(database, cursor="the id", columns=["100%", "Order"])
    assert batch.records.select(["100%", "Order"]).to_pylist() == [{"100%": 2, "Order": 3}]
    assert batch.position == {f"{'records' if database.kind == 'sqlite' else 'test'}.{database.table}": '{"the id": 1}'}


def test_rows_without_cursor_are_not_read(database: Database) -> None:
    database.run("CREATE TABLE TABLE_ (id bigint, node varchar(9))")
    database.run("INSERT INTO TABLE_ VALUES (NULL, 'a'), (1, 'b')")
    assert [batch.records.column("node").to_pylist() for batch in read(database)] == [["b"]]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"cursor": "missing"}, "cursor: expected one of id, node, found 'missing'"),
        ({"key": "missing"}, "key: expected one of id, node, found 'missing'"),
        ({"columns": ["id", "missing"]}, "columns: expected one of id, node, found 'missing'"),
        ({"label": "missing"}, "label: expected one of id, node, found 'missing'"),
    ],
)
def test_a_column_that_is_not_there(fields: dict[str, Any], found: str, database: Database) -> None:
    database.run("CREATE TABLE TABLE_ (id bigint, node varchar(9))")
    with pytest.raises(DataError) as raised:
        read(database, **fields)
    assert str(raised.value).endswith(found)
    assert str(raised.value).startswith(f"source.sql: {database.kind}://")


def test_a_cursor_that_is_not_unique_needs_a_key(database: Database) -> None:
    database.run("CREATE TABLE TABLE_ (id bigint, node varchar(9))")
    database.run("INSERT INTO TABLE_ VALUES (1, 'a'), (2, 'b'), (2, 'c'), (3, NULL)")
    for batch in (1, 2, 100):
        with pytest.raises(
            DataError, match=r'two rows have the same id, {"id": 2}; add key:, a column that tells them a'
        ):
            read(database, batch=batch)
    with pytest.raises(
        DataError, match="expected a key in every row, found NULL in 'node'; take another column as key:"
    ):
        read(database, key="node")


def test_a_cursor_of_fractions_is_refused(database: Database) -> None:
    database.run("CREATE TABLE TABLE_ (id double precision)")
    database.run("INSERT INTO TABLE_ VALUES (1.5)")
    with pytest.raises(
        DataError, match=r"column 'id': expected an integer of 64 bits, a timestamp, .*, found '1.5' \(fl"
    ):
        read(database)


def test_two_columns_of_one_name(postgresql: Database) -> None:
    with pytest.raises(DataError, match=r"two columns are called 'id'; rename one in query: with AS"):
        read(postgresql, query="SELECT 1 AS id, 2 AS id")


def test_a_query_may_hold_what_looks_like_places_of_values(database: Database) -> None:
    database.run("CREATE TABLE TABLE_ (id bigint)")
    query = "SELECT 1 AS id, '100% of :it ?' AS word, 5 % 3 AS rest -- the end;"
    (batch,) = read(database, query=query, stream="mine")
    assert batch.records.select(["word", "rest"]).to_pylist() == [{"word": "100% of :it ?", "rest": 2}]
    assert batch.position == {"mine": '{"id": 1}'}


def test_the_position_is_of_these_columns(sqlite: Database) -> None:
    sqlite.run("CREATE TABLE TABLE_ (id integer primary key, n integer)")
    stream = f"records.{sqlite.table}"
    with pytest.raises(StateError, match=r"expected id and n, as cursor: and key: of source.sql say, found id; change"):
        read(sqlite, {stream: '{"id": 4}'}, key="n")
    for text in ("", "5", '{"id": null}', '{"id": {"time": "x"}}', '{"id": {"odd": 1}}', '{"id": {}}'):
        with pytest.raises(StateError, match="expected a row of a table, found"):
            read(sqlite, {stream: text})


@pytest.mark.parametrize(
    "values",
    [(5,), ("é",), (datetime(2026, 3, 1, 1, 2, 3, 4),), (datetime(2026, 3, 1, tzinfo=UTC), 7), (date(2026, 1, 2),)],
)
def test_places_are_read_as_they_were_written(values: tuple[Any, ...]) -> None:
    place = Place(("a", "b")[: len(values)], values)
    again = Place.loads(place.names, "s", place.dumps())
    assert again == place
    assert -(2**63) <= place.offset < 2**63


def test_offsets() -> None:
    assert Place(("a",), (5,)).offset == 5
    assert Place(("a",), (datetime(1970, 1, 1, 0, 0, 1),)).offset == 1_000_000
    assert Place(("a",), (date(1970, 1, 2),)).offset == 86_400_000_000
    assert Place(("a", "b"), (5, 6)).offset != Place(("a", "b"), (5, 7)).offset


def test_numbers_of_the_driver_become_floats(mariadb: Database) -> None:
    assert Decimal("1.10") != 1.1
    found, _ = row(mariadb, query="SELECT 1 AS id, CAST(1.10 AS decimal(9, 2)) AS price")
    assert found["price"] == 1.1
