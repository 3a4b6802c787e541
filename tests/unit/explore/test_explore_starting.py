"""`afield new auto`: a use case that is ready to train, from data alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from planted import clean, faulty

from afield.errors import UseCaseError
from afield.explore.starting import start
from afield.gallery.logs.simulator import simulate
from afield.usecase.document import parse
from afield.usecase.load import check, load


def written(folder: Path) -> Any:
    """What the use case says, after it was checked."""
    assert check(folder) == []
    return parse((folder / "usecase.yaml").read_text(), "usecase.yaml").data


def test_a_table(tmp_path: Path) -> None:
    planted = clean(tmp_path, 0)
    started = start(tmp_path / "case", data=str(planted.path), target="stays")
    said = written(started.file.parent)
    assert said["question"] == {
        "kind": "classify",
        "ask": "Which stays does a row have?",
        "positive": said["question"]["positive"],
    }
    assert said["source"]["files"] == {"path": str(planted.path), "format": "csv", "label": "stays"}
    assert said["preprocess"] == ["table"]
    assert set(said["models"]) == {"boosting", "forest"}
    assert len(started.notes) == 1


def test_what_was_found_is_left_out_and_repaired(tmp_path: Path) -> None:
    planted = faulty(tmp_path, 0)
    started = start(tmp_path / "case", data=str(planted.path), target="stays")
    said = written(started.file.parent)
    assert said["source"]["files"]["path"] == "data/faulty-0.csv"
    assert said["preprocess"] == [{"mask": {"columns": {"imsi": "hash"}}}, {"table": {"exclude": ["refund"]}}]
    copy = (tmp_path / "case" / "data" / "faulty-0.csv").read_text().splitlines()
    assert len(copy) == 3121
    assert started.notes[:2] == (
        f"{tmp_path}/case/data/faulty-0.csv: 3,120 rows, copied as UTF-8 with commas",
        "left out: refund (almost gives the answer away)",
    )


def test_personal_columns_are_masked(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    rows = [f"26201{10**9 + n % 40 * 7919},10.0.{n % 4}.{n % 10},{n % 13},{'ab'[n * 7 % 3 % 2]}" for n in range(400)]
    path.write_text("\n".join(["imsi,ip,x,y", *rows]) + "\n")
    start(tmp_path / "case", data=str(path), target="y")
    assert written(tmp_path / "case")["preprocess"] == [
        {"mask": {"columns": {"imsi": "hash", "ip": "truncate"}}},
        "table",
    ]


def test_a_semicolon_and_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = "".join(f"{n % 17};caf\xe9 {n % 3};{n * 7 % 5}.5\n" for n in range(80))
    path.write_bytes(f"a;b;c\n{rows}".encode("cp1252"))
    start(tmp_path / "case", data=str(path), target="c")
    said = written(tmp_path / "case")
    assert (said["question"]["kind"], said["source"]["files"]["path"]) == ("regress", "data/t.csv")
    assert (tmp_path / "case" / "data" / "t.csv").read_text().splitlines()[1] == '"0","café 0","0.5"'


def test_lines_and_odd_names(tmp_path: Path) -> None:
    simulate(tmp_path / "logs", lines_per_kind=60)
    start(tmp_path / "case", data=str(tmp_path / "logs"), target=None)
    said = written(tmp_path / "case")
    assert said["source"]["files"] == {"path": str(tmp_path / "logs"), "format": "lines", "label": "file_name"}
    assert list(said["preprocess"][0]) == ["text"]
    path = tmp_path / "odd.csv"
    path.write_text("\n".join(["a: b,[c],folder", *(f"{n % 7}.5,x{n % 5},{n % 2}" for n in range(90))]) + "\n")
    start(tmp_path / "odd", data=str(path), target="folder")
    assert load(tmp_path / "odd").model.model_dump()["source"]["files"]["label"]["origin"] == {"column": "folder"}


def test_what_is_missing(tmp_path: Path) -> None:
    path = clean(tmp_path, 0, rows=60).path
    for options, message in [
        (
            {"data": None, "target": "stays"},
            "afield new auto: expected --data with a file or a folder, found none; add --data PATH",
        ),
        (
            {"data": str(path), "target": None},
            "afield new auto: expected --target with the column of the answer, found none: used, paid, spread, delay, "
            "load, plan, region, stays",
        ),
        (
            {"data": str(tmp_path / "nope"), "target": None},
            f"--data {tmp_path}/nope: no such folder or file; expected a folder, a file or a glob that finds one",
        ),
    ]:
        with pytest.raises(UseCaseError) as refused:
            start(tmp_path / "case", **options)
        assert str(refused.value) == message
        assert not (tmp_path / "case").exists()
