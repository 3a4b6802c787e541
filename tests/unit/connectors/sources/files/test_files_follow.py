"""Followed files: growth, rotation in all its forms, truncation, files that come and go."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from files_reading import Following, append, copy_and_truncate

from afield.connectors.sources.files.source import FilesSource
from afield.connectors.sources.files.spec import Files
from afield.errors import DataError

GLOBS = ["app.log", "app.log*"]


def numbered(first: int, last: int) -> str:
    return "".join(f"line {number} of the log\n" for number in range(first, last))


def test_lines_arrive_as_they_are_written(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, "one\n")
    with Following(tmp_path, "app.log") as followed:
        assert followed.new() == ["one"]
        append(log, "two\nthree\n")
        assert followed.new() == ["two", "three"]
        assert followed.new() == []


def test_a_half_written_line_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, "one\ntw")
    with Following(tmp_path, "app.log") as followed:
        assert followed.new(20) == ["one"]
        append(log, "o")
        assert followed.new(20) == []
        append(log, "\nthree")
        found = followed.rows()
        assert [(row["text"], row["_offset"], row["_line"]) for row in found] == [("two", 4, 2)]
    with Following(tmp_path, "app.log", followed.position) as followed:
        append(log, "\n")
        assert followed.new() == ["three"]


def test_files_appear_and_folders_too(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with Following(tmp_path, "logs/**/*.log") as followed:
        assert followed.new() == []
        append(tmp_path / "logs/a.log", "a\n")
        (tmp_path / "logs/deep").mkdir()
        append(tmp_path / "logs/deep/b.log", "b\n")
        assert sorted(followed.new()) == ["a", "b"]


def test_a_folder_that_is_nowhere_is_an_error(tmp_path: Path) -> None:
    source = FilesSource(Files(path="no/where/*.log"), base=tmp_path, follow=True, labelled=False)
    with pytest.raises(DataError) as caught:
        next(source.batches({}))
    assert str(caught.value) == (f"no/where/*.log: there is no folder {tmp_path}/no; create it, or correct path:")


@pytest.mark.parametrize("path", GLOBS)
def test_rotation_by_renaming(tmp_path: Path, path: str) -> None:
    log = tmp_path / "app.log"
    append(log, "one\n")
    with Following(tmp_path, path) as followed:
        assert followed.new() == ["one"]
        append(log, "two\nhal")
        log.rename(tmp_path / "app.log.1")
        append(log, "three\n")
        append(tmp_path / "app.log.1", "f\nfour\nrest")
        found = followed.rows()
        assert sorted(row["text"] for row in found) == ["four", "half", "rest", "three", "two"]
        old = {row["_stream"] for row in found if row["text"] != "three"}
        assert len(old) == 1
        (tmp_path / "app.log.1").rename(tmp_path / "app.log.2")
        log.rename(tmp_path / "app.log.1")
        append(log, "five\n")
        assert followed.new() == ["five"]


@pytest.mark.parametrize("path", GLOBS)
def test_rotation_by_copying_and_truncating(tmp_path: Path, path: str) -> None:
    log = tmp_path / "app.log"
    append(log, numbered(0, 30))
    with Following(tmp_path, path) as followed:
        assert len(followed.new()) == 30
        append(log, numbered(30, 35))
        copy_and_truncate(log, tmp_path / "app.log.1")
        append(log, numbered(35, 40))
        assert sorted(followed.new(20)) == sorted(numbered(30, 40).splitlines())
        assert followed.source.report.truncated == 1
    position = followed.position
    with Following(tmp_path, path, position) as followed:
        assert followed.new(20) == []


def test_a_copy_that_was_read_to_its_end_is_not_read_again(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, numbered(0, 30))
    with Following(tmp_path, "app.log*") as followed:
        assert len(followed.new()) == 30
        copy = tmp_path / "app.log.1"
        copy.write_bytes(log.read_bytes())
        # The writer goes on between the copy and the truncation: these lines are in no copy, but they were read.
        append(log, numbered(30, 32))
        assert len(followed.new(20)) == 2
        os.truncate(log, 0)
        append(log, numbered(32, 34))
        assert followed.new(20) == numbered(32, 34).splitlines()
    with Following(tmp_path, "app.log*", followed.position) as again:
        assert again.new(20) == []


@pytest.mark.parametrize("path", GLOBS)
def test_rotation_with_compression(tmp_path: Path, path: str) -> None:
    log, old = tmp_path / "app.log", tmp_path / "app.log.1"
    append(log, numbered(0, 30))
    with Following(tmp_path, path) as followed:
        assert len(followed.new()) == 30
        append(log, numbered(30, 32))
        log.rename(old)
        append(log, numbered(32, 33))
        assert sorted(followed.new()) == sorted(numbered(30, 33).splitlines())
        (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(old.read_bytes()))
        assert followed.new() == []
        old.unlink()
        assert followed.new(20) == []
        append(log, numbered(33, 34))
        assert followed.new() == numbered(33, 34).splitlines()
    with Following(tmp_path, path, followed.position) as again:
        assert again.new(20) == []


def test_rotation_with_compression_at_once(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, numbered(0, 30))
    with Following(tmp_path, "app.log*") as followed:
        assert len(followed.new()) == 30
        content = log.read_bytes() + numbered(30, 33).encode()
        (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(content))
        log.unlink()
        append(log, numbered(33, 34))
        assert sorted(followed.new(20)) == sorted(numbered(30, 34).splitlines())


def test_truncation_begins_a_new_stream(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, numbered(0, 5))
    with Following(tmp_path, "app.log") as followed:
        first = followed.rows()
        os.truncate(log, 0)
        assert followed.rows() == []
        append(log, numbered(0, 2))
        second = followed.rows()
    assert [row["text"] for row in second] == numbered(0, 2).splitlines()
    assert second[0]["_stream"] == f"{first[0]['_stream']}-2"
    assert [row["_line"] for row in second] == [1, 2]


def test_overwriting_with_more_than_before_is_seen(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, "a\n" * 10)
    with Following(tmp_path, "app.log") as followed:
        assert len(followed.new()) == 10
        log.write_text("b\n" * 30)
        assert followed.new() == ["b"] * 30


def test_a_file_made_anew_is_a_new_stream(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with Following(tmp_path, "app.log") as followed:
        for _ in range(4):
            append(log, "same\n")
            assert followed.new() == ["same"]
            log.unlink()
            assert followed.new() == []


def test_what_was_written_before_a_removal_is_read(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, "one\n")
    with Following(tmp_path, "app.log") as followed:
        assert followed.new() == ["one"]
        append(log, "two\nlast words")
        log.unlink()
        assert followed.new() == ["two", "last words"]


def test_files_take_turns(tmp_path: Path) -> None:
    for name in ("a.log", "b.log"):
        append(tmp_path / name, f"{name}\n" * 100)
    with Following(tmp_path, "*.log", chunk=120) as followed:
        names = [row["text"] for row in followed.rows()]
        assert len(names) == 200
        assert {"a.log", "b.log"} == set(names[:60])


def test_a_record_of_several_lines_waits_for_the_next_or_for_quiet(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, "> one\n more\n")
    with Following(tmp_path, "app.log", record_start=">") as followed:
        append(log, " and more\n> two\n")
        assert followed.new(20) == ["> one\n more\n and more", "> two"]
        append(log, "> three\n")
        assert followed.new(20) == ["> three"]
    with Following(tmp_path, "app.log", followed.position, record_start=">") as again:
        assert again.new(20) == []


def test_json_lines_and_drop_folders_of_tables_are_followed(tmp_path: Path) -> None:
    with Following(tmp_path, ".") as followed:
        append(tmp_path / "a.jsonl", '{"text": "one"}\n{"text": "tw')
        append(tmp_path / "b.csv", "text\nthree\n")
        (tmp_path / "c.log.gz").write_bytes(gzip.compress(b"four\n"))
        assert sorted(followed.new(20)) == ["four", "one", "three"]
        append(tmp_path / "a.jsonl", 'o"}\n')
        append(tmp_path / "b.csv", "five\n")
        assert sorted(followed.new(20)) == ["five", "two"]
    with Following(tmp_path, ".", followed.position) as again:
        assert again.new(20) == []


def test_binary_files_are_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"\0\1\n")
    append(tmp_path / "b.log", "text\n")
    with Following(tmp_path, "*.log") as followed:
        assert followed.new() == ["text"]
        assert set(followed.source.report.skipped) == {"a.log"}


def test_after_a_restart_the_rest_of_a_rotated_file_comes(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, numbered(0, 10))
    with Following(tmp_path, "app.log") as followed:
        assert len(followed.new()) == 10
    append(log, numbered(10, 12))
    log.rename(tmp_path / "app.log.1")
    append(log, numbered(12, 13))
    with Following(tmp_path, "app.log", followed.position) as again:
        assert sorted(again.new(20)) == sorted(numbered(10, 13).splitlines())


def test_names_stay_the_same_after_a_crash_before_the_first_commit(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, numbered(0, 3))
    with Following(tmp_path, "app.log*") as first:
        before = first.rows()
    append(log, numbered(3, 4))
    log.rename(tmp_path / "app.log.1")
    with Following(tmp_path, "app.log*") as second:
        after = second.rows()
    assert [(row["_stream"], row["_offset"], row["_line"]) for row in after[:3]] == [
        (row["_stream"], row["_offset"], row["_line"]) for row in before
    ]


def test_a_file_that_cannot_be_opened_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(tmp_path / "a.log", "one\n")
    append(tmp_path / "b.log", "two\n")
    really_open = os.open
    refused = {"left": 3}

    def open_later(path: Path, flags: int, *rest: object, **named: object) -> int:
        if Path(path).name == "a.log" and refused["left"]:
            refused["left"] -= 1
            raise OSError(24, "Too many open files")
        return really_open(path, flags, *rest, **named)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(os, "open", open_later)
    with Following(tmp_path, "*.log") as followed:
        assert followed.new() == ["two", "one"]
        assert followed.source.report.skipped == {}


def test_quiet_files_are_closed_and_opened_again(tmp_path: Path) -> None:
    for number in range(50):
        log = tmp_path / f"{number}.log"
        append(log, f"{number}\n")
        os.utime(log, (1e9, 1e9))
    descriptors = Path("/proc/self/fd")
    with Following(tmp_path, "*.log") as followed:
        before = len(list(descriptors.iterdir()))
        assert len(followed.new()) == 50
        assert len(list(descriptors.iterdir())) <= before + 2
        append(tmp_path / "7.log", "more\n")
        (tmp_path / "9.log").write_text("x\n" * 9)
        assert sorted(followed.new()) == ["more", *["x"] * 9]
