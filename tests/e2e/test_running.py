"""`afield run` as a process: it follows, ends when told to, goes on where it stopped, and writes to its sinks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

Afield = Callable[..., subprocess.CompletedProcess[str]]

PATIENCE = 60.0
"""Seconds after which a test gives up."""
LINES = [f"postfix/smtp[{i}]: connect from example.org" for i in range(300)]


@pytest.fixture
def case(trained: Path) -> Path:
    """A trained use case with one small file of data."""
    for file in (trained / "data").iterdir():
        file.unlink()
    write(trained / "data" / "mail.log", LINES[:100])
    return trained


class Running:
    """A run that follows its folder."""

    def __init__(self, case: Path, *arguments: str) -> None:
        self.case = case
        command = [sys.executable, "-m", "afield", "run", str(case), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """The answers, once there are so many."""
        deadline = time.monotonic() + PATIENCE
        while len(found := answers(self.case)) < count and time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.stderr
            time.sleep(0.05)
        assert len(found) == count
        return found

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


@pytest.fixture
def start(case: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def begin(*arguments: str) -> Running:
        started.append(Running(case, *arguments))
        return started[-1]

    yield begin
    for running in started:
        running.process.kill()
        running.process.communicate()


def write(file: Path, lines: list[str]) -> None:
    with file.open("a") as out:
        out.write("".join(f"{line}\n" for line in lines))


def answers(case: Path, folder: str = "answers") -> list[dict[str, Any]]:
    files = sorted((case / folder).glob("answers-*.jsonl"))
    lines = [line for file in files for line in file.read_text().splitlines(keepends=True)]
    return [json.loads(line) for line in lines if line.endswith("\n")]


def positions(found: list[dict[str, Any]]) -> list[str]:
    return [answer["position"] for answer in found]


def test_it_follows_ends_and_goes_on(case: Path, start: Callable[..., Running]) -> None:
    data = case / "data"
    running = start()
    running.wait_for(100)
    write(data / "mail.log", LINES[:20])
    running.wait_for(120)
    write(data / "new.log", LINES[:30])
    running.wait_for(150)
    (data / "mail.log").rename(data / "mail.log.1")
    write(data / "mail.log.1", LINES[:5])
    write(data / "mail.log", LINES[:10])
    found = running.wait_for(165)
    assert positions(found)[:120] == [f"data/mail.log:{line}" for line in range(1, 121)]
    assert sorted(positions(found)[120:150]) == sorted(f"data/new.log:{line}" for line in range(1, 31))
    with (data / "new.log").open("a") as half:
        half.write("half a li")
    code, out, err = running.end()
    assert (code, out) == (0, "")
    assert err.startswith("answered 165 records in ")
    with (data / "new.log").open("a") as half:
        half.write("ne\n")
    write(data / "mail.log", LINES[:7])
    again = start("--json")
    found = again.wait_for(173)
    code, out, err = again.end(signal.SIGINT)
    assert (code, json.loads(out)["answered"], err) == (0, 8, "")
    assert sorted(positions(found[165:])) == sorted(
        ["data/new.log:31", *(f"data/mail.log:{line}" for line in range(11, 18))]
    )
    assert len({answer["id"] for answer in found}) == 173


def test_skip_existing(case: Path, start: Callable[..., Running], afield: Afield) -> None:
    running = start("--skip-existing")
    deadline = time.monotonic() + PATIENCE
    while not (case / "answers").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    write(case / "data" / "mail.log", LINES[:20])
    found = running.wait_for(20)
    assert positions(found) == [f"data/mail.log:{line}" for line in range(101, 121)]
    assert running.end()[0] == 0
    # It is the first run alone that skips.
    write(case / "data" / "mail.log", LINES[:5])
    assert json.loads(afield("run", case, "--skip-existing", "--once", "--json").stdout)["answered"] == 5


def test_skip_existing_where_nothing_exists(case: Path, start: Callable[..., Running]) -> None:
    (case / "data" / "mail.log").unlink()
    running = start("--skip-existing")
    deadline = time.monotonic() + PATIENCE
    while not (case / "answers").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    write(case / "data" / "mail.log", LINES[:20])
    running.wait_for(20)


def test_once(case: Path, afield: Afield) -> None:
    first = afield("run", case, "--once")
    assert first.stdout == ""
    assert first.stderr.startswith("answered 100 records in ")
    assert afield("run", case, "--once").stderr.startswith("answered 0 records in ")
    found = answers(case)
    assert list(found[0]) == ["id", "prediction", "probability", "version", "position"]
    assert found[0]["version"] == "v1"


def test_two_sinks(case: Path, afield: Afield) -> None:
    both = "sink=[jsonl: {path: lines}, parquet: {path: tables, rotate: {rows: 60}}]"
    afield("run", case, "--once", "--set", both)
    write(case / "data" / "mail.log", LINES[:50])
    afield("run", case, "--once", "--set", both)
    rows = [row for file in sorted((case / "tables").glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    lines = answers(case, "lines")
    assert positions(rows) == positions(lines) == [f"data/mail.log:{line}" for line in range(1, 151)]
    for key in ("id", "prediction", "version"):
        assert [row[key] for row in rows] == [line[key] for line in lines]


def test_the_version_that_is_named_answers(case: Path, afield: Afield) -> None:
    write(case / "data" / "other.log", [f"something else {i}" for i in range(50)])
    afield("train", case, "--set", "model.network.0.dense.units=16", "--set", "train.epochs=1")
    afield("run", case, "--once", "--version", "v1")
    write(case / "data" / "mail.log", LINES[:10])
    afield("run", case, "--once")
    assert [answer["version"] for answer in answers(case)] == ["v1"] * 150 + ["v2"] * 10
