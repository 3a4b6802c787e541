"""Starting a use case from the gallery."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from afield import gallery
from afield.errors import UseCaseError
from afield.gallery.copying import names, start
from afield.usecase.document import parse
from afield.usecase.load import check


def path_in(folder: Path, file: str = "usecase.yaml") -> str:
    text = (folder / file).read_text(encoding="utf-8")
    return parse(text, "usecase.yaml").data["source"]["files"]["path"]


def test_the_gallery() -> None:
    assert {"digits", "logs"} <= set(names())
    assert names() == sorted(names())


@pytest.mark.parametrize("name", names())
def test_each_use_case_has_data_that_it_reads(name: str, tmp_path: Path) -> None:
    case = tmp_path / "case"
    started = start(name, case)
    (note,) = started.notes
    assert note.startswith(f"{case / 'data'}: ")
    assert (case / "README.md").is_file()
    for variant in case.glob("*.yaml"):
        assert [finding for finding in check(variant) if finding.severity == "error"] == []
        assert Path(path_in(case, variant.name)).parts[0] == "data"


@pytest.mark.parametrize("name", names())
def test_each_variant_reads_the_data_of_the_person(name: str, tmp_path: Path) -> None:
    if hasattr(importlib.import_module(f"afield.gallery.{name}.simulator"), "prepare"):
        pytest.skip("converts the data")
    (tmp_path / "mine").mkdir()
    start(name, tmp_path / "case", data=str(tmp_path / "mine"))
    for variant in (tmp_path / "case").glob("*.yaml"):
        assert path_in(tmp_path / "case", variant.name) == str(tmp_path / "mine")


def gallery_of(folder: Path, monkeypatch: pytest.MonkeyPatch, simulator: str) -> None:
    """Puts a use case `toys` into the gallery."""
    toys = folder / "gallery" / "toys"
    (toys / "copied").mkdir(parents=True)
    (toys / "usecase.yaml").write_text("source:\n  files:\n    path: data/toys.csv\n")
    (toys / "other.yaml").write_text("source:\n  files:\n    path: data  # here\n")
    (toys / "README.md").write_text("# Toys\n")
    (toys / "copied" / "model.py").write_text("# a network\n")
    (toys / "simulator.py").write_text(simulator)
    monkeypatch.setattr(gallery, "__path__", [*gallery.__path__, str(folder / "gallery")])
    monkeypatch.setattr("importlib.resources.files", lambda _: folder / "gallery")
    monkeypatch.delitem(sys.modules, "afield.gallery.toys.simulator", raising=False)


PREPARES = """
def prepare(data, folder):
    if data.suffix == ".csv":
        return None
    folder.mkdir()
    (folder / "toys.csv").write_text(data.name)
    return "one table"
"""


def test_code_and_variants_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery_of(tmp_path, monkeypatch, PREPARES)
    (tmp_path / "mine.csv").touch()
    assert start("toys", tmp_path / "case", data=str(tmp_path / "mine.csv")).notes == ()
    assert sorted(file.name for file in (tmp_path / "case").iterdir()) == [
        "README.md",
        "model.py",
        "other.yaml",
        "usecase.yaml",
    ]
    for variant in ("usecase.yaml", "other.yaml"):
        assert path_in(tmp_path / "case", variant) == str(tmp_path / "mine.csv")


def test_data_that_no_source_reads_are_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery_of(tmp_path, monkeypatch, PREPARES)
    (tmp_path / "mine.mat").touch()
    started = start("toys", tmp_path / "case", data=str(tmp_path / "mine.mat"))
    assert started.notes == (f"{tmp_path / 'case' / 'data'}: one table",)
    assert path_in(tmp_path / "case") == "data/toys.csv"
    assert (tmp_path / "case" / "data" / "toys.csv").read_text() == "mine.mat"


def test_with_simulated_data(tmp_path: Path) -> None:
    started = start("logs", tmp_path / "case")
    assert started.notes == (
        f"{tmp_path / 'case' / 'data'}: 2000 simulated lines of each of 7 kinds; the best possible accuracy is 0.9929, "
        "as two kinds share some of their lines",
    )
    assert path_in(tmp_path / "case") == "data"
    assert sorted(entry.name for entry in (tmp_path / "case").iterdir()) == [
        "README.md",
        "data",
        "data.json",
        "usecase.yaml",
    ]


@pytest.mark.parametrize("name", ["logs", "my logs", "a: b", "it's", 'quo"te', "-x", "caf\u00e9", "back\\slash", "#1"])
def test_with_data_of_ones_own(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    started = start("logs", tmp_path / "case", data=str(tmp_path / name))
    assert started.notes == ()
    assert path_in(tmp_path / "case") == str(tmp_path / name)
    assert not (tmp_path / "case" / "data").exists()


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    Path("here/a.log").write_text("x\n")
    start("logs", Path("case"), data="here/*.log")
    assert path_in(Path("case")) == str(tmp_path / "here" / "*.log")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("log", "the gallery has no use case 'log'; did you mean 'logs'?"),
        ("faces", f"the gallery has no use case 'faces'; it has {', '.join(names())}"),
    ],
)
def test_no_such_use_case(tmp_path: Path, name: str, expected: str) -> None:
    with pytest.raises(UseCaseError) as raised:
        start(name, tmp_path / "case")
    assert str(raised.value) == expected
    assert not (tmp_path / "case").exists()


def test_no_such_data(tmp_path: Path) -> None:
    with pytest.raises(UseCaseError) as raised:
        start("logs", tmp_path / "case", data="/no/such/*.log")
    assert str(raised.value) == (
        "--data /no/such/*.log: no such folder or file; expected a folder, a file or a glob that finds one"
    )
    assert not (tmp_path / "case").exists()


def test_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "usecase.yaml").write_text("mine too")
    with pytest.raises(UseCaseError) as raised:
        start("logs", tmp_path, data=str(tmp_path))
    assert str(raised.value) == f"{tmp_path}: is not empty; name another folder, or add --force to write into it"
    assert (tmp_path / "usecase.yaml").read_text() == "mine too"
    start("logs", tmp_path, data=str(tmp_path), force=True)
    assert path_in(tmp_path) == str(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "case").write_text("x")
    with pytest.raises(UseCaseError) as raised:
        start("logs", tmp_path / "case")
    assert str(raised.value) == f"{tmp_path / 'case'}: is a file; name a folder for the use case"
