"""`afield explore` and `afield new auto` as commands."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from planted import clean

from afield.cli import afield
from afield.cli.ending import run


def test_explore(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = clean(tmp_path, 0, rows=300).path
    monkeypatch.chdir(tmp_path)
    assert run(afield, ["explore", str(path), "--target", "stays", "--json"]) == 0
    out, progress = capsys.readouterr()
    assert json.loads(out)["target"] == "stays"
    assert progress.splitlines() == ["reading", "looking at the columns", "trying simple models", "looking for faults"]
    assert run(afield, ["explore", str(path), "--html"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "exploration.html"
    assert (tmp_path / "exploration.html").is_file()


def test_wrong_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n")
    for arguments, code, message in [
        (["nope.csv"], 2, "nope.csv: no such file or folder; expected a use case, a folder of data, or a file of it"),
        (["empty.csv"], 1, f"{tmp_path}/empty.csv: expected rows, found an empty file"),
        (["t.csv", "--target", "bb"], 2, "--target bb: t.csv has no such column; did you mean 'b'?"),
    ]:
        name, *rest = arguments
        given = name if name == "nope.csv" else str(tmp_path / name)
        assert run(afield, ["explore", given, *rest]) == code
        assert capsys.readouterr().err.splitlines()[-1] == f"afield: error: {message}"


def test_new_auto(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = clean(tmp_path, 0, rows=300).path
    case = tmp_path / "case"
    assert run(afield, ["new", "auto", str(case), "--data", str(path), "--target", "stays"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"{case}/usecase.yaml: ready to edit; next: afield check {case}, then afield train {case}"
    )
    assert run(afield, ["new", "logs", str(tmp_path / "logs"), "--target", "x"]) == 2
    assert capsys.readouterr().err == (
        "afield: error: --target is for `afield new auto`; others of the gallery have theirs; see afield new --help\n"
    )
    assert isinstance(afield, click.Group)
