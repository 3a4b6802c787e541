"""The sink of databases against the suite of its seam, on each database; and a writer that is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import databases
import pytest
from databases import KINDS, Database, database_of

from afield.checks.sink import COMMON_CHECKS, IDEMPOTENT_CHECKS, SinkCase, expected
from afield.connectors.sinks.sql.spec import SqlTable

KILLS = 10


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with database_of(request.param, tmp_path) as made:
        yield made


@pytest.mark.parametrize("check", COMMON_CHECKS + IDEMPOTENT_CHECKS, ids=lambda check: check.__name__)
def test_suite(check: Callable[[SinkCase], None], database: Database) -> None:
    check(SinkCase(lambda: SqlTable(url=database.url, table=database.table).open(database.base), database.rows))


def start(database: Database, count: int, kill_at: str = "") -> subprocess.Popen[bytes]:
    command = [sys.executable, databases.__file__, database.url, str(database.base), database.table, str(count)]
    return subprocess.Popen(command, env=os.environ | ({"AFIELD_KILL_AT": kill_at} if kill_at else {}))


def test_killed_at_random(database: Database) -> None:
    moment = random.Random(5)
    committed = database.base / "committed.json"
    for _ in range(KILLS):
        before = committed.read_text() if committed.exists() else ""
        running = start(database, 10**9)
        deadline = time.monotonic() + 60
        while (committed.read_text() if committed.exists() else "") == before and time.monotonic() < deadline:
            assert running.poll() is None
            time.sleep(0.001)
        time.sleep(moment.uniform(0.0, 0.1))
        running.send_signal(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
    count = json.loads(committed.read_text()) + 1000
    assert start(database, count).wait() == 0
    assert database.rows() == expected(0, count)


@pytest.mark.parametrize("point", ["sink half written", "sink written"])
def test_killed_at_a_named_point(point: str, database: Database) -> None:
    for passed in (1, 2):
        assert start(database, 600, f"{point}:{passed}").wait() == -signal.SIGKILL
    assert start(database, 600).wait() == 0
    assert database.rows() == expected(0, 600)
