"""Every built-in source against the suite of its seam."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from files_reading import opened
from pictures import encoded

from afield.checks.source import SOURCE_CHECKS, Open, check_waits_with_empty_batches
from afield.connectors.base import Source
from afield.connectors.sources.files.source import FilesSource
from afield.connectors.sources.files.spec import Files
from afield.gallery.digits.simulator import write_idx

LINES = [f"{'>' if number % 3 else ' '} line {number} é" for number in range(300)]


def lines(folder: Path) -> FilesSource:
    return opened(folder, "*.log", chunk=1000)


def labelled(folder: Path) -> FilesSource:
    return opened(folder, "*.log*", label="file_name", labelled=True, chunk=1000)


def records(folder: Path) -> FilesSource:
    return opened(folder, "*.log", record_start=">", chunk=1000)


def objects(folder: Path) -> FilesSource:
    return opened(folder, "*.jsonl", chunk=1000)


def tables(folder: Path) -> FilesSource:
    return opened(folder, "t*", exclude=["*.jsonl"], label=["folder", "kind"], labelled=True)


def digits(folder: Path) -> FilesSource:
    return opened(folder, "*-ubyte*", format="idx", label="label", labelled=True)


def pictures(folder: Path) -> FilesSource:
    return opened(folder, "pictures", format="images", label="folder", labelled=True)


def opener(kind: Callable[[Path], FilesSource], folder: Path) -> Open:
    (folder / "a.log").write_text("\n".join(LINES))
    (folder / "b.log").write_text("\n".join(LINES) + "\n")
    (folder / "c.log.gz").write_bytes(gzip.compress("\n".join(LINES).encode()))
    (folder / "d.jsonl").write_text("".join(f'{{"text": "{line}"}}\n' for line in LINES))
    (folder / "t.csv").write_text("kind,text\n" + "".join(f"{len(line)},{line}\n" for line in LINES))
    pq.write_table(pa.table({"kind": [1] * 300, "text": LINES}), folder / "t.parquet")

    pixels = np.arange(300 * 12, dtype=np.uint8).reshape(300, 4, 3)
    write_idx(folder, "a", pixels, pixels[:, 0, 0] % 10)
    write_idx(folder, "b", pixels[::-1], pixels[:, 0, 1] % 10)
    (folder / "pictures").mkdir()
    for number, image in enumerate(pixels):
        (folder / "pictures" / f"{number}.png").write_bytes(encoded(image))

    def open_source() -> Source:
        return kind(folder)

    return open_source


@pytest.mark.parametrize("kind", [lines, labelled, records, objects, tables, digits, pictures])
@pytest.mark.parametrize("check", SOURCE_CHECKS)
def test_files(check: Callable[[Open], None], kind: Callable[[Path], FilesSource], tmp_path: Path) -> None:
    check(opener(kind, tmp_path))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("*.log", "auto"),
        ("*.jsonl", "auto"),
        ("t.csv", "auto"),
        ("nothing*", "auto"),
        ("*-ubyte.gz", "idx"),
        ("pictures", "images"),
    ],
)
def test_followed_files_wait(path: str, kind: Any, tmp_path: Path) -> None:
    opener(lines, tmp_path)
    check_waits_with_empty_batches(
        lambda: Files(path=path, format=kind).open(base=tmp_path, follow=True, labelled=False, poll=0.005)
    )
