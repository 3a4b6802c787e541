"""What a person needs to repeat a training."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import keras
import numpy
import pytest

from afield import __version__
from afield.train.facts import facts, libraries, revision


def test_the_versions_that_decide_the_result() -> None:
    found = libraries()
    assert list(found) == ["jax", "keras", "numpy", "onnx", "pyarrow", "scikit-learn"]
    assert (found["keras"], found["numpy"]) == (keras.__version__, numpy.__version__)


def test_a_folder_outside_a_repository(tmp_path: Path) -> None:
    assert revision(tmp_path) is None
    found = facts(tmp_path, "cpu: cpu", 7, "0123456789abcdef0123", 12.345)
    assert found | libraries() == {
        "afield": __version__,
        **libraries(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": "cpu: cpu",
        "seed": "7",
        "data fingerprint": "0123456789abcdef",
        "training seconds": "12.3",
    }


def test_a_folder_in_a_repository(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert revision(tmp_path) is None
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / "case").mkdir()
    assert revision(tmp_path / "case") == head
    assert facts(tmp_path / "case", "cpu", 0, "f", 1.0)["git revision"] == head


def test_a_machine_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision(tmp_path) is None
