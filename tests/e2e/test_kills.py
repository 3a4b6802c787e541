"""A run that is killed at any moment: every line is answered once and only once."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from afield.gallery.logs.simulator import fresh_lines

LINES_A_FILE = 500


class Lines:
    """Writes lines to log files that are rotated now and then, and knows how many there are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts = [line for _, line in fresh_lines(LINES_A_FILE, seed=1)]
        self._files = 0
        self.written = 0

    def write(self, lines: int) -> None:
        """Adds lines to a file that goes on growing and is rotated now and then, and to new small files."""
        growing = self._folder / "growing.log"
        self._append(growing, lines // 5)
        left = lines - lines // 5
        while left:
            part = min(left, LINES_A_FILE)
            self._files += 1
            self._append(self._folder / f"file-{self._files:05}.log", part)
            left -= part
        if self._files % 5 == 0:
            growing.rename(self._folder / f"growing-{self._files:05}.log")

    def offsets(self) -> list[list[int]]:
        """Where the lines of each file start."""
        found: list[list[int]] = []
        for file in self._folder.iterdir():
            ends = [0, *(match.end() for match in re.finditer(rb"\n", file.read_bytes()))]
            found.append(ends[:-1])
        return sorted(found)

    def _append(self, path: Path, lines: int) -> None:
        with path.open("a") as file:
            for _ in range(lines):
                self.written += 1
                print(f"{self._texts[self.written % len(self._texts)]} line {self.written}", file=file)


@pytest.fixture
def case(trained: Path) -> Path:
    for file in (trained / "data").iterdir():
        file.unlink()
    return trained


ROTATED = ("--set", "sink.0.jsonl.rotate.rows=3000")


def start(case: Path, *arguments: str, kill_at: str = "") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "afield", "run", str(case), *ROTATED, *arguments]
    environment = os.environ | ({"AFIELD_KILL_AT": kill_at} if kill_at else {})
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def answers(case: Path) -> list[dict[str, object]]:
    files = sorted((case / "answers").glob("answers-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def size_of(case: Path) -> int:
    return sum(file.stat().st_size for file in (case / "answers").glob("answers-*") if file.exists())


def assert_each_once(case: Path, lines: Lines) -> None:
    """Every line of every file, under whatever name it was read, has one answer, and nothing else has."""
    streams: dict[str, list[int]] = {}
    for answer in answers(case):
        stream, _, offset = str(answer["id"]).rpartition(":")
        streams.setdefault(stream, []).append(int(offset))
    answered = sorted(sorted(offsets) for offsets in streams.values())
    assert sum(map(len, answered)) == lines.written
    assert answered == lines.offsets()


def kill_at_random(case: Path, lines: Lines, kills: int, lines_a_kill: int, seed: int) -> None:
    moment = random.Random(seed)
    for _ in range(kills):
        lines.write(lines_a_kill)
        running = start(case)
        before, deadline = size_of(case), time.monotonic() + 60
        # Half of the kills come while the process starts or waits, half just after it has begun to answer.
        if moment.random() < 0.5:
            time.sleep(moment.uniform(0.0, 2.0))
        else:
            while size_of(case) == before and running.poll() is None and time.monotonic() < deadline:
                time.sleep(0.0005)
            time.sleep(moment.uniform(0.0, 0.03))
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert start(case, "--once").wait(timeout=300) == 0


def test_killed_at_random(case: Path) -> None:
    lines = Lines(case / "data")
    kill_at_random(case, lines, kills=8, lines_a_kill=1_000, seed=1)
    assert_each_once(case, lines)


@pytest.mark.long
def test_killed_200_times_over_200_000_lines(case: Path) -> None:
    lines = Lines(case / "data")
    kill_at_random(case, lines, kills=200, lines_a_kill=1_000, seed=2)
    assert lines.written == 200_000
    assert_each_once(case, lines)


@pytest.mark.parametrize(
    "point",
    ["sink half written:2", "sink written:2", "answered:2", "checkpoint:3", "committed:2", "sink rotation:1"],
)
def test_killed_at_a_named_point(case: Path, point: str) -> None:
    lines = Lines(case / "data")
    lines.write(10_000)
    assert start(case, "--once", kill_at=point).wait(timeout=60) == -signal.SIGKILL
    assert start(case, "--once", kill_at=point).wait(timeout=60) in (-signal.SIGKILL, 0)
    assert start(case, "--once").wait(timeout=60) == 0
    assert_each_once(case, lines)


def test_a_second_run_of_the_same_use_case_is_refused(case: Path) -> None:
    Lines(case / "data").write(1_000)
    first = start(case)
    try:
        deadline = time.monotonic() + 60
        while not size_of(case) and time.monotonic() < deadline:
            time.sleep(0.05)
        second = subprocess.run(
            [sys.executable, "-m", "afield", "run", str(case), "--once"], capture_output=True, text=True, check=False
        )
        assert second.returncode == 1
        expected = f"afield: error: {case}: `afield run` of this use case runs already, as process"
        assert second.stderr.startswith(expected)
    finally:
        first.terminate()
        assert first.wait(timeout=30) == 0
