"""The table of answers: how it is made, what it may look like, and what it gets later."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from databases import KINDS, Database, database_of

from afield.connectors.sinks.sql.sink import SqlSink
from afield.connectors.sinks.sql.spec import SqlTable
from afield.errors import DataError


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with database_of(request.param, tmp_path) as made:
        yield made


def sink(database: Database, **fields: Any) -> SqlSink:
    opened = SqlTable(**({"url": database.url, "table": database.table} | fields)).open(database.base)
    assert isinstance(opened, SqlSink)
    return opened


def write(database: Database, *batches: pa.RecordBatch) -> None:
    opened = sink(database)
    try:
        for batch in batches:
            opened.write(batch)
    finally:
        opened.close()


def batch(names: list[str], **more: Any) -> pa.RecordBatch:
    """Answers as `afield run` gives them."""
    columns = {
        "id": pa.array([f"shop.events:{name}" for name in names]),
        "prediction": pa.array(["good"] * len(names)).dictionary_encode(),
        "probability": pa.array([0.25] * len(names), pa.float32()),
        "version": pa.DictionaryArray.from_arrays(pa.array([0] * len(names), pa.int8()), pa.array(["v1"])),
    }
    return pa.RecordBatch.from_pydict(columns | more)


def test_the_table_is_made_with_the_types_of_the_answers(database: Database) -> None:
    moment = datetime(2026, 3, 1, 10, 0, 0, 250_000)
    more = {
        "count": pa.array([2**62]),
        "good": pa.array([True]),
        "day": pa.array([date(2026, 3, 1)]),
        "plain": pa.array([moment], pa.timestamp("us")),
        "zoned": pa.array([moment.replace(tzinfo=UTC)], pa.timestamp("us", "UTC")),
        "tags": pa.array([["a", "é"]]),
        "position": pa.array(["x" * 100_000]),
        "100% of: it": pa.array([1.5]),
    }
    write(database, batch(["1"], **more), batch(["1"], **more))
    (found,) = database.rows()
    times = {
        "postgresql": {"day": date(2026, 3, 1), "plain": moment, "zoned": moment.replace(tzinfo=UTC)},
        "mariadb": {"day": date(2026, 3, 1), "plain": moment, "zoned": moment},
        "sqlite": {
            "day": "2026-03-01",
            "plain": "2026-03-01T10:00:00.250000",
            "zoned": "2026-03-01T10:00:00.250000+00:00",
        },
    }[database.kind]
    assert found == {
        "id": "shop.events:1",
        "prediction": "good",
        "probability": 0.25,
        "version": "v1",
        "count": 2**62,
        "good": True,
        "tags": '["a","é"]',
        "position": "x" * 100_000,
        "100% of: it": 1.5,
        **times,
    }


def test_ids_that_a_collation_takes_for_one_are_two(database: Database) -> None:
    write(database, batch(["a", "A", "á", "aé"]))
    assert len(database.rows()) == 4


def test_numbers_that_are_none(database: Database) -> None:
    write(database, batch(["1", "2"], score=pa.array([math.nan, math.inf])))
    first, second = [row["score"] for row in database.rows()]
    if database.kind == "postgresql":
        assert math.isnan(first)
    else:
        assert first is None
    assert second == (None if database.kind == "mariadb" else math.inf)


def test_a_zero_byte_in_a_text(database: Database) -> None:
    write(database, batch(["1"], note=pa.array(["a\x00b"])))
    assert database.rows()[0]["note"] == ("a�b" if database.kind == "postgresql" else "a\x00b")


def test_columns_that_come_later_are_added(database: Database) -> None:
    write(database, batch(["1"]))
    opened = sink(database)
    opened.write(batch(["2"]))
    opened.write(batch(["3"], other=pa.array([0.5], pa.float32()), **{"a b%": pa.array(["x"])}))
    opened.write(batch(["4"]))
    opened.write(batch(["1"], other=pa.array([1.0], pa.float32())))
    opened.close()
    assert [(row["other"], row["a b%"]) for row in database.rows()] == [
        (1.0, None),
        (None, None),
        (0.5, "x"),
        (None, None),
    ]


def test_columns_that_others_have_added_are_left_alone(database: Database) -> None:
    write(database, batch(["1"]))
    database.run("ALTER TABLE TABLE_ ADD COLUMN seen integer DEFAULT 7")
    write(database, batch(["1", "2"]))
    assert [row["seen"] for row in database.rows()] == [7, 7]


def test_a_table_of_something_else_is_refused(database: Database) -> None:
    database.run("CREATE TABLE TABLE_ (id integer primary key, name varchar(9))")
    with pytest.raises(DataError) as raised:
        write(database, batch(["1"]))
    assert str(raised.value).split(f"table {database.table}: ")[1] == (
        "expected a table of answers, with the columns id and prediction, found no 'prediction' among id, name; "
        "name another with table:, it is made where it is not there"
    )


def test_a_table_whose_id_is_not_unique_is_refused(database: Database) -> None:
    database.run("CREATE TABLE TABLE_ (id varchar(99), prediction varchar(9))")
    with pytest.raises(DataError, match="expected id as its primary key, so that an answer is kept once; make it that"):
        write(database, batch(["1"]))
    database.run("ALTER TABLE TABLE_ ADD COLUMN more integer")
    with pytest.raises(DataError, match="expected id as its primary key"):
        write(database, batch(["1"]))


def test_a_column_of_another_kind_is_refused(database: Database) -> None:
    database.run("CREATE TABLE TABLE_ (id varchar(99) primary key, prediction integer)")
    with pytest.raises(DataError, match="column 'prediction': expected text, as the answers have, found INTEGER"):
        write(database, batch(["1"]))


def test_a_table_that_a_person_made_is_written_to(database: Database) -> None:
    database.run(
        "CREATE TABLE TABLE_ (id varchar(99) primary key, prediction varchar(20), probability real, version char(2))"
    )
    write(database, batch(["1", "2"]), batch(["2", "3"]))
    assert [(row["id"], row["prediction"], row["probability"]) for row in database.rows()] == [
        (f"shop.events:{name}", "good", 0.25) for name in "123"
    ]


def test_a_row_that_the_database_refuses_leaves_nothing_of_its_batch(database: Database) -> None:
    database.run("CREATE TABLE TABLE_ (id varchar(99) primary key, prediction varchar(20) check (prediction <> 'odd'))")
    answers = pa.record_batch(
        {"id": pa.array(["1", "2"]), "prediction": pa.array(["good", "odd"]), "note": pa.array(["", "private"])}
    )
    opened = sink(database)
    with pytest.raises(DataError, match="the database refused: ") as raised:
        opened.write(answers)
    assert "private" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert database.rows() == []
    opened.write(answers.slice(0, 1))
    opened.close()
    assert len(database.rows()) == 1


def test_a_text_that_is_too_long_is_not_cut(tmp_path: Path) -> None:
    for kind in ("postgresql", "mariadb"):
        with database_of(kind, tmp_path) as database:
            database.run("CREATE TABLE TABLE_ (id varchar(99) primary key, prediction varchar(3))")
            with pytest.raises(DataError, match=r"(?i)too long"):
                write(database, pa.record_batch({"id": ["1"], "prediction": ["good"]}))
            assert database.rows() == []


def test_types_that_a_person_chose(tmp_path: Path) -> None:
    with database_of("postgresql", tmp_path) as database:
        database.run(
            "CREATE TABLE TABLE_ (id char(8) primary key, prediction text, price numeric(9, 2), small smallint,"
            " note jsonb, at timestamp(0) with time zone)"
        )
        answers = {
            "id": ["1"],
            "prediction": ["good"],
            "price": [1.256],
            "small": pa.array([3]),
            "note": ['{"a": 1}'],
            "at": [datetime(2026, 3, 1, tzinfo=UTC)],
        }
        write(database, *[pa.RecordBatch.from_pydict(answers)] * 2)
        (found,) = database.rows()
        assert found == {
            "id": "1       ",
            "prediction": "good",
            "price": Decimal("1.26"),
            "small": 3,
            "note": {"a": 1},
            "at": datetime(2026, 3, 1, tzinfo=UTC),
        }


def test_a_name_that_the_database_would_cut_is_refused(tmp_path: Path) -> None:
    with database_of("postgresql", tmp_path) as database:
        with pytest.raises(DataError, match=r"expected names of columns of at most 63 bytes, found 'xxx"):
            write(database, batch(["1"], **{"x" * 64: pa.array([1])}))
        assert database.rows() == []


def test_many_that_begin_at_once_make_one_table(database: Database) -> None:
    errors: list[BaseException] = []
    ready = threading.Barrier(4)

    def begin(number: int) -> None:
        try:
            ready.wait(timeout=30)
            write(
                database, batch([f"{number}-{row}" for row in range(20)], **{f"of_{number % 2}": pa.array([1.0] * 20)})
            )
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(database.rows()) == 80


def test_a_table_in_a_schema(tmp_path: Path) -> None:
    for kind, schema in (("postgresql", "public"), ("mariadb", "test")):
        with database_of(kind, tmp_path) as database:
            opened = sink(database, table=f"{schema}.{database.table}")
            opened.write(batch(["1"]))
            opened.write(batch(["1"], more=pa.array([1])))
            opened.close()
            assert len(database.rows()) == 1
