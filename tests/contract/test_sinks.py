"""Both file sinks: the suite of the seam, and a kill at every named point; and sinks that the suite must catch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import answering
import orjson
import pyarrow as pa
import pytest
from answering import rows_of, sink_of

from afield.checks.sink import (
    COMMON_CHECKS,
    IDEMPOTENT_CHECKS,
    REPEATING_CHECKS,
    SINK_CHECKS,
    SinkCase,
    check_given_again,
    check_given_again_within_a_batch,
    check_given_again_without_a_mark,
    check_repeats_the_same,
    expected,
)

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


class Kept:
    """Keeps an answer once, by its id."""

    idempotent: ClassVar[bool] = True

    def __init__(self, place: dict[str, Any]) -> None:
        self.place = place

    def restore(self, mark: str | None) -> None: ...

    def write(self, answers: pa.RecordBatch) -> str:
        self.place.update({row["id"]: row for row in answers.to_pylist()})
        return ""

    def close(self) -> None: ...


class Repeating(Kept):
    """Keeps whatever it is given."""

    idempotent: ClassVar[bool] = False

    def write(self, answers: pa.RecordBatch) -> str:
        for row in answers.to_pylist():
            self.place[str(len(self.place))] = row
        return ""


class ByBatch(Kept):
    """Knows the last batch again, and no other."""

    def write(self, answers: pa.RecordBatch) -> str:
        if self.place.get("last") == answers.to_pylist():
            return ""
        self.place["last"] = answers.to_pylist()
        self.place.setdefault("rows", []).extend(answers.to_pylist())
        return ""


class StartsAnew(Kept):
    def restore(self, mark: str | None) -> None:
        if mark is None:
            self.place.clear()

    def write(self, answers: pa.RecordBatch) -> str:
        super().write(answers)
        return "mark"


def case_of(kind: Callable[[dict[str, Any]], Any]) -> SinkCase:
    place: dict[str, Any] = {}

    def rows() -> list[dict[str, Any]]:
        return place["rows"] if "rows" in place else list(place.values())

    return SinkCase(lambda: kind(place), rows, lambda: [orjson.dumps(row) for row in rows()])


@pytest.mark.parametrize("check", COMMON_CHECKS + IDEMPOTENT_CHECKS, ids=lambda check: check.__name__)
def test_suite_of_idempotent_sinks(check: Callable[[SinkCase], None]) -> None:
    check(case_of(Kept))


@pytest.mark.parametrize("check", COMMON_CHECKS + REPEATING_CHECKS, ids=lambda check: check.__name__)
def test_suite_of_repeating_sinks(check: Callable[[SinkCase], None]) -> None:
    check(case_of(Repeating))


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        (check_given_again, Repeating),
        (check_given_again, ByBatch),
        (check_given_again_within_a_batch, ByBatch),
        (check_given_again_without_a_mark, StartsAnew),
        (check_repeats_the_same, Kept),
    ],
)
def test_the_suite_catches(check: Callable[[SinkCase], None], kind: Callable[[dict[str, Any]], Any]) -> None:
    with pytest.raises(AssertionError):
        check(case_of(kind))


def test_bytes_that_differ_are_caught() -> None:
    case = case_of(Repeating)
    numbered = SinkCase(case.open, case.read, lambda: [b"%d" % number for number, _ in enumerate(case.read())])
    with pytest.raises(AssertionError, match="answer 0: found b'0', and again b'5'"):
        check_repeats_the_same(numbered)
