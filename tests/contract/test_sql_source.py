"""The source of databases against the suite of its seam, on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from databases import KINDS, TIMESTAMP, Database, database_of

from afield.checks.source import SOURCE_CHECKS, Open, check_waits_with_empty_batches
from afield.connectors.base import Source
from afield.connectors.sources.sql.spec import Sql

START = datetime(2026, 3, 1, tzinfo=UTC)

WAYS: dict[str, dict[str, Any]] = {
    "integer": {"cursor": "id"},
    "timestamp": {"cursor": "made", "key": "id"},
    "text": {"cursor": "name", "columns": ["amount"], "label": "node"},
    "key of text": {"cursor": "node", "key": "name"},
    "lag": {"cursor": "id", "lag": "20ms"},
    "query": {
        "cursor": "id",
        "query": "SELECT id, node, amount * 2 AS twice, '%' AS sign FROM TABLE_ WHERE id % 2 = 0",
    },
}


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with database_of(request.param, tmp_path) as made:
        made.run(
            "CREATE TABLE TABLE_ (id bigint primary key, name varchar(40) not null, node varchar(40), amount float, "
            f"made {TIMESTAMP[made.kind]})"
        )
        made.run(
            f"INSERT INTO TABLE_ VALUES (:id, :name, :node, :amount, {time_of(made.kind)})",
            [
                {
                    "id": 3 * number,
                    "name": f"é {number:05}",
                    "node": f"node {number // 40}",
                    "amount": None if number % 7 == 0 else number / 8,
                    "made": (START + timedelta(seconds=number // 3)).isoformat(" ", "seconds").removesuffix("+00:00"),
                }
                for number in range(250)
            ],
        )
        yield made


def time_of(kind: str) -> str:
    return "CAST(:made || '+00' AS timestamptz)" if kind == "postgresql" else ":made"


def opener(database: Database, way: str, *, follow: bool = False) -> Open:
    declared = WAYS[way] | ({} if "query" in WAYS[way] else {"table": database.table})
    if "query" in declared:
        declared |= {"query": declared["query"].replace("TABLE_", database.table)}

    def open_source() -> Source:
        spec = Sql(url=database.url, batch=60, **declared)
        assert not spec.lint()
        return spec.open(base=database.base, follow=follow, labelled="label" in declared, poll=0.005)

    return open_source


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("check", SOURCE_CHECKS, ids=lambda check: check.__name__)
def test_suite(check: Callable[[Open], None], way: str, database: Database) -> None:
    check(opener(database, way))


@pytest.mark.parametrize("way", WAYS)
def test_it_waits(way: str, database: Database) -> None:
    check_waits_with_empty_batches(opener(database, way, follow=True))
