"""Both file sinks: the suite of the seam, and a kill at every named point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import answering
import pytest
from answering import rows_of, sink_of

from afield.checks.sink import SINK_CHECKS, SinkCase, expected

KINDS = ["jsonl", "parquet"]
ROTATIONS = [{"rows": 1_000_000}, {"rows": 5}, {"rows": 1}, {"bytes": 700}]


@pytest.mark.parametrize("rotate", ROTATIONS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("check", SINK_CHECKS, ids=lambda check: check.__name__)
def test_suite(check: Callable[[SinkCase], None], kind: str, rotate: dict[str, int], tmp_path: Path) -> None:
    check(SinkCase(lambda: sink_of(kind, tmp_path, rotate=rotate), lambda: rows_of(kind, tmp_path)))


def start(kind: str, folder: Path, armed: str, commit_every: int = 1) -> int:
    command = [sys.executable, str(Path(answering.__file__)), kind, str(folder), "60", str(commit_every)]
    return subprocess.run(command, env=os.environ | {"AFIELD_KILL_AT": armed}).returncode


POINTS = ["sink half written", "sink unflushed", "sink written", "sink rotation"]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_a_named_point_loses_and_doubles_nothing(kind: str, point: str, tmp_path: Path) -> None:
    for kill in (1, 2, 3):
        assert start(kind, tmp_path, f"{point}:{kill}") == -signal.SIGKILL
    assert start(kind, tmp_path, "", commit_every=4) == 0
    assert rows_of(kind, tmp_path) == expected(0, 60)


@pytest.mark.parametrize("kind", KINDS)
def test_kills_between_commits_of_several_writes(kind: str, tmp_path: Path) -> None:
    for point in POINTS:
        assert start(kind, tmp_path, f"{point}:3", commit_every=3) == -signal.SIGKILL
    assert start(kind, tmp_path, "") == 0
    assert rows_of(kind, tmp_path) == expected(0, 60)
