"""Commands as a person runs them, and one small use case that was trained once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Afield = Callable[..., subprocess.CompletedProcess[str]]

SMALL = ("--set", "model.network.0.dense.units=16", "--set", "train.epochs=2")


@pytest.fixture(scope="session")
def afield() -> Afield:
    """Runs one command to its end: `afield("check", folder)`."""

    def run(*arguments: object, code: int = 0, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "afield", *map(str, arguments)]
        settings: dict[str, object] = {"capture_output": True, "text": True, "timeout": 300}
        done = subprocess.run(command, **(settings | options))
        assert done.returncode == code, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture(scope="session")
def trained_once(afield: Afield, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A use case on simulated logs, trained; only to be copied or read."""
    folder = tmp_path_factory.mktemp("trained") / "logs"
    afield("new", "logs", folder)
    use_case = folder / "usecase.yaml"
    # The tests read tables with it too.
    lines = use_case.read_text().splitlines(keepends=True)
    use_case.write_text("".join(line for line in lines if "format: lines" not in line))
    afield("train", folder, *SMALL)
    return folder


@pytest.fixture
def trained(trained_once: Path, tmp_path: Path) -> Path:
    """A copy of the trained use case."""
    return Path(shutil.copytree(trained_once, tmp_path / "logs"))


@pytest.fixture(autouse=True)
def _plain_output(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AFIELD_DEBUG", "AFIELD_KILL_AT", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
