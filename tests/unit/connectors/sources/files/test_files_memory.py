"""Memory stays flat, however large the files are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LINE = b"2024-05-01 12:00:00,123 INFO service.module [worker-17] request 4711 answered in 12 ms with status 200 OK\n"
MEBIBYTE = 2**20

PEAK = """
import re
from pathlib import Path

def peak():
    # What getrusage says would hold the memory of the process that started this one too.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
"""

FILES = """
import sys
from afield.connectors.sources.files.spec import Files

source = Files(path=sys.argv[1]).open(base=Path("/"), follow=False, labelled=False)
for batch in source.batches({}):
    pass
print(source.report.records, source.report.cut, peak())
"""

STANDARD_INPUT = """
import sys
from afield.connectors.sources.files.spec import Files
from afield.connectors.sources.files.standard_input import lines

spec = Files(path="-", max_record_bytes=int(sys.argv[1]))
lengths = [len(text) for batch in lines(sys.stdin.buffer, spec) for text in batch["text"].to_pylist()]
print(len(lengths), *lengths, peak())
"""


def read(path: Path) -> list[int]:
    """Records, cut records, and the peak of resident memory in MiB, of a process of its own."""
    told = subprocess.run([sys.executable, "-c", PEAK + FILES, str(path)], check=True, capture_output=True, text=True)
    return [int(word) for word in told.stdout.split()]


def lines(path: Path, size: int) -> int:
    """Writes a file of about that size; returns its number of lines."""
    block = LINE * 10_000
    with path.open("wb") as file:
        for _ in range(size // len(block)):
            file.write(block)
    return size // len(block) * 10_000


def one_line(path: Path, size: int) -> None:
    """Writes a file without a newline, most of it a hole."""
    path.write_bytes(b"x" * 10_000)
    os.truncate(path, size)


@pytest.mark.parametrize("size", [200 * MEBIBYTE, pytest.param(2048 * MEBIBYTE, marks=pytest.mark.long)])
def test_lines_take_no_memory(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.log"
    count = lines(path, size)
    records, _, peak = read(path)
    path.unlink()
    assert records == count
    assert peak < 400


@pytest.mark.parametrize("size", [200 * MEBIBYTE, pytest.param(2048 * MEBIBYTE, marks=pytest.mark.long)])
def test_one_line_without_end_takes_no_memory(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.log"
    one_line(path, size)
    records, cut, peak = read(path)
    assert (records, cut) == (1, 1)
    assert peak < 400


def test_millions_of_empty_lines_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"\n" * 20 * MEBIBYTE)
    records, _, peak = read(path)
    assert records == 20 * MEBIBYTE
    assert peak < 400


@pytest.mark.parametrize("limit", [2**20, 2**26])
def test_one_line_without_end_on_the_standard_input(limit: int) -> None:
    command = [sys.executable, "-c", PEAK + STANDARD_INPUT, str(limit)]
    told = subprocess.run(command, input=b"x" * 50 * MEBIBYTE, check=True, capture_output=True).stdout
    count, length, peak = map(int, told.split())
    assert (count, length) == (1, min(limit, 50 * MEBIBYTE))
    assert peak < (300 if limit < 50 * MEBIBYTE else 500)
