"""Wrong data, use case or arguments: one clear message, the right exit code, and nothing stored is lost."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from afield.cli import afield as commands
from afield.cli.ending import run
from afield.lock import use_case_lock

LINES = [f"service number {i} did thing {i % 7}" for i in range(40)]
CSV = ["Content,kind,when"] + [f"{line},{'ab'[i % 2]},{i}" for i, line in enumerate(LINES)]

Command = Callable[..., str]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs a command that fails: `command("train", folder, code=1)` gives its message."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def failing(*arguments: object, code: int) -> str:
        got = run(commands, [str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert got == code, printed.err
        *progress, last = printed.err.splitlines()
        assert not [line for line in progress if "error" in line or "Traceback" in line]
        assert last.startswith("afield: error: ")
        return last.removeprefix("afield: error: ")

    yield failing
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def case(trained: Path) -> Iterator[Path]:
    """A trained use case whose version must stand as it is when the test is over."""
    bundle = trained / ".afield" / "versions" / "v1.afield"
    before = hashlib.sha256(bundle.read_bytes()).hexdigest()
    with_data(trained, one=LINES, two=LINES)
    yield trained
    assert hashlib.sha256(bundle.read_bytes()).hexdigest() == before
    assert [file.name for file in bundle.parent.iterdir()] == ["v1.afield"]


def with_data(case: Path, **files: list[str]) -> None:
    """Puts these files in the place of the data: name -> lines."""
    shutil.rmtree(case / "data")
    (case / "data").mkdir()
    for name, lines in files.items():
        (case / "data" / f"{name}.log").write_text("".join(f"{line}\n" for line in lines))


def with_table(case: Path, lines: list[str], **settings: str) -> list[str]:
    """Puts a CSV file in the place of the data, and says what reads it."""
    (case / "table.csv").write_text("\n".join(lines) + "\n")
    chosen = {"source.files.path": "table.csv", "source.files.label": "kind", "preprocess.0.text.column": "Content"}
    return [part for key, value in (chosen | settings).items() for part in ("--set", f"{key}={value}")]


def test_an_empty_folder(case: Path, command: Command) -> None:
    with_data(case)
    assert command("train", case, code=1) == (
        f"data: expected files, found none in the folder {case}/data (hidden files do not count)"
    )


def test_no_folder(case: Path, command: Command) -> None:
    shutil.rmtree(case / "data")
    message = f"data: expected a file or a folder, found neither at {case}/data; correct path: of the source"
    assert command("train", case, code=1) == message
    assert command("run", case, "--once", code=1) == message


def test_empty_files(case: Path, command: Command) -> None:
    with_data(case, one=[], two=[])
    assert command("train", case, code=1) == (
        "data: expected records, found only empty files (2); correct path: of the source"
    )


def test_one_class(case: Path, command: Command) -> None:
    with_data(case, one=LINES)
    assert command("train", case, code=1) == (
        "question: all 40 rows are of one class, 'one.log'; expected at least two classes:"
        " check `path:` and `label:` of the source"
    )


def test_a_class_with_one_line(case: Path, command: Command) -> None:
    with_data(case, one=LINES, two=LINES, three=LINES[:1])
    assert command("train", case, code=1) == (
        "question: 1 of 3 classes have fewer than 2 rows: 'three.log' (1 row); give more rows, or leave them out with"
        " `question: {rare: drop}`"
    )


def test_too_few_lines_for_any_class(case: Path, command: Command) -> None:
    assert (
        command("train", case, "--set", "question.min_rows=50", "--set", "question.rare=drop", code=1)
        == "question: no class has 50 rows; give more rows, or lower `question: {min_rows: ...}`"
    )


def test_no_label(case: Path, command: Command) -> None:
    file = case / "usecase.yaml"
    file.write_text("\n".join(line for line in file.read_text().splitlines() if "label:" not in line))
    assert command("train", case, code=2) == (
        "source.files: training needs the known answer of each record, and no label is declared; add label: file_name,"
        " label: folder or label: NAME-OF-A-COLUMN"
    )


def test_empty_labels(case: Path, command: Command) -> None:
    settings = with_table(case, ["Content,kind", "a b,", "b c,"])
    assert command("train", case, *settings, code=1) == (
        "question: no record has a label; check `label:` of the source"
    )


def test_a_label_that_is_no_column(case: Path, command: Command) -> None:
    settings = with_table(case, CSV, **{"source.files.label": "Kind"})
    assert command("train", case, *settings, code=1) == (
        "table.csv: expected a column Kind, found Content, kind, when; the nearest is kind; correct its name in label:"
        " or columns: of the source, or leave the file out with exclude:"
    )


def test_a_text_that_is_no_column(case: Path, command: Command) -> None:
    settings = with_table(case, CSV, **{"preprocess.0.text.column": "content"})
    message = "preprocess.text.column: the records have no column 'content'; did you mean 'Content'?"
    assert command("train", case, *settings, code=1) == message


@pytest.mark.parametrize(("by", "key"), [("time", "time"), ("group", "group")])
def test_a_split_by_what_is_not_there(case: Path, command: Command, by: str, key: str) -> None:
    settings = with_table(case, CSV, **{"train.split.by": by, f"train.split.{key}": "whenn"})
    assert command("train", case, *settings, code=1).startswith(f"train.split.{key}: there is no column 'whenn'; there")


@pytest.mark.parametrize("by", ["time", "group"])
def test_a_split_by_what_is_empty(case: Path, command: Command, by: str) -> None:
    lines = [json.dumps({"Content": line, "kind": "ab"[i % 2], "when": i or None}) for i, line in enumerate(LINES)]
    settings = with_table(case, lines, **{"source.files.format": "jsonl"})
    settings += ["--set", f"train.split.by={by}", "--set", f"train.split.{by}=when"]
    assert command("train", case, *settings, code=1) == (
        f"train.split.{by}: the column 'when' is empty in 1 row of 40; fill it, or split in another way"
    )


def test_a_training_part_of_one_class(case: Path, command: Command) -> None:
    with_data(case, one=LINES * 3, two=LINES)
    assert command("train", case, "--set", "train.split.by=time", code=1) == (
        "train.split: all 104 rows of the training part are of one class, 'one.log'; expected at least two: give more"
        " data, or split in another way"
    )


def test_two_text_steps(case: Path, command: Command) -> None:
    settings = ["--set", "preprocess=[text: {}, text: {}]"]
    assert command("train", case, *settings, code=2) == (
        "--set preprocess=[text: {}, text: {}]: preprocess.1.text: an earlier step gives a feature 'text' too; give"
        " this one another `output:`"
    )


def test_a_loss_that_is_no_number(case: Path, command: Command) -> None:
    settings = ["--set", "model.network.0.dense.units=16", "--set", "train.optimizer.adam.learning_rate=1e30"]
    assert command("train", case, *settings, code=1) == (
        "epoch 1: the loss is nan, no longer a number; lower train.optimizer's learning_rate (now 1e+30), or give it a"
        " clipnorm"
    )


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("{path: answers}", "{path: [answers}", (0, "}"), "not valid YAML: while parsing a flow sequence, expected"),
        ("epochs: 5", "epocs: 5", (0, "epocs"), "train.epocs: unknown key; did you mean 'epochs'?"),
        (
            "epochs: 5",
            "epochs: five",
            (0, "five"),
            "train.epochs: expected a whole number of at least 1, found the text 'five'",
        ),
        (
            "units: 512",
            "units: 0",
            (0, "0,"),
            'model.network.0.dense.units: expected a whole number of at least 1, "classes", "inputs" or'
            ' "columns", found 0',
        ),
    ],
    ids=["no YAML", "a misspelt key", "a wrong type", "units of 0"],
)
@pytest.mark.parametrize("verb", ["train", "run", "show"])
def test_a_wrong_use_case(
    case: Path, command: Command, verb: str, old: str, new: str, place: tuple[int, str], message: str
) -> None:
    file = case / "usecase.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    number, line = next((i, line) for i, line in enumerate(file.read_text().splitlines(), 1) if new in line)
    column = line.index(place[1], line.index(new)) + 1
    assert command(verb, case, code=2).startswith(f"{file}:{number}:{column}: {message}")


def test_two_sinks_in_one_place(case: Path, command: Command) -> None:
    settings = ["--set", "sink=[jsonl: {path: out}, parquet: {path: out}, jsonl: {path: ./out/../out}]"]
    assert command("run", case, "--once", *settings, code=2) == (
        "sink[2]: another sink writes to ./out/../out too; give each a path of its own"
    )
    assert not (case / "out").exists()


def test_a_sink_in_what_the_source_reads(case: Path, command: Command) -> None:
    (case / "usecase.yaml").write_text((case / "usecase.yaml").read_text().replace("path: data ", "path: . "))
    line = next(i for i, text in enumerate((case / "usecase.yaml").read_text().splitlines(), 1) if "- jsonl" in text)
    for verb in (["run", case, "--once"], ["train", case]):
        assert command(*verb, code=2) == (
            f"{case}/usecase.yaml:{line}:5: sink.0.jsonl: writes answers-000001.jsonl to {case}/answers, which the "
            "source reads too; give the sink a path outside of it, or the source an exclude: for these files"
        )
    parquet = ["--set", "sink=[parquet: {path: data/out}]", "--set", "source.files.path='*/out/*.parquet'"]
    assert command("run", case, "--once", *parquet, code=2).startswith(
        "--set sink=[parquet: {path: data/out}]: sink.0.parquet: writes answers-000001.parquet to "
    )
    assert not (case / "answers").exists()
    assert not (case / "data" / "out").exists()


def test_a_source_that_leaves_its_answers_out(case: Path, afield: Callable[..., object]) -> None:
    settings = [
        "--set",
        "source.files.path=.",
        "--set",
        "source.files.exclude=['answers-*', '*.yaml', '*.json', '*.md']",
    ]
    for _ in range(2):
        afield("run", case, "--once", *settings)
    assert len((case / "answers" / "answers-000001.jsonl").read_text().splitlines()) == 2 * len(LINES)


def test_nothing_trained_yet(case: Path, command: Command, tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    shutil.copy(case / "usecase.yaml", new)
    message = f"no version of 'new' yet: run `afield train {new}`"
    for verb in (["predict", new, case / "data"], ["run", new], ["report", new]):
        assert command(*verb, code=1) == message
    assert not (new / "answers").exists()


def test_a_version_that_is_not_there(case: Path, command: Command) -> None:
    message = "'logs' has no version 'v7'; did you mean 'v1'? The latest is 'v1'"
    for verb in (["predict", case, case / "data"], ["run", case], ["report", case]):
        assert command(*verb, "--version", "v7", code=1) == message


def test_a_file_that_is_not_there(case: Path, command: Command) -> None:
    hint = "name a file, a folder, a glob, or - for the standard input"
    assert command("predict", case, "no.log", code=2) == f"no.log: no such file or folder; {hint}"
    assert command("predict", "nowhere", "no.log", code=2) == "nowhere: no such folder or bundle"
    assert command("predict", case, case / "data" / "*.lag", code=1).startswith(
        f"{case}/data/*.lag: expected files, found none that match"
    )


def test_a_binary_file(case: Path, command: Command) -> None:
    (case / "core").write_bytes(b"\x7fELF\0\0")
    assert command("predict", case, case / "core", code=1) == (
        f"{case}/core: expected files with records, found none that can be read: {case}/core: binary: a NUL byte stands"
        " in its first 8 KiB (UTF-16 text has them too: convert it with iconv); leave it out with exclude:"
    )


def test_a_bundle_cut_short(case: Path, command: Command, tmp_path: Path) -> None:
    bundle = case / ".afield" / "versions" / "v1.afield"
    whole = bundle.read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) - 1):
        bundle.write_bytes(whole[:length])
        message = f"{bundle}: refused: it is no bundle, or was cut short; copy it again from where it was packed"
        assert command("predict", bundle, case / "data", code=1) == message
        assert command("run", case, "--once", code=1) == message
        assert command("report", case, code=1) == message
    bundle.write_bytes(whole)


def test_a_training_beside_another(case: Path, command: Command) -> None:
    with use_case_lock(case, "train"):
        assert command("train", case, code=1) == (
            f"{case}: `afield train` of this use case runs already, as process {os.getpid()} on {socket.gethostname()};"
            " stop it first, or use a copy of the folder"
        )
