"""Files as they are found: odd names, empty lines, giant lines, bytes that are no text, records of several lines."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from afield.connectors.sources.files.utf8 import readable

Afield = Callable[..., subprocess.CompletedProcess[str]]

SMALL = ("--set", "model.network.0.dense.units=16", "--set", "train.epochs=1")
NAMES = ["mit Leerzeichen.log", "日本語 ☃.log", "-dash.log", "quote'\"\\.log", "a[1]*.log", os.fsdecode(b"caf\xe9.log")]


def answers(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def replace_data(case: Path) -> Path:
    for file in (case / "data").iterdir():
        file.unlink()
    return case / "data"


@pytest.fixture
def odd(trained: Path) -> Path:
    """A use case whose files have odd names and lines."""
    data = replace_data(trained)
    for number, name in enumerate(NAMES):
        (data / name).write_text("".join(f"kind{number} says {i}\n" for i in range(30)))
    giant = " ".join(f"word{i}" for i in range(120_000))
    with (data / NAMES[0]).open("ab") as file:
        file.write(b"\n\n   \n\r\n" + giant.encode()[: 1 << 20] + b"\n" + b"x" * 3_000_000 + b"\ncaf\xe9 \xff\xfe\n")
    return trained


def test_train_run_and_predict(odd: Path, afield: Afield) -> None:
    trained = afield("train", odd, *SMALL)
    report = json.loads(afield("report", odd, "--json").stdout)
    assert report["classes"] == sorted(map(readable, NAMES))
    assert report["source"]["records"] == 30 * len(NAMES) + 7
    assert any("longer than max_record_bytes" in warning for warning in report["warnings"])
    assert any("not UTF-8" in warning for warning in report["warnings"])
    assert "日本語 ☃.log" in trained.stdout
    assert "caf\\xe9.log" in trained.stdout
    answered = json.loads(afield("run", odd, "--once", "--json").stdout)["answered"]
    assert answered == report["source"]["records"]
    assert json.loads(afield("run", odd, "--once", "--json").stdout)["answered"] == 0
    for name in NAMES:
        found = answers(afield("predict", odd, odd / "data" / name).stdout)
        assert len(found) == (37 if name == NAMES[0] else 30)
        assert found[0]["position"] == f"{odd}/data/{readable(name)}:1"


def test_an_unreadable_file_among_others_is_named(trained: Path, afield: Afield) -> None:
    (trained / "data" / "core").write_bytes(b"\x7fELF\0")
    reason = "not read, or only in part: binary: a NUL byte stands in its first 8 KiB"
    predicted = afield("predict", trained, trained / "data")
    ran = afield("run", trained, "--once", "--json")
    assert len(predicted.stdout.splitlines()) == json.loads(ran.stdout)["answered"] == 14_000
    assert predicted.stderr.startswith(f"{trained}/data/core: {reason}")
    assert ran.stderr.startswith(f"data/core: {reason}")
    assert len(predicted.stderr.splitlines()) == len(ran.stderr.splitlines()) == 1


def test_records_of_several_lines(trained: Path, afield: Afield, tmp_path: Path) -> None:
    data = replace_data(trained)
    for kind in ("ante", "post"):
        text = "".join(f"2025-01-01 {kind} failed\n  at {kind} {i}\n  at last\n" for i in range(30))
        (data / f"{kind}.log").write_text(text)
    several = ("--set", "source.files.record_start='2025-'")
    afield("train", trained, *SMALL, *several)
    assert json.loads(afield("run", trained, *several, "--once", "--json").stdout)["answered"] == 60
    piped = (data / "post.log").read_text()
    by_file = answers(afield("predict", trained, data / "post.log").stdout)
    by_pipe = answers(afield("predict", trained, "-", input=piped).stdout)
    assert len(by_file) == 30
    assert [answer["prediction"] for answer in by_file] == [answer["prediction"] for answer in by_pipe]


def test_lines_of_the_standard_input_are_what_the_model_reads(trained: Path, afield: Afield) -> None:
    rows = [(f"kind{'ab'[i % 2]} says {i}", "ab"[i % 2]) for i in range(60)]
    table = trained / "table.csv"
    table.write_text("Content,kind\n" + "".join(f"{text},{kind}\n" for text, kind in rows))
    chosen = {"source.files.path": "table.csv", "source.files.label": "kind", "preprocess.0.text.column": "Content"}
    afield("train", trained, *SMALL, *(part for key, value in chosen.items() for part in ("--set", f"{key}={value}")))
    by_file = answers(afield("predict", trained, table).stdout)
    by_pipe = answers(afield("predict", trained, "-", input="".join(f"{text}\n" for text, _ in rows)).stdout)
    assert [answer["prediction"] for answer in by_file] == [answer["prediction"] for answer in by_pipe]
    assert len(by_pipe) == 60
