"""Files read once: which, in what order, and what is said about those that cannot be read."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from files_reading import opened, rows, texts

from afield.connectors.base import FILE, LABEL, LINE, OFFSET, STREAM
from afield.errors import DataError, StateError


def test_a_folder_is_read_below_and_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.log", "a/z.log", "a/.hidden.log", ".git/x.log", "c.bak"):
        (tmp_path / "logs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "logs" / name).write_text(f"{name}\n")
    source = opened(tmp_path, "logs", exclude=["*.bak"])
    found = rows(source.batches({}))
    assert [(row["text"], row[FILE]) for row in found] == [("a/z.log", "logs/a/z.log"), ("b.log", "logs/b.log")]
    assert source.report.read == {"logs/a/z.log": 1, "logs/b.log": 1}
    assert (source.report.files, source.report.records, source.report.bytes) == (2, 2, 14)
    assert source.report.skipped == {}


def test_a_glob_crosses_folders(tmp_path: Path) -> None:
    for name in ("x.log", "a/y.log", "a/b/z.log", "a/b/z.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n")
    assert texts(opened(tmp_path, "**/*.log").batches({})) == ["a/b/z.log", "a/y.log", "x.log"]
    assert texts(opened(tmp_path, f"{tmp_path}/a/*.log").batches({})) == ["a/y.log"]
    assert texts(opened(tmp_path, "a/b/z.txt").batches({})) == ["a/b/z.txt"]


def test_a_file_with_several_names_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "z-2024.log").write_text("one\n")
    (tmp_path / "current.log").symlink_to("z-2024.log")
    (tmp_path / "hard.log").hardlink_to(tmp_path / "z-2024.log")
    found = rows(opened(tmp_path, "*.log", label="file_name", labelled=True).batches({}))
    assert [row[LABEL] for row in found] == ["hard.log"]


def test_columns_of_lines(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes("erste Zeile ä\r\n\r\nlast".encode())
    batch, last = opened(tmp_path, "a.log", label="file_name", labelled=True).batches({})
    words = pa.dictionary(pa.int32(), pa.string())
    assert batch.records.schema == pa.schema(
        [
            ("text", pa.string()),
            (STREAM, words),
            (OFFSET, pa.int64()),
            (FILE, words),
            (LINE, pa.int64()),
            (LABEL, words),
        ]
    )
    batch.records.validate(full=True)
    table = batch.records.to_pydict()
    assert table["text"] == ["erste Zeile ä", ""]
    assert table[OFFSET] == [0, 16]
    assert table[LINE] == [1, 2]
    assert table[LABEL] == ["a.log"] * 2
    assert [(row["text"], row[OFFSET], row[LINE]) for row in rows([last])] == [("last", 18, 3)]
    assert list(batch.position) == [table[STREAM][0]]


def test_bad_utf8_and_long_lines_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"caf\xe9 \xff\n" + b"x" * 100 + b"\nok \xef\xbf\xbd\n")
    source = opened(tmp_path, max_record_bytes=16)
    assert texts(source.batches({})) == ["caf\ufffd \ufffd", "x" * 16, "ok \ufffd"]
    assert (source.report.replaced_utf8, source.report.cut) == (2, 1)


def test_batches_have_one_file_and_at_most_65536_records(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"\n" * 150_000)
    (tmp_path / "b.log").write_bytes(b"x\n")
    batches = list(opened(tmp_path).batches({}))
    assert [batch.records.num_rows for batch in batches] == [65536, 65536, 18928, 1]


def test_what_cannot_be_read_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "binary.log").write_bytes(b"\x7fELF\0\0")
    (tmp_path / "binary.log.gz").write_bytes(gzip.compress(b"text" + b"\0" * 10))
    (tmp_path / "broken.gz").write_bytes(b"this is no gzip")
    (tmp_path / "gone.log").symlink_to("nowhere")
    (tmp_path / "good.log").write_text("good\n")
    (tmp_path / "half.log.gz").write_bytes(gzip.compress(b"one\ntwo\n", mtime=0)[:-8])
    os.mkfifo(tmp_path / "pipe.log")
    source = opened(tmp_path)
    assert texts(source.batches({})) == ["good", "one", "two"]
    binary = (
        "binary: a NUL byte stands in its first 8 KiB (UTF-16 text has them too: convert it with iconv); "
        "leave it out with exclude:"
    )
    assert source.report.skipped == {
        "binary.log": binary,
        "binary.log.gz": binary,
        "broken.gz": "damaged after byte 0 of its content: zlib inflate failed: incorrect header check",
        "gone.log": "no such file or directory",
    }
    assert source.report.damaged == {"half.log.gz": "damaged after byte 8 of its content: Truncated compressed stream"}
    assert source.report.files == 2


def test_an_unreadable_file_or_folder_is_skipped() -> None:
    # Root may read every file: the reading gives up its rights, in a process of its own.
    told = subprocess.run([sys.executable, "-c", WITHOUT_RIGHTS], check=True, capture_output=True, text=True)
    assert told.stdout.splitlines() == ["['open']", "{'a.log': 'permission denied', 'c': 'permission denied'}"]


WITHOUT_RIGHTS = """
import os, tempfile
from pathlib import Path
import pyarrow.compute
from afield.connectors.sources.files.source import FilesSource
from afield.connectors.sources.files.spec import Files

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    folder.chmod(0o755)
    (folder / "a.log").write_text("secret")
    (folder / "a.log").chmod(0)
    (folder / "b.log").write_text("open")
    (folder / "c").mkdir()
    (folder / "c").chmod(0)
    rights = os.geteuid()
    if rights == 0:
        os.seteuid(65534)
    source = FilesSource(Files(path="."), base=folder, follow=False, labelled=False)
    print([text for batch in source.batches({}) for text in batch.records["text"].to_pylist()])
    print(dict(sorted(source.report.skipped.items())))
    os.seteuid(rights)
"""


def test_a_file_that_vanishes_before_it_is_read_is_skipped(tmp_path: Path) -> None:
    for name in ("a.log", "b.log", "c.log"):
        (tmp_path / name).write_text(f"{name}\n")
    source = opened(tmp_path)
    batches = source.batches({})
    first = next(batches)
    (tmp_path / "b.log").unlink()
    assert texts([first, *batches]) == ["a.log", "c.log"]
    assert source.report.skipped == {"b.log": "renamed or removed since the folder was looked at"}


def nothing(base: Path, path: str, **fields: object) -> str:
    with pytest.raises(DataError) as caught:
        list(opened(base, path, **fields).batches({}))
    return str(caught.value)


def test_nothing_to_read_is_an_error_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    assert nothing(tmp_path, "logs") == (
        f"logs: expected files, found none in the folder {tmp_path}/logs (hidden files do not count)"
    )
    assert nothing(tmp_path, "log") == (
        f"log: expected a file or a folder, found neither at {tmp_path}/log; correct path: of the source"
    )
    assert nothing(tmp_path, "logs/*.log") == (
        f"logs/*.log: expected files, found none that match in {tmp_path}; correct path: of the source"
    )
    (tmp_path / "logs/a.log").write_text("")
    assert nothing(tmp_path, "logs", exclude=["*.log"]) == (
        f"logs: expected files, found none that exclude: leaves in the folder {tmp_path}/logs "
        "(hidden files do not count)"
    )
    assert nothing(tmp_path, "logs", label="file_name", labelled=True) == (
        "logs: expected records, found only empty files (1); correct path: of the source"
    )
    (tmp_path / "logs/a.log").write_bytes(b"\0")
    assert nothing(tmp_path, "logs") == (
        "logs: expected files with records, found none that can be read: logs/a.log: binary: a NUL byte stands in its "
        "first 8 KiB (UTF-16 text has them too: convert it with iconv); leave it out with exclude:"
    )


def test_an_empty_file_is_no_error_for_running(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("")
    assert list(opened(tmp_path).batches({})) == []


def test_a_position_of_another_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n")
    with pytest.raises(StateError) as caught:
        list(opened(tmp_path).batches({"topic-3": "1841"}))
    assert str(caught.value) == (
        "stored position of stream topic-3: expected a cursor of a file, found '1841'; it belongs to another source, "
        "or is damaged: start with a new position"
    )


def test_records_of_several_lines(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("INFO a\nERROR b\n  at x\n  at y\nINFO c\n")
    found = rows(opened(tmp_path, record_start="[A-Z]", chunk=5).batches({}))
    assert [(row["text"], row[LINE], row[OFFSET]) for row in found] == [
        ("INFO a", 1, 0),
        ("ERROR b\n  at x\n  at y", 2, 7),
        ("INFO c", 5, 29),
    ]


def test_real_logs_are_read_whole(data: Path) -> None:
    counts = {"linux_auth_elastic": 7121, "nginx_access_zanbil_100k": 100_000, "pgbouncer_2018": 127_910}
    for name, count in counts.items():
        source = opened(data / "logs", f"{name}.log.gz")
        assert sum(batch.records.num_rows for batch in source.batches({})) == count
        assert source.report.damaged == {}
