"""What a use case may say about files, and what is said about its mistakes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from afield.connectors.sources.files.discover import find
from afield.connectors.sources.files.spec import ColumnRef, Files, Label
from afield.errors import UseCaseError


def messages(**fields: object) -> list[tuple[tuple[str | int, ...], str]]:
    return [(problem.path, problem.message) for problem in Files.model_validate({"path": "logs", **fields}).lint()]


def test_label_may_be_one_word() -> None:
    assert Files.model_validate({"path": "x", "label": "file_name"}).label == Label.model_validate(
        {"from": "file_name"}
    )
    spec = Files.model_validate({"path": "x", "label": ["folder", {"column": "folder"}, "EventId"]})
    assert spec.label is not None
    assert spec.label.parts == ["folder", ColumnRef(column="folder"), "EventId"]
    assert spec.label.columns == ["folder", "EventId"]


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="fromat"):
        Files.model_validate({"path": "x", "fromat": "csv"})


def test_a_good_use_case_has_no_problems() -> None:
    assert messages(path="**/*.log", exclude=["*.[0-9]"], label="file_name", record_start=r"\d{4}") == []


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        (
            {"path": "logs/a**/x"},
            ("path",),
            "expected ** to stand alone between slashes, found 'a**' in 'logs/a**/x'",
        ),
        (
            {"exclude": ["*.bak", "[a"]},
            ("exclude", 1),
            "expected a ] after the [ in '[a'; write [[] for the character itself",
        ),
        (
            {"record_start": "(?=x)"},
            ("record_start",),
            "expected a regular expression of RE2 (no look-around, no back-references), found '(?=x)': "
            "invalid perl operator: (?=",
        ),
        (
            {"record_start": "x", "format": "csv"},
            ("record_start",),
            "record_start joins lines, and format is csv; remove it, or set format: lines",
        ),
        (
            {"label": {"from": "folder", "merge_rotated": True}},
            ("label", "merge_rotated"),
            "merge_rotated joins the names of rotated files, and the label is not taken from file_name; remove it, "
            "or set from: file_name",
        ),
        (
            {"label": []},
            ("label", "from"),
            "expected at least one of file_name, folder, or a column; found an empty list",
        ),
        (
            {"label": "kind", "format": "lines"},
            ("label", "from"),
            "lines have no column 'kind'; expected file_name or folder, or another format",
        ),
        (
            {"columns": ["a"], "format": "lines"},
            ("columns",),
            "lines have no columns; remove it, or set another format",
        ),
        (
            {"label": "digit", "format": "idx"},
            ("label", "from"),
            "IDX files have no column 'digit'; expected label, file_name or folder, or another format",
        ),
        (
            {"label": "digit", "format": "images"},
            ("label", "from"),
            "images have no column 'digit'; expected file_name or folder, or another format",
        ),
        (
            {"columns": ["a"], "format": "images"},
            ("columns",),
            "images have no columns; remove it, or set another format",
        ),
        (
            {"header": ["a"], "format": "parquet"},
            ("header",),
            "header is of CSV, and format is parquet; remove it, or set format: csv",
        ),
        (
            {"strip": True, "format": "lines"},
            ("strip",),
            "strip is of CSV, and format is lines; remove it, or set format: csv",
        ),
        ({"header": ["a", "b", "a"]}, ("header",), "expected names that differ, found 'a' more than once"),
        (
            {"label": {"from": "folder", "pattern": "(a"}},
            ("label", "pattern"),
            "expected a regular expression, found '(a': missing ), unterminated subpattern at position 0",
        ),
        (
            {"label": {"from": "folder", "pattern": "a"}},
            ("label", "pattern"),
            "expected one group in parentheses, found 0 in 'a'",
        ),
        (
            {"label": {"from": "kind", "pattern": "(a)"}},
            ("label", "pattern"),
            "searches names of files and folders, and the label is not taken from one; remove it",
        ),
        ({"columns": []}, ("columns",), "expected at least one column, found an empty list; leave it out to read all"),
    ],
)
def test_mistakes_are_named(fields: dict[str, object], path: tuple[str | int, ...], message: str) -> None:
    assert messages(**fields) == [(path, message)]


def test_training_without_a_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UseCaseError) as caught:
        Files(path="logs").open(base=tmp_path, follow=False, labelled=True)
    assert str(caught.value) == (
        "source.files: training needs the known answer of each record, and no label is declared; "
        "add label: file_name, label: folder or label: NAME-OF-A-COLUMN"
    )


def test_each_field_says_what_it_is() -> None:
    for model in (Files, Label, ColumnRef):
        for name, field in model.model_fields.items():
            assert field.description, name
            assert field.examples, name


def test_the_declaration_imports_nothing_heavy() -> None:
    code = (
        "import sys, afield.connectors.sources.files.spec as spec; spec.Files(path='x').lint(); "
        "sys.exit(len({'numpy', 'pyarrow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("path", "exclude"),
    [
        (".", []),
        (".", ["*.jsonl"]),
        (".", ["answers-*"]),
        ("out", []),
        ("./out/../out", []),
        ("out/deep/answers-000001.jsonl", []),
        ("ou", []),
        ("*.jsonl", []),
        ("*/*.jsonl", []),
        ("**", []),
        ("**/*.jsonl", []),
        ("**/answers-0000[01]1.*", ["*.log"]),
        ("out/**/deep/*", []),
        ("out/*", []),
        (".hidden/*", []),
        (".hidden", []),
        ("**/.hidden/**/*", []),
        ("../*/out/*", []),
        ("{base}/*/*.jsonl", []),
        ("link", []),
        ("[a]", []),
    ],
)
def test_what_would_be_read_is_what_is_found(tmp_path: Path, path: str, exclude: list[str]) -> None:
    base = tmp_path / "case"
    folders = [base, base / "out", base / "out" / "deep", base / ".hidden", base / "out" / ".hidden", base / "[a]"]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    (base / "link").symlink_to(base / "out")
    spec = Files(path=path.format(base=base), exclude=exclude)
    for folder in [*folders, tmp_path]:
        answers = folder / "answers-000001.jsonl"
        expected = spec.would_read(answers, base)
        answers.touch()
        assert expected == bool(find(spec, base, {})), answers
        assert expected == spec.would_read(answers, base)
        answers.unlink()
