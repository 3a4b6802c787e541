"""A writer rotates its log while it is followed, and the reader is restarted again and again: every line comes once."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from files_reading import append, copy_and_truncate, in_thread

from afield.connectors.sources.files.source import FilesSource
from afield.connectors.sources.files.spec import Files

LIVES, LINES = 12, 200


def renamed(log: Path, number: int) -> None:
    log.rename(log.with_name(f"app.log.{number}"))


def compressed(log: Path, number: int) -> None:
    old = log.with_name(f"app.log.{number}")
    log.rename(old)
    hidden = log.with_name(f".app.log.{number}.gz")
    hidden.write_bytes(gzip.compress(old.read_bytes()))
    hidden.rename(log.with_name(f"app.log.{number}.gz"))
    old.unlink()


def copied(log: Path, number: int) -> None:
    copy_and_truncate(log, log.with_name(f"app.log.{number}"))


@pytest.mark.parametrize("path", ["app.log", "app.log*"])
@pytest.mark.parametrize("rotate", [renamed, compressed, copied])
def test_every_line_comes_once(tmp_path: Path, path: str, rotate: Callable[[Path, int], None]) -> None:
    log = tmp_path / "app.log"
    found: list[str] = []

    def write() -> None:
        for life in range(LIVES):
            append(log, f"life {life} line 0\n")
            # A file that comes and goes between two looks cannot be known; one that was seen is read to its end.
            while f"life {life} line 0" not in found:
                time.sleep(0.001)
            for line in range(1, LINES):
                append(log, f"life {life} line {line}\n")
            rotate(log, life)

    writer = in_thread(write)
    position: dict[str, str] = {}
    quiet = 0
    while writer.is_alive() or quiet < 40:
        source = FilesSource(Files(path=path), base=tmp_path, follow=True, labelled=False, poll=0.002, chunk=1000)
        batches = source.batches(position)
        for batch in islice(batches, 60):
            position.update(batch.position)
            found += batch.records["text"].to_pylist()
            quiet = 0 if batch.records.num_rows or writer.is_alive() else quiet + 1
        batches.close()
    writer.join()
    assert sorted(found) == sorted(f"life {life} line {line}" for life in range(LIVES) for line in range(LINES))
