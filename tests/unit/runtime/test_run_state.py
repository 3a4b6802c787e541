"""What a run remembers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from afield.runtime.state import RunState
from afield.store.store import open_store


def test_commits_are_merged_and_counters_added(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    state = RunState(store, "logs")
    assert (state.positions(), state.marks(), state.counters()) == ({}, {}, {})
    state.commit({"a": "1", "b": "1"}, {"jsonl": "m1"}, {"answered": 5})
    state.commit({"a": "2"}, {"parquet": "m2"}, {"answered": 7, "skipped": 1})
    state.commit({}, {}, {})
    state.commit({"c": "1"}, {})
    store.close()
    store = open_store(tmp_path)
    state = RunState(store, "logs")
    assert state.positions() == {"a": "2", "b": "1", "c": "1"}
    assert state.marks() == {"jsonl": "m1", "parquet": "m2"}
    assert state.counters() == {"answered": 12, "skipped": 1}
    store.close()


def test_use_cases_are_apart(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    RunState(store, "one").commit({"a": "1"}, {"s": "m"}, {"n": 1})
    RunState(store, "two").commit({"a": "2"}, {}, {"n": 2})
    assert RunState(store, "one").positions() == {"a": "1"}
    assert RunState(store, "two").marks() == {}
    assert RunState(store, "two").counters() == {"n": 2}
    store.close()


def test_a_carry_is_that_of_its_version(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    state = RunState(store, "logs")
    assert state.carry("v1") is None
    state.commit({"a": "1"}, {}, carry=("v1", b"one"))
    state.commit({"a": "2"}, {}, carry=("v2", b"two"))
    state.commit({"a": "3"}, {}, carry=("v1", b"\0three"))
    state.commit({"a": "4"}, {})
    assert (state.carry("v1"), state.carry("v2"), state.carry("v3")) == (b"\0three", b"two", None)
    assert RunState(store, "others").carry("v1") is None
    store.close()


COMMIT = """
import sys
from pathlib import Path
from afield.runtime.state import RunState
from afield.store.store import open_store
state = RunState(open_store(Path(sys.argv[1])), "logs")
for index in range(10):
    state.commit({"a": str(index)}, {"s": str(index)}, {"n": 1})
"""


def test_a_kill_inside_a_commit_leaves_the_one_before(tmp_path: Path) -> None:
    environment = os.environ | {"AFIELD_KILL_AT": "checkpoint:4"}
    ended = subprocess.run([sys.executable, "-c", COMMIT, str(tmp_path)], env=environment)
    assert ended.returncode == -signal.SIGKILL
    store = open_store(tmp_path)
    state = RunState(store, "logs")
    assert (state.positions(), state.marks(), state.counters()) == ({"a": "2"}, {"s": "2"}, {"n": 3})
    store.close()
