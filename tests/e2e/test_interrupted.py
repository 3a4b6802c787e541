"""Training that is interrupted or killed: it goes on from its last epoch, and earlier versions stay."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

MANY = 100_000
"""Epochs that no test waits for."""
PATIENCE_SECONDS = 120

Afield = Callable[..., subprocess.CompletedProcess[str]]


def settings(epochs: int) -> tuple[str, ...]:
    return ("--set", "model.network.0.dense.units=16", "--set", f"train.epochs={epochs}")


@pytest.fixture
def case(trained: Path) -> Path:
    """A trained use case with little data."""
    for file in sorted((trained / "data").iterdir()):
        lines = file.read_text().splitlines(keepends=True)[:100]
        file.write_text("".join(lines))
    return trained


def stopped_after(epochs: int, case: Path, number: signal.Signals) -> tuple[int, list[str]]:
    """Trains for ever and sends a signal after some epochs; returns the exit code and what was said."""
    # Where the tests run in the background, a shell has SIGINT ignored, which its children inherit.
    default = ["env", "--default-signal=INT"]
    command = [*default, sys.executable, "-m", "afield", "train", str(case), *settings(MANY)]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as training:
        assert training.stderr
        given_up = threading.Timer(PATIENCE_SECONDS, training.kill)
        given_up.start()
        for line in training.stderr:
            said.append(line.rstrip("\n"))
            if line.startswith(f"epoch {epochs}:"):
                training.send_signal(number)
        given_up.cancel()
        return training.wait(), said


def epochs_of(lines: list[str]) -> list[int]:
    return [int(found[1]) for line in lines if (found := re.match(r"epoch (\d+):", line))]


def test_interrupted_then_resumed(case: Path) -> None:
    code, said = stopped_after(3, case, signal.SIGINT)
    assert (code, said[-1]) == (130, "afield: interrupted")
    assert not [line for line in said if "Traceback" in line or "Error" in line]
    done = epochs_of(said)[-1]
    code, said = stopped_after(done + 2, case, signal.SIGINT)
    assert code == 130
    (resumed,) = (int(found[1]) for line in said if (found := re.fullmatch(r"resumed after epoch (\d+)", line)))
    # An epoch that ends while the last checkpoint is still being written has none of its own.
    assert 1 <= resumed <= done
    assert epochs_of(said)[0] == resumed + 1


def test_killed_then_resumed(case: Path, afield: Afield) -> None:
    code, said = stopped_after(4, case, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert json.loads(afield("report", case, "--json").stdout)["version"] == "v1"
    (checkpoint,) = (case / ".afield" / "training").glob("epoch-*/facts.json")
    facts = json.loads(checkpoint.read_text())
    code, said = stopped_after(len(facts["history"]) + 1, case, signal.SIGKILL)
    assert f"resumed after epoch {len(facts['history'])}" in said


def test_another_training_starts_anew(case: Path, afield: Afield) -> None:
    stopped_after(2, case, signal.SIGKILL)
    ended = afield("train", case, *settings(1))
    assert "resumed" not in ended.stderr
    assert epochs_of(ended.stderr.splitlines()) == [1]
    assert "\nv2: " in ended.stdout
    assert not (case / ".afield" / "training").exists()


def test_fresh_forgets(case: Path) -> None:
    stopped_after(2, case, signal.SIGKILL)
    command = [sys.executable, "-m", "afield", "train", str(case), "--fresh", *settings(MANY)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as training:
        assert training.stderr
        said = next(line for line in training.stderr if line.startswith(("resumed", "epoch")))
        training.kill()
    assert said.startswith("epoch 1:")
