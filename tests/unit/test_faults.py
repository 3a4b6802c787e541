"""Points at which a process can be made to die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

PASSES = """
from afield import faults
for index in range(5):
    print(index, flush=True)
    faults.point("here")
    faults.point("there")
for half in faults.halves("middle", memoryview(b"abcd")):
    print(bytes(half), flush=True)
"""


def run(armed: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "AFIELD_KILL_AT"}
    if armed is not None:
        environment["AFIELD_KILL_AT"] = armed
    return subprocess.run([sys.executable, "-c", PASSES], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("armed", "printed"),
    [
        ("here:1", "0\n"),
        ("there:3", "0\n1\n2\n"),
        ("middle:1", "0\n1\n2\n3\n4\nb'ab'\n"),
    ],
)
def test_it_dies_at_the_pass_that_is_named(armed: str, printed: str) -> None:
    ended = run(armed)
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout == printed


@pytest.mark.parametrize("armed", [None, "", "elsewhere:1", "here:6"])
def test_it_lives_otherwise(armed: str | None) -> None:
    ended = run(armed)
    assert ended.returncode == 0
    assert ended.stdout == "0\n1\n2\n3\n4\nb'abcd'\n"


@pytest.mark.parametrize("armed", ["here", "here:0", "here:x", ":1"])
def test_a_wrong_order_is_refused(armed: str) -> None:
    ended = run(armed)
    assert ended.returncode == 1
    assert f"AFIELD_KILL_AT: expected NAME:COUNT, such as 'committed:3', found {armed!r}" in ended.stderr
