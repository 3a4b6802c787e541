"""The worked example of docs/architecture.md: a sink of a third party, installed beside Afield and run."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from documents import blocks

DOCUMENT = Path(__file__).parents[2] / "docs" / "architecture.md"


@pytest.fixture
def files() -> dict[str, str]:
    return {block.mark.removeprefix("file: "): block.text for block in blocks(DOCUMENT) if "file: " in block.mark}


@pytest.fixture
def installed(files: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment in which the package is installed, as pip would leave it."""
    site = tmp_path / "site"
    info = site / "afield_sqlite-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "afield_sqlite.py").write_text(files["afield_sqlite.py"])
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: afield-sqlite\nVersion: 1.0\n")
    groups = tomllib.loads(files["pyproject.toml"])["project"]["entry-points"]
    named = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items()) for group, names in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(named))
    return os.environ | {"PYTHONPATH": str(site)}


def test_its_own_tests_pass(files: dict[str, str], installed: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "test_afield_sqlite.py").write_text(files["test_afield_sqlite.py"])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_afield_sqlite.py"]
    ran = subprocess.run(command, cwd=tmp_path, env=installed, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    assert "6 passed" in ran.stdout


def test_a_use_case_runs_with_it(
    files: dict[str, str], installed: dict[str, str], trained_once: Path, tmp_path: Path
) -> None:
    case = Path(shutil.copytree(trained_once, tmp_path / "logs"))
    before, _ = (case / "usecase.yaml").read_text().split("sink:")
    (case / "usecase.yaml").write_text(before + files["usecase.yaml"])

    def afield(*arguments: str) -> str:
        command = [sys.executable, "-m", "afield", *arguments]
        ran = subprocess.run(command, cwd=tmp_path, env=installed, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert afield("check", "logs") == "logs/usecase.yaml: no problems found\n"
    assert '"sqlite"' in afield("schema")
    records = sum(len(file.read_text().splitlines()) for file in (case / "data").iterdir())
    assert json.loads(afield("run", "logs", "--once", "--json"))["answered"] == records
    assert json.loads(afield("run", "logs", "--once", "--json"))["answered"] == 0
    found = sqlite3.connect(case / "answers.db")
    answers = [json.loads(text) for (text,) in found.execute("SELECT answer FROM answers")]
    found.close()
    assert len({answer["id"] for answer in answers}) == len(answers) == records
