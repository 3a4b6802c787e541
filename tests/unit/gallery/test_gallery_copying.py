"""Starting a use case from the gallery."""

from __future__ import annotations

from pathlib import Path

import pytest

from afield.errors import UseCaseError
from afield.gallery.copying import names, start
from afield.usecase.document import parse


def path_in(folder: Path) -> str:
    text = (folder / "usecase.yaml").read_text(encoding="utf-8")
    return parse(text, "usecase.yaml").data["source"]["files"]["path"]


def test_the_gallery() -> None:
    assert names() == ["logs"]


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
        ("faces", "the gallery has no use case 'faces'; it has logs"),
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
