"""Runs that are killed, over pairs of a source and a sink: from one that can be read again into one that keeps each
answer once, no record is lost and none is answered twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from brokers import redis_server
from pairs import GOALS, ORIGINS, Goal, JsonLines, Lines, NatsStream, Origin, PostgresTable, RedisStream, made
from ruamel.yaml import YAML

from afield.gallery.logs.simulator import fresh_lines

TEXTS = [line for _, line in fresh_lines(50, seed=3)]
EVERY = [(origin, goal) for origin in ORIGINS for goal in GOALS]
SOME = [(RedisStream, PostgresTable), (NatsStream, RedisStream), (PostgresTable, NatsStream), (Lines, JsonLines)]


def names(pair: tuple[type, type]) -> str:
    return f"{pair[0].__name__}-{pair[1].__name__}"


def connected(folder: Path, origin: Origin, goal: Goal) -> Path:
    """The trained use case between another source and another sink."""
    yaml, file = YAML(), folder / "usecase.yaml"
    document = yaml.load(file.read_text())
    document["source"] = origin.source
    document["sink"] = [goal.sink]
    with file.open("w") as out:
        yaml.dump(document, out)
    return folder


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "afield", "run", str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def killed(folder: Path, origin: Origin, goal: Goal, kills: int, seed: int) -> None:
    """Kills runs while records come; at the end each of them has one answer."""
    moment, published = random.Random(seed), 0
    for _ in range(kills):
        count = moment.randrange(50, 400)
        origin.publish([f"{TEXTS[number % len(TEXTS)]} {published + number}" for number in range(count)])
        published += count
        running: Any = start(folder)
        # Half of the kills come while it starts or waits, half just after it has begun to answer.
        before, deadline = len(goal.ids()), time.monotonic() + 30
        if moment.random() < 0.5:
            time.sleep(moment.uniform(0.3, 1.5))
        else:
            while len(goal.ids()) == before and running.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(moment.uniform(0.0, 0.05))
        running.kill()
        _, said = running.communicate(timeout=60)
        assert running.returncode == -signal.SIGKILL, said.decode()
    last: Any = start(folder, "--once")
    _, said = last.communicate(timeout=120)
    assert last.returncode == 0, said.decode()
    found = goal.ids()
    assert len(found) == len(set(found)), "some record is answered twice"
    assert len(found) == published


@pytest.mark.parametrize("pair", SOME, ids=names)
def test_killed_a_few_times(pair: tuple[type, type], trained: Path, tmp_path: Path) -> None:
    with made(pair[0], tmp_path) as origin, made(pair[1], tmp_path) as goal:
        killed(connected(trained, origin, goal), origin, goal, kills=4, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("pair", EVERY, ids=names)
def test_killed_32_times(pair: tuple[type, type], trained: Path, tmp_path: Path) -> None:
    with made(pair[0], tmp_path) as origin, made(pair[1], tmp_path) as goal:
        killed(connected(trained, origin, goal), origin, goal, kills=32, seed=2)


def test_a_broker_that_dies_and_comes_back(trained: Path, tmp_path: Path) -> None:
    broker = redis_server(tmp_path)
    broker.start()
    url = f"redis://127.0.0.1:{broker.port}"

    def publish(count: int) -> None:
        with redis.Redis(port=broker.port) as client:
            for number in range(count):
                client.xadd("lines", {"line": TEXTS[number % len(TEXTS)]})

    goal = JsonLines(tmp_path)
    folder = trained / "usecase.yaml"
    set_source = f"source={{redis: {{url: '{url}', stream: lines, field: line}}}}"
    set_sink = f"sink=[{{jsonl: {{path: '{goal.sink['jsonl']['path']}'}}}}]"
    publish(300)
    running = start(folder, "--set", set_source, "--set", set_sink)
    try:
        awaited(goal, 300)
        broker.stop()
        time.sleep(1.5)
        broker.start()
        publish(300)
        awaited(goal, 600)
        running.terminate()
        _, said = running.communicate(timeout=30)
    finally:
        running.kill()
        running.communicate()
        broker.stop()
    assert running.returncode == 0, said.decode()
    assert f"source.redis: {url}: " in said.decode()
    assert "trying again in 1 s" in said.decode()
    assert len(goal.ids()) == len(set(goal.ids())) == 600


def awaited(goal: Goal, count: int) -> None:
    """Waits until so many answers are there."""
    deadline = time.monotonic() + 60
    while len(goal.ids()) < count:
        assert time.monotonic() < deadline, f"{len(goal.ids())} answers after a minute"
        time.sleep(0.05)
