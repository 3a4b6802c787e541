"""Reading goes on exactly where it was left, whatever has become of the files in between."""

from __future__ import annotations

import bz2
import gzip
import os
from pathlib import Path

import pytest
from files_reading import append, copy_and_truncate, opened, rows, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from afield.connectors.sources.files.source import FilesSource

KINDS = ["a.log", "b.log.gz", "c.csv", "d.jsonl", "e.jsonl.bz2"]


def fill(folder: Path, name: str, lines: list[str]) -> None:
    if ".csv" in name:
        lines = ["n,text", *(f'{number},"{line}"' for number, line in enumerate(lines))]
    elif ".jsonl" in name:
        lines = [f'{{"n": {number}, "text": "{line}"}}' for number, line in enumerate(lines)]
    data = "".join(line + "\n" for line in lines).encode()
    compress = {".gz": gzip.compress, ".bz2": bz2.compress}.get(Path(name).suffix, bytes)
    (folder / name).write_bytes(compress(data))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "bc", "> start", ">", "", "é" * 9]), min_size=1, max_size=40),
    st.integers(5, 60),
    st.sampled_from([None, ">"]),
)
def test_resume_after_any_batch(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], chunk: int, start: str | None
) -> None:
    folder = tmp_path_factory.mktemp("files")
    for name in KINDS:
        fill(folder, name, lines)

    def source() -> FilesSource:
        return opened(folder, record_start=start, chunk=chunk)

    batches = list(source().batches({}))
    everything = rows(batches)
    position: dict[str, str] = {}
    done = 0
    for batch in batches:
        position.update(batch.position)
        done += batch.records.num_rows
        assert rows(source().batches(position)) == everything[done:]


def committed(folder: Path, path: str, most: int | None = None, **fields: object) -> tuple[dict[str, str], list[str]]:
    """The position after `most` batches, and the texts of these."""
    position: dict[str, str] = {}
    batches = list(opened(folder, path, **fields).batches({}))[:most]
    for batch in batches:
        position.update(batch.position)
    return position, texts(batches)


def test_what_was_added_is_read_and_nothing_else(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, "one\ntwo\n")
    position, _ = committed(tmp_path, "*.log")
    assert texts(opened(tmp_path, "*.log").batches(position)) == []
    append(log, "three\n")
    append(tmp_path / "new.log", "four\n")
    found = rows(opened(tmp_path, "*.log").batches(position))
    assert [(row["text"], row["_offset"], row["_line"]) for row in found] == [("three", 8, 3), ("four", 0, 1)]
    assert found[0]["_stream"] in position


@pytest.mark.parametrize("path", ["app.log", "app.log*"])
def test_a_renamed_file_is_finished(tmp_path: Path, path: str) -> None:
    log = tmp_path / "app.log"
    append(log, "one\n")
    position, _ = committed(tmp_path, path)
    append(log, "two\n")
    log.rename(tmp_path / "app.log.1")
    append(log, "three\n")
    assert sorted(texts(opened(tmp_path, path).batches(position))) == ["three", "two"]


@pytest.mark.parametrize("path", ["app.log", "app.log*"])
def test_a_compressed_file_is_finished_once(tmp_path: Path, path: str) -> None:
    log = tmp_path / "app.log"
    append(log, "one\n" * 100)
    position, _ = committed(tmp_path, path)
    append(log, "two\n")
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()
    append(log, "one\n")
    batches = list(opened(tmp_path, path).batches(position))
    assert sorted(texts(batches)) == ["one", "two"]
    assert [row["_offset"] for row in rows(batches) if row["text"] == "two"] == [400]
    for batch in batches:
        position.update(batch.position)
    assert texts(opened(tmp_path, path).batches(position)) == []


@pytest.mark.parametrize("path", ["app.log", "app.log*"])
def test_a_copied_and_truncated_file_is_finished_once(tmp_path: Path, path: str) -> None:
    log = tmp_path / "app.log"
    append(log, "one\ntwo\n")
    position, _ = committed(tmp_path, path)
    append(log, "three\n")
    copy_and_truncate(log, tmp_path / "app.log.1")
    append(log, "four\n")
    assert sorted(texts(opened(tmp_path, path).batches(position))) == ["four", "three"]


def test_a_copy_of_a_file_that_is_there_is_not_read_again(tmp_path: Path) -> None:
    append(tmp_path / "app.log", "one\ntwo\n")
    position, _ = committed(tmp_path, "app.log*")
    (tmp_path / "app.log.1").write_bytes((tmp_path / "app.log").read_bytes())
    source = opened(tmp_path, "app.log*")
    assert texts(source.batches(position)) == []
    assert source.report.skipped == {"app.log.1": "a copy of a file that was read already"}


def test_two_files_that_are_alike_are_both_read_at_first(tmp_path: Path) -> None:
    for name in ("app.log", "app.log.1", "other.log"):
        append(tmp_path / name, "same\n")
    position, found = committed(tmp_path, "*.log*")
    assert found == ["same"] * 3
    assert len(position) == 3
    assert texts(opened(tmp_path, "*.log*").batches(position)) == []


def test_a_truncated_file_gets_a_new_stream(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, "same first line\none\ntwo\n")
    position, _ = committed(tmp_path, "app.log")
    (stream,) = position
    os.truncate(log, 0)
    append(log, "same first line\nx\n")
    found = [rows(opened(tmp_path, "app.log").batches(position)) for _ in range(2)]
    assert [row["text"] for row in found[0]] == ["same first line", "x"]
    assert {row["_stream"] for row in found[0]} == {f"{stream}-2"}
    assert found[0] == found[1]


def test_a_file_overwritten_beyond_the_cursor_is_seen_by_what_stands_before_it(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    banner = "#" * 300 + "\n"
    append(log, banner + "a\n" * 100)
    position, _ = committed(tmp_path, "app.log")
    os.truncate(log, 0)
    append(log, banner + "b\n" * 200)
    assert len(texts(opened(tmp_path, "app.log").batches(position))) == 201


def test_a_new_file_under_the_old_name_is_new_though_it_begins_alike(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, "started\n")
    position, _ = committed(tmp_path, "app.log")
    log.rename(tmp_path / "kept")
    append(log, "started\n")
    (tmp_path / "kept").unlink()
    assert texts(opened(tmp_path, "app.log").batches(position)) == ["started"]


def test_a_file_put_back_from_a_backup_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, "".join(f"line {number}\n" for number in range(100)))
    position, _ = committed(tmp_path, "app.log")
    content = log.read_bytes()
    log.rename(tmp_path / "kept")
    log.write_bytes(content + b"next\n")
    (tmp_path / "kept").unlink()
    assert texts(opened(tmp_path, "app.log").batches(position)) == ["next"]


def test_rows_added_to_csv_are_read(tmp_path: Path) -> None:
    append(tmp_path / "a.csv", "text\none\n")
    position, _ = committed(tmp_path, "a.csv")
    append(tmp_path / "a.csv", "two\n")
    assert texts(opened(tmp_path, "a.csv").batches(position)) == ["two"]


def test_a_cursor_tells_nothing_of_the_records(tmp_path: Path) -> None:
    append(tmp_path / "a.log", "secret\n" * 3)
    position, _ = committed(tmp_path, "a.log")
    assert "secret" not in str(position)
