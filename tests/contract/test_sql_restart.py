"""A database that asks for a password, and that stops and starts again under a reader and a writer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from own_postgresql import PASSWORD, Server, own_postgresql

from afield.checks.sink import answers
from afield.connectors.sinks.sql.spec import SqlTable
from afield.connectors.sources.sql.spec import Sql
from afield.errors import TransientError, UseCaseError

SECRET = {"env": "AFIELD_TEST_PASSWORD"}
Result = TypeVar("Result")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_postgresql() as running:
        yield running


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_wrong_password(
    password: str | None, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFIELD_TEST_PASSWORD", password or "")
    sink = SqlTable(url=server.url, password=SECRET if password else None).open(tmp_path)
    with pytest.raises(UseCaseError) as raised:
        sink.write(answers(0, 1))
    assert str(raised.value).startswith(
        f"sink.sql: {server.url}: the login was refused; correct url: and password: (connection failed: "
    )
    assert "wrong" not in str(raised.value)


def test_stopped_and_started_under_a_reader_and_a_writer(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFIELD_TEST_PASSWORD", PASSWORD)
    trouble: list[str] = []
    done = threading.Event()
    batches, rows = 300, 20
    sink = SqlTable(url=server.url, password=SECRET, table="restarted").open(tmp_path)
    sink.write(answers(0, rows))

    def write() -> None:
        for number in range(1, batches):
            patiently(lambda number=number: sink.write(answers(number * rows, rows)), trouble)
            time.sleep(0.01)
        done.set()

    def stop_and_start() -> None:
        for _ in range(2):
            time.sleep(0.5)
            server.stop()
            time.sleep(0.3)
            server.start()

    threads = [threading.Thread(target=target) for target in (write, stop_and_start)]
    for thread in threads:
        thread.start()
    found: list[int] = []
    position: dict[str, str] = {}

    def read() -> None:
        declared = Sql(url=server.url, password=SECRET, table="restarted", cursor="id", batch=50)
        source = declared.open(base=tmp_path, follow=True, labelled=False, poll=0.01)
        for batch in source.batches(position):
            found.extend(batch.records.column("id").to_pylist())
            position.update(batch.position)
            if done.is_set() and not batch.records.num_rows and len(found) >= batches * rows:
                source.close()

    patiently(read, trouble)
    for thread in threads:
        thread.join()
    sink.close()
    assert found == list(range(batches * rows))
    assert {message.split(":")[0] for message in trouble} == {"source.sql", "sink.sql"}


def patiently(action: Callable[[], Result], trouble: list[str]) -> Result:
    """Does it until no trouble comes that may pass, as a run does."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return action()
        except TransientError as error:
            assert time.monotonic() < deadline
            trouble.append(str(error))
            time.sleep(0.02)
