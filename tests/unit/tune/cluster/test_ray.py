"""A search on a real Ray cluster of two nodes ends as it does here, whatever is killed on the way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from ray_nodes import Nodes, two_nodes
from tunings import FOREST

from afield.errors import StateError, TransientError, UseCaseError
from afield.report.model import Tuning
from afield.train.base import Unwatched
from afield.tune.cluster.connection import connected
from afield.tune.workflow import Options, tune
from afield.usecase.load import load

Case = Callable[[str], Path]

NETWORK = """\
model:
  network:
    - dense: {units: {search: [8, 16]}, activation: {search: [relu, tanh]}}
    - dense: {units: classes, activation: softmax}
train:
  epochs: 9
  optimizer:
    adam: {learning_rate: {range: [0.0003, 0.03], log: true}}
"""
LONG = NETWORK.replace("epochs: 9", "epochs: 150").replace("{search: [relu, tanh]}", "relu")
TRIALS = 20


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    """A head and another node, one processor each."""
    with two_nodes() as nodes:
        yield nodes


def tuned(folder: Path, on: str | None, **options: Any) -> Tuning:
    given: dict[str, Any] = {"trials": TRIALS, "sampler": "random", "schedule": "halving"} | options
    return tune(load(folder), Options(**given, on=on), watcher=Unwatched()).tuning


def same(one: Tuning, other: Tuning) -> None:
    assert [(t.number, t.state, t.values, len(t.curve)) for t in one.trials] == [
        (t.number, t.state, t.values, len(t.curve)) for t in other.trials
    ]
    for here, there in zip(one.trials, other.trials, strict=True):
        assert there.losses == pytest.approx(here.losses, rel=1e-4)
        assert there.score == pytest.approx(here.score, abs=1e-6)
    assert one.best == other.best


def fresh(case: Case, model: str, name: str) -> Path:
    """The same use case in another folder, which knows of no search."""
    folder = case(model)
    moved = folder.with_name(name)
    folder.rename(moved)
    return moved


@contextmanager
def in_the_middle(folder: Path, act: Callable[[], None]) -> Generator[None]:
    """Does something once trainings are being kept in the folder."""
    done = threading.Event()

    def look() -> None:
        while not list(folder.glob(".afield/tuning/*/population-*/*")):
            time.sleep(0.01)
        act()
        done.set()

    threading.Thread(target=look, daemon=True).start()
    yield
    assert done.is_set()


def kill_a_worker() -> None:
    """Kills a process that trains a part now."""
    lines = ((one, one.info["cmdline"] or [""]) for one in psutil.process_iter(["cmdline"]))
    next(one for one, words in lines if words[0].startswith("ray::train")).kill()


def test_a_search_ends_as_it_does_on_one_machine(cluster: Nodes, case: Case) -> None:
    folder, other = fresh(case, NETWORK, "here"), fresh(case, NETWORK, "there")
    here = tuned(folder, None)
    there = tuned(other, cluster.address)
    same(here, there)
    assert {trial.state for trial in there.trials} == {"complete", "pruned"}
    assert there.facts["cluster"] == "Ray: 2 nodes, 2 processors"
    assert "cluster" not in here.facts


def test_models_that_train_alone_are_tasks_too(cluster: Nodes, case: Case) -> None:
    there = tuned(fresh(case, FOREST, "there"), cluster.address, trials=3, sampler="grid")
    here = tuned(fresh(case, FOREST, "here"), None, trials=3, sampler="grid")
    assert [trial.state for trial in there.trials] == ["complete"] * 3
    assert [(t.values, t.score) for t in there.trials] == [(t.values, t.score) for t in here.trials]


def test_a_worker_that_is_killed_is_replaced(cluster: Nodes, case: Case) -> None:
    folder = fresh(case, LONG, "there")
    with in_the_middle(folder, kill_a_worker):
        there = tuned(folder, cluster.address, schedule="none", trials=16)
    same(tuned(fresh(case, LONG, "here"), None, schedule="none", trials=16), there)


def test_a_node_that_leaves_takes_nothing_with_it(cluster: Nodes, case: Case) -> None:
    folder = fresh(case, LONG, "there")
    # Connected before the node comes: a search takes any node of its machine as its own, and goes with it.
    with connected(cluster.address):
        cluster.add()
        with in_the_middle(folder, cluster.remove):
            there = tuned(folder, cluster.address, schedule="none", trials=24)
    same(tuned(fresh(case, LONG, "here"), None, schedule="none", trials=24), there)


def test_a_search_that_is_killed_goes_on(cluster: Nodes, case: Case) -> None:
    folder = fresh(case, LONG, "there")
    line = [sys.executable, "-m", "afield", "tune", str(folder), "--on", cluster.address, "--trials", "16"]
    line += ["--sampler", "random", "--schedule", "none"]
    with subprocess.Popen(line, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as search:
        with in_the_middle(folder, search.kill):
            search.wait(timeout=120)
    assert search.returncode == -signal.SIGKILL
    there = tuned(folder, cluster.address, schedule="none", trials=16)
    same(tuned(fresh(case, LONG, "here"), None, schedule="none", trials=16), there)


def test_the_time_that_is_up_ends_it(cluster: Nodes, case: Case) -> None:
    folder = fresh(case, LONG.replace("epochs: 150", "epochs: 1000000"), "there")
    with pytest.raises(StateError, match="no trial has ended yet; give a longer --timeout"):
        tuned(folder, cluster.address, schedule="none", timeout=8.0, trials=4)


def test_an_address_where_nobody_answers(case: Case) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(TransientError, match=f"no Ray cluster answers at {address} .*refused"):
        tuned(case(NETWORK), address)


def test_an_address_that_is_none(case: Case) -> None:
    with pytest.raises(UseCaseError, match=r"--on: expected `ray`, or the address of a cluster .* found 'rai'"):
        tuned(case(NETWORK), "rai")


def test_no_cluster_here() -> None:
    # Ray looks for a cluster among all processes: in a namespace of its own there is none.
    alone = ["unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("processes cannot be hidden from each other here")
    program = "from afield.tune.cluster.connection import connected\nwith connected('ray'): pass"
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    done = subprocess.run([*alone, sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert "TransientError: --on ray: no Ray cluster runs on this machine and RAY_ADDRESS names none" in done.stderr


def test_ray_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(StateError, match=r"pip install 'afield\[ray\]'"), connected("ray"):
        pass
