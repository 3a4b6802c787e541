"""CSV as it is found in the world: no line of names, blanks around values, marks at the end of labels."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from files_reading import opened, rows

from afield.errors import DataError

NAMES = ["age", "work", "income"]


def read(folder: Path, path: str = "t.csv", **fields: Any) -> list[dict[str, Any]]:
    return rows(opened(folder, path, labelled="label" in fields, **fields).batches({}))


def values(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(value for name, value in row.items() if not name.startswith("_")) for row in found]


def test_names_from_the_use_case(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("1,2\n3,4\n5\n6,7\n")
    source = opened(tmp_path, "t.csv", header=["a", "b"])
    found = rows(source.batches({}))
    assert [(row["a"], row["b"], row["_offset"], row["_line"]) for row in found] == [
        ("1", "2", 0, 1),
        ("3", "4", 1, 2),
        ("6", "7", 3, 4),
    ]
    assert source.report.rejected_at == {"t.csv": [3]}


def test_it_goes_on_where_it_was_left(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("1,2\n3,4\n")
    source = opened(tmp_path, "t.csv", header=["a", "b"])
    (batch,) = source.batches({})
    with (tmp_path / "t.csv").open("a") as file:
        file.write("5,6\n")
    assert [(row["a"], row["_line"]) for row in rows(source.batches(batch.position))] == [("5", 3)]


def test_blanks_are_left_as_they_are_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a, b\n1, x \n")
    assert values(read(tmp_path)) == [("1", " x ")]
    assert list(read(tmp_path)[0])[:2] == ["a", " b"]
    assert values(read(tmp_path, strip=True)) == [("1", "x")]
    assert list(read(tmp_path, strip=True)[0])[:2] == ["a", "b"]
    assert values(read(tmp_path, strip=True, columns=["b"])) == [("x",)]


def test_the_label_without_marks_at_its_ends(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("39, State-gov, <=50K\n50, Private, <=50K.\n38, , >50K.\n")
    found = read(tmp_path, header=NAMES, strip=True, label={"from": "income", "strip": "."})
    assert [row["_label"] for row in found] == ["<=50K", "<=50K", ">50K"]
    assert [row["income"] for row in found] == ["<=50K", "<=50K.", ">50K."]
    raw = opened(tmp_path, "t.csv", labelled=True, header=NAMES, label={"from": "income", "strip": ". "})
    (batch,) = raw.batches({})
    assert sorted(batch.records.column("_label").dictionary.to_pylist()) == ["<=50K", ">50K"]


def test_names_that_do_not_fit(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("1,2,3\n")
    with pytest.raises(DataError) as caught:
        read(tmp_path, header=["a", "b"])
    assert str(caught.value) == (
        "t.csv: expected 2 columns, as header: of the source names, found 3 in its first row; correct header:, or "
        "leave the file out with exclude:"
    )


def test_compressed_files_with_tabs(tmp_path: Path) -> None:
    (tmp_path / "t.tsv.gz").write_bytes(gzip.compress(b"\tstatus\n0\t1.5\n"))
    assert values(read(tmp_path, "t.tsv.gz")) == [("0", "1.5")]
    assert values(read(tmp_path, "t.tsv.gz", header=["row", "status"])) == [("", "status"), ("0", "1.5")]


def test_adult(data: Path) -> None:
    names = [f"c{number}" for number in range(14)] + ["income"]
    fields: dict[str, Any] = {"header": names, "strip": True, "label": {"from": "income", "strip": "."}}
    found = read(data / "tabular", "adult-*.csv", **fields)
    assert len(found) == 32_561 + 16_281
    assert {row["_label"] for row in found} == {"<=50K", ">50K"}


def test_a_table_of_the_core_network(data: Path) -> None:
    found = read(data / "itu_ipcore_faults" / "train", "label.tsv.gz", label="status")
    assert len(found) == 5_969
    assert set(found[0]) >= {"", "status", "timestamp"}
