"""The code blocks of README and of the guides, run for real on a small simulated folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from documents import COMMANDS, assert_shown, blocks, run, steps, write_samples
from ruamel.yaml import YAML

from afield.gallery.copying import names

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
RUN = [README, *sorted((ROOT / "docs").glob("guide-*.md"))]


@pytest.mark.long
@pytest.mark.parametrize("document", RUN, ids=lambda path: path.name)
def test_blocks_run_as_shown(document: Path, tmp_path: Path) -> None:
    logs = write_samples(tmp_path)
    for block, expected in steps(document):
        printed = run(block, tmp_path, logs)
        if expected:
            assert_shown(expected, printed)


@pytest.mark.parametrize("document", RUN, ids=lambda path: path.name)
def test_no_command_escapes(document: Path) -> None:
    escaped = [
        block.line
        for block in blocks(document)
        if block.language in COMMANDS and block.code is None and not block.mark.startswith("not run: ")
    ]
    assert not escaped, f"{document}: blocks without `runs`, `fails: CODE` or `not run: REASON` at lines {escaped}"


def test_the_use_case_is_the_one_of_the_gallery() -> None:
    shown = {block.mark.removeprefix("gallery: "): block.text for block in blocks(README) if "gallery: " in block.mark}
    assert "logs" in shown
    assert set(shown) <= set(names())
    for name, text in shown.items():
        gallery = (ROOT / "src" / "afield" / "gallery" / name / "usecase.yaml").read_text()
        assert YAML(typ="safe").load(text) == YAML(typ="safe").load(gallery)


@pytest.mark.parametrize("name", ["demo", "test", "check", "bench"])
def test_the_scripts_can_be_run(name: str) -> None:
    script = ROOT / "scripts" / name
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_bench_without_arguments_names_the_benchmarks() -> None:
    ran = subprocess.run([ROOT / "scripts" / "bench"], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith("Usage: scripts/bench NAME")
    assert {"text", "log_training", "log_pipeline", "footprint"} <= set(ran.stderr.split())
