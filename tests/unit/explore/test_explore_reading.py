"""From files as they are found to a table with the line of every row."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.errors import DataError, UseCaseError
from afield.explore.reading import content, files, lines, tables
from afield.explore.reading.dialect import dialect_of


def test_a_table_with_all_faults_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "wild.csv"
    path.write_text('a,b\n1,x\n\n2,"y\nz"\n3\na,b\n4,"q, r",5\n5,w\n')
    found = files.read(path)
    assert found.table.to_pydict() == {"a": ["1", "2", "5"], "b": ["x", "y\nz", "w"]}
    assert found.lines.tolist() == [2, 4, 9]
    (account,) = found.accounts
    assert account.repeated == [7]
    assert [(row.line, row.fields) for row in account.ragged] == [(6, 1), (8, 3)]


@given(st.lists(st.sampled_from(["1,2", "", "1", "1,2,3", "a,b", '"1\n1",2', '"1,1",2']), max_size=40))
def test_every_row_keeps_its_line(rows: list[str]) -> None:
    rows = [*rows, *["9,9"] * (len(rows) + 1)]  # most rows of a table are whole
    text = "\n".join(["a,b", *rows]) + "\n"
    data = np.frombuffer(text.encode(), np.uint8)
    parsed = tables.parse(content.Content(data, np.zeros(1, np.int64), np.ones(1, np.int64), len(data)), tabs=False)
    starts = {}
    line = 2
    for number, row in enumerate(rows):
        starts[number] = line
        line += 1 + row.count("\n")
    kept = [starts[n] for n, row in enumerate(rows) if row not in ("", "1", "1,2,3", "a,b")]
    assert parsed.lines.tolist() == kept
    assert [row.line for row in parsed.ragged] == [starts[n] for n, row in enumerate(rows) if row in ("1", "1,2,3")]
    assert parsed.repeated == [starts[n] for n, row in enumerate(rows) if row == "a,b"]


@pytest.mark.parametrize(
    ("head", "delimiter", "header", "names"),
    [
        ("a,b\n1,2\n3,4\n", ",", True, ["a", "b"]),
        ("1,2\n3,4\n", ",", False, ["column_1", "column_2"]),
        ("a;b\n1,5;2\n3,5;4\n", ";", True, ["a", "b"]),
        ("a\tb\nx y\tz\n", "\t", True, ["a", "b"]),
        ("39, State, Male\n50, Self, Male\n38, State, Female\n", ",", False, ["column_1", "column_2", "column_3"]),
        ("name\nAnn\nBob\n", ",", True, ["name"]),
        ("a,,a\n1,2,3\n", ",", True, ["a", "column_2", "a_3"]),
        ("a,b\n1,2\na,b\n3,4\n", ",", True, ["a", "b"]),
    ],
)
def test_dialects(head: str, delimiter: str, header: bool, names: list[str]) -> None:
    found = dialect_of(head, tabs=False)
    assert (found.delimiter, found.header, found.names) == (delimiter, header, names)


def test_blanks_around_values_are_taken_off(tmp_path: Path) -> None:
    path = tmp_path / "adult.csv"
    path.write_text("39, State, Male\n50, Self, Male\n38, State, Female\n")
    found = files.read(path)
    assert found.table.column("column_2").to_pylist() == ["State", "Self", "State"]
    assert found.notes == [
        f"{path} has no line of names: its columns are called column_1 and so on; `header:` names them",
        f"{path}: blanks around the values were taken off, as `strip: true` does",
    ]


@pytest.mark.parametrize(
    ("raw", "encoding", "foreign", "values"),
    [
        ("a,b\n1,café\n".encode(), "UTF-8", [], ["café"]),
        ("\ufeffa,b\n1,café\n".encode(), "UTF-8", [], ["café"]),
        ("a,b\n1,café\n".encode("cp1252"), "Windows-1252", [], ["café"]),
        ("a,b\n1,café\n".encode("utf-16"), "UTF-16", [], ["café"]),
        ("a,b\n1,café\n".encode() + b"2,caf\xe9\n", "UTF-8", [3], ["café", "café"]),
    ],
)
def test_encodings(tmp_path: Path, raw: bytes, encoding: str, foreign: list[int], values: list[str]) -> None:
    path = tmp_path / "letters.csv"
    path.write_bytes(raw)
    found = files.read(path)
    assert found.table.to_pydict()["b"] == values
    assert (found.accounts[0].encoding, found.accounts[0].foreign) == (encoding, foreign)


def test_of_a_large_file_pieces_are_read_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    path.write_text("".join(f"line {number}\n" for number in range(1, 50_001)))
    held = content.read(path, 100_000)
    texts, numbers, count = lines.sample(held, 10**6)
    assert not held.whole
    assert count < 20_000
    assert texts.to_pylist() == [f"line {number}" for number in numbers.tolist()]
    assert numbers.min() == 1
    assert numbers.max() == 50_000


def test_of_many_lines_evenly_spread_ones_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    path.write_text("".join(f"line {number}\n" for number in range(1, 1001)))
    texts, numbers, count = lines.sample(content.read(path, 10**6), 10)
    assert (count, numbers.tolist()) == (1000, [1, 112, 223, 334, 445, 556, 667, 778, 889, 1000])
    assert texts.to_pylist()[1] == "line 112"


def test_files_of_other_kinds(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.csv.gz", "wt") as file:
        file.write("x,y\n1,2\n")
    (tmp_path / "b.tsv").write_text("x\ty\n1\t2\n")
    (tmp_path / "c.jsonl").write_text("".join(json.dumps({"x": n, "y": str(n)}) + "\n" for n in (1, 2)) + "no json\n")
    pq.write_table(pa.table({"x": [1, 2, 3], "y": ["a", "b", "c"]}), tmp_path / "d.parquet")
    (tmp_path / "e.log").write_text("one\ntwo\n")
    read = {path.name: files.read(path) for path in sorted(tmp_path.iterdir())}
    assert {name: (found.form, found.table.num_rows) for name, found in read.items()} == {
        "a.csv.gz": ("csv", 1),
        "b.tsv": ("csv", 1),
        "c.jsonl": ("jsonl", 2),
        "d.parquet": ("parquet", 3),
        "e.log": ("lines", 2),
    }
    assert read["c.jsonl"].accounts[0].ragged == [tables.Ragged(3, 0)]
    assert read["d.parquet"].lines.tolist() == [1, 2, 3]


def test_a_folder_of_logs_is_asked_for_their_names(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("started\nstopped\n")
    (tmp_path / "web.log").write_text("GET /\n")
    (tmp_path / "core").write_bytes(bytes(9000))
    (tmp_path / "few.csv").write_text("a,b\n")
    found = files.read(tmp_path)
    assert found.labels is not None
    assert (found.origin, found.labels.to_pylist()) == ("file_name", ["app.log", "app.log", "web.log"])
    assert found.notes == [
        f"{tmp_path}/few.csv is left out: most of the folder is lines; explore the others on their own",
        f"{tmp_path}/core is left out: binary: a NUL byte stands in its first 8 KiB",
    ]


def test_tables_of_other_columns_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    (tmp_path / "b.csv").write_text("x,z\n1,2\n")
    found = files.read(tmp_path)
    assert found.table.num_rows == 2
    assert found.notes == [f"{tmp_path}/b.csv is left out: the columns are others than those of most rows"]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "missing.csv"
    with pytest.raises(UseCaseError) as no_file:
        files.read(missing)
    assert str(no_file.value) == (
        f"{missing}: no such file or folder; expected a use case, a folder of data, or a file of it"
    )
    expected = {
        "empty.csv": (b"", "expected rows, found an empty file"),
        "names.csv": (b"a,b\n", "expected a table or lines of text, found none that can be read: it holds no rows"),
        "junk.csv": (
            bytes(range(256)) * 40,
            "expected a table or lines of text, found none that can be read: "
            "binary: a NUL byte stands in its first 8 KiB",
        ),
        "junk.parquet": (
            b"no parquet",
            "expected a table or lines of text, found none that can be read: not a whole Parquet file: ",
        ),
    }
    for name, (raw, message) in expected.items():
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(DataError) as refused:
            files.read(tmp_path / name)
        assert str(refused.value).startswith(f"{tmp_path / name}: {message}")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError) as empty:
        files.read(tmp_path / "nothing")
    assert str(empty.value) == (
        f"{tmp_path}/nothing: expected files of data, found none in this folder (hidden files do not count)"
    )
