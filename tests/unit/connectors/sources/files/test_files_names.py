"""Files whose names are no UTF-8 are read like any other, and found again."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from files_reading import Following, append, opened, rows, texts

from afield.connectors.sources.files.utf8 import readable


def named(folder: Path, name: bytes) -> Path:
    """A path with these bytes, where the file system takes them."""
    path = folder / os.fsdecode(name)
    try:
        path.write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    path.unlink()
    return path


def test_readable() -> None:
    assert readable(os.fsdecode(b"caf\xe9/\xff.log")) == "caf\\xe9/\\xff.log"
    assert readable(Path("café.log")) == "café.log"


def test_two_such_names_are_two_labels(tmp_path: Path) -> None:
    for name in (b"caf\xe9.log", b"caf\xe8.log"):
        named(tmp_path, name).write_text("one\ntwo\n")
    source = opened(tmp_path, "*.log", labelled=True, label="file_name")
    found = rows(source.batches({}))
    assert {row["_label"] for row in found} == {"caf\\xe9.log", "caf\\xe8.log"}
    assert source.report.read == {"caf\\xe9.log": 2, "caf\\xe8.log": 2}
    assert source.report.skipped == {}


def test_every_kind_of_file_and_the_folder(tmp_path: Path) -> None:
    folder = named(tmp_path, b"caf\xe9")
    folder.mkdir()
    named(folder, b"\xe9.log.1").write_text("line\n")
    named(folder, b"\xe9.log.gz").write_bytes(gzip.compress(b"packed\n"))
    named(folder, b"\xe9.csv").write_text("text\nrow\n")
    named(folder, b"\xe9.jsonl").write_text('{"text": "object"}\n')
    pq.write_table(pa.table({"text": ["cell"]}), tmp_path / "plain.parquet")
    (tmp_path / "plain.parquet").rename(named(folder, b"\xe9.parquet"))
    source = opened(tmp_path, labelled=True, label={"from": ["folder", "file_name"], "merge_rotated": True})
    assert [(row["text"], row["_label"], row["_file"]) for row in rows(source.batches({}))] == [
        ("row", "caf\\xe9/\\xe9.csv", "caf\\xe9/\\xe9.csv"),
        ("object", "caf\\xe9/\\xe9.jsonl", "caf\\xe9/\\xe9.jsonl"),
        ("line", "caf\\xe9/\\xe9.log", "caf\\xe9/\\xe9.log.1"),
        ("packed", "caf\\xe9/\\xe9.log", "caf\\xe9/\\xe9.log.gz"),
        ("cell", "caf\\xe9/\\xe9.parquet", "caf\\xe9/\\xe9.parquet"),
    ]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    named(tmp_path, b"\xe9.log").write_bytes(b"\0")
    named(tmp_path, b"\xe8.log").symlink_to("nowhere")
    (tmp_path / "good.log").write_text("line\n")
    source = opened(tmp_path)
    assert texts(source.batches({})) == ["line"]
    assert sorted(source.report.skipped) == ["\\xe8.log", "\\xe9.log"]


def test_followed_and_found_again(tmp_path: Path) -> None:
    log = named(tmp_path, b"caf\xe9.log")
    append(log, "one\n")
    with Following(tmp_path, ".") as following:
        assert following.new() == ["one"]
        append(log, "two\n")
        assert [(row["text"], row["_file"]) for row in following.rows()] == [("two", "caf\\xe9.log")]
    position = following.position
    assert all(cursor.isascii() and "\\udce9" in cursor for cursor in position.values())
    append(log, "three\n")
    with Following(tmp_path, ".", position) as following:
        assert following.new() == ["three"]
        log.rename(named(tmp_path, b"caf\xe9.log.1"))
        append(log, "four\n")
        assert following.new() == ["four"]
    assert texts(opened(tmp_path).batches(following.position)) == []


def test_a_copy_and_a_rotated_file_are_told_apart(tmp_path: Path) -> None:
    folder = named(tmp_path, b"caf\xe9")
    folder.mkdir()
    log = named(folder, b"\xe9.log")
    append(log, "one\n" * 100)
    position: dict[str, str] = {}
    for batch in opened(tmp_path, "*/*.log").batches({}):
        position.update(batch.position)
    append(log, "two\n")
    copy = named(folder, b"\xe9.log.1")
    copy.write_bytes(log.read_bytes())
    again = opened(tmp_path, "*/*")
    assert texts(again.batches(position)) == ["two"]
    assert again.report.skipped == {"caf\\xe9/\\xe9.log.1": "a copy of a file that was read already"}
    log.write_text("new\n")
    # What was not read of the rotated file is found, whether it is named by the use case or not.
    assert texts(opened(tmp_path, "*/*.log").batches(position)) == ["two", "new"]
