"""CSV, JSON Lines and Parquet: columns, bad rows, labels from columns, and resuming in the middle."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from files_reading import opened, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from afield.connectors.base import LABEL, LINE, OFFSET
from afield.errors import DataError

FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=8)


def test_every_column_of_csv_is_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,name\n007,"a\nb"\n8,"say ""x"""\n,\n', encoding="utf-8-sig")
    (batch,) = opened(tmp_path).batches({})
    assert batch.records.schema.types[:2] == [pa.string(), pa.string()]
    table = batch.records.to_pydict()
    assert (table["id"], table["name"]) == (["007", "8", ""], ["a\nb", 'say "x"', ""])
    assert (table[OFFSET], table[LINE]) == ([0, 1, 2], [2, 4, 5])


@settings(deadline=None)
@given(st.lists(st.tuples(FIELD, FIELD, st.just("x")), min_size=1, max_size=12))
def test_csv_as_python_writes_it(tmp_path_factory: pytest.TempPathFactory, records: list[tuple[str, ...]]) -> None:
    folder = tmp_path_factory.mktemp("csv")
    with (folder / "a.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("one", "two", "three"), *records])
    found = rows(opened(folder).batches({}))
    assert [(row["one"], row["two"], row["three"]) for row in found] == records
    line = 2
    for number, row in enumerate(found):
        assert (row[OFFSET], row[LINE]) == (number, line)
        line += 1 + row["one"].count("\n") + row["two"].count("\n")


def test_rows_with_too_few_or_many_fields_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n3\n4,5,6\n7,\xff\n")
    source = opened(tmp_path)
    found = rows(source.batches({}))
    assert [(row["a"], row["b"], row[OFFSET], row[LINE]) for row in found] == [("1", "2", 0, 2), ("7", "\ufffd", 3, 5)]
    assert (source.report.rejected, source.report.rejected_at) == (2, {"a.csv": [3, 4]})
    assert source.report.replaced_utf8 == 1


def test_tabs_in_tsv_and_gz(tmp_path: Path) -> None:
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(b"a\tb\n1,5\tx\n"))
    (row,) = rows(opened(tmp_path).batches({}))
    assert (row["a"], row["b"]) == ("1,5", "x")


def test_large_csv_resumes_at_a_row(tmp_path: Path) -> None:
    lines = [f'{number},"text {number}"' + ("\n7" if number % 1000 == 13 else "") for number in range(200_000)]
    (tmp_path / "a.csv").write_text("\n".join(["n,text", *lines, ""]))
    source = opened(tmp_path)
    batches = list(source.batches({}))
    assert len(batches) > 3
    assert source.report.rejected == 200
    everything = rows(batches)
    assert [row["n"] for row in everything] == [str(number) for number in range(200_000)]
    assert [row[OFFSET] for row in everything] == [int(row["n"]) + (int(row["n"]) + 986) // 1000 for row in everything]
    done = batches[0].records.num_rows
    assert rows(opened(tmp_path).batches(batches[0].position)) == everything[done:]


def test_bad_json_is_left_out_and_types_stay(tmp_path: Path) -> None:
    lines = [
        '\ufeff{"a": 1, "b": "x"}',
        "not json",
        "",
        "[1]",
        '{"a": 2.5, "c": [1, 2]}',
        '{"b": null}',
        '{"a": "t"}',
        "{",
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    source = opened(tmp_path)
    found = rows(source.batches({}))
    assert [(row["a"], row["b"], row["c"], row[LINE]) for row in found] == [
        ("1", "x", None, 1),
        ("2.5", None, [1, 2], 5),
        (None, None, None, 6),
        ("t", None, None, 7),
    ]
    assert source.report.rejected_at == {"a.jsonl": [2, 4, 8]}


def test_numbers_of_json_stay_numbers_from_batch_to_batch(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1, "b": true}\n{"b": false}\n{"a": 2.5}\n{"a": 3}\n')
    batches = list(opened(tmp_path, chunk=15).batches({}))
    assert [row["a"] for row in rows(batches)] == [1, None, 2.5, 3]
    assert batches[-1].records.schema.field("a").type == pa.float64()
    assert batches[-1].records.schema.field("b").type == pa.bool_()


def test_a_file_without_one_json_object_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[\n{}\n")
    (tmp_path / "b.json").write_text('[\n  {"a":\n 1}\n]\n')
    source = opened(tmp_path, "*.json", format="jsonl")
    rows(source.batches({}))
    assert source.report.skipped == {"b.json": "none of its rows could be read, the first at line 1"}


def test_parquet_keeps_its_types_and_resumes(tmp_path: Path) -> None:
    table = pa.table({"n": pa.array(range(200_000), pa.int64()), "x": pa.array([0.5] * 200_000, pa.float32())})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=30_000)
    batches = list(opened(tmp_path).batches({}))
    assert batches[0].records.schema.types[:2] == [pa.int64(), pa.float32()]
    everything = rows(batches)
    assert [row["n"] for row in everything] == [row[OFFSET] for row in everything] == list(range(200_000))
    assert rows(opened(tmp_path).batches(batches[1].position)) == everything[2 * 65536 :]
    assert list(opened(tmp_path).batches(batches[-1].position)) == []


def test_damaged_parquet_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing")
    (tmp_path / "b.csv").write_text("a\n1\n")
    source = opened(tmp_path)
    assert len(rows(source.batches({}))) == 1
    assert source.report.skipped["a.parquet"].startswith("not a whole Parquet file: ")


def test_only_the_columns_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b,c\n1,2,3\n")
    (tmp_path / "b.jsonl").write_text('{"a": "1", "c": "3"}\n')
    pq.write_table(pa.table({"a": ["1"], "b": ["2"], "c": ["3"]}), tmp_path / "c.parquet")
    batches = list(opened(tmp_path, columns=["b", "a"], label="c", labelled=True).batches({}))
    assert [batch.records.schema.names[:2] for batch in batches] == [["b", "a"]] * 3
    assert [(row["a"], row["b"], row[LABEL]) for row in rows(batches)] == [
        ("1", "2", "3"),
        ("1", None, "3"),
        ("1", "2", "3"),
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_label_that_is_not_there_names_the_nearest(tmp_path: Path, name: str) -> None:
    if name.endswith("csv"):
        (tmp_path / name).write_text("Content,EventId\nx,E1\n")
    elif name.endswith("jsonl"):
        (tmp_path / name).write_text('{"Content": "x", "EventId": "E1"}\n')
    else:
        pq.write_table(pa.table({"Content": ["x"], "EventId": ["E1"]}), tmp_path / name)
    with pytest.raises(DataError) as caught:
        list(opened(tmp_path, label="EventID", labelled=True).batches({}))
    assert str(caught.value) == (
        f"{name}: expected a column EventID, found Content, EventId; the nearest is EventId; correct its name in "
        "label: or columns: of the source, or leave the file out with exclude:"
    )


def test_a_reserved_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("_line,x\n1,2\n")
    with pytest.raises(DataError) as caught:
        list(opened(tmp_path).batches({}))
    assert str(caught.value) == (
        "a.csv: the name of column _line is reserved for where a record came from; rename it, or name the others in "
        "columns: of the source"
    )


def test_all_of_loghub_is_read(data: Path) -> None:
    source = opened(data / "loghub_2k", "*/*_structured.csv", label=["folder", "EventId"], labelled=True)
    found = rows(source.batches({}))
    assert set(source.report.read.values()) == {2000}
    assert len(source.report.read) == 16
    assert source.report.rejected == 0
    assert {row[LABEL] for row in found if row[LABEL].startswith("Apache/")} == {
        "Apache/E1",
        "Apache/E2",
        "Apache/E3",
        "Apache/E4",
        "Apache/E5",
        "Apache/E6",
    }
