"""The code blocks of a document, run as a reader would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from afield.gallery.logs.simulator import simulate

_FENCE = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n+)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
COMMANDS = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Args:
        mark: the comment before it: `runs`, `fails: CODE`, `output`, `not run: REASON`, `file: NAME`, or none.
        language: after the fence.
        text: inside it.
        line: of the document.
    """

    mark: str
    language: str
    text: str
    line: int

    @property
    def code(self) -> int | None:
        """The exit code with which it must end; None where it is not run."""
        if self.mark == "runs":
            return 0
        return int(self.mark.removeprefix("fails: ")) if self.mark.startswith("fails: ") else None


def blocks(document: Path) -> list[Block]:
    """All fenced blocks of a document."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(found["mark"] or "", found["language"], found["text"], text.count("\n", 0, found.start("language")) + 1)
        for found in _FENCE.finditer(text)
    ]


def steps(document: Path) -> Iterator[tuple[Block, Block | None]]:
    """The blocks to run, in order, each with the output that must follow."""
    found = blocks(document)
    for block, after in zip_longest(found, found[1:]):
        if block.code is not None:
            yield block, after if after and after.mark == "output" else None


def run(block: Block, folder: Path, logs: Path) -> str:
    """Runs a block in a folder, with other logs in the place of /var/log; returns all that it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        [*COMMANDS[block.language], block.text.replace("/var/log", str(logs))],
        cwd=folder,
        env=os.environ | {"PATH": path, "COLUMNS": "160"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == block.code, f"line {block.line}: exit code {ran.returncode}\n{block.text}\n{ran.stdout}"
    return ran.stdout


def assert_shown(expected: Block, printed: str) -> None:
    """Every expected line was printed, in that order; `...` stands for any text, and one space for several."""
    left = printed
    for line in expected.text.splitlines():
        pattern = re.escape(" ".join(line.split())).replace(r"\.\.\.", ".*").replace(r"\ ", r"\s+")
        found = re.search(pattern, left)
        assert found, f"line {expected.line}: expected {line!r} in\n{left}"
        left = left[found.end() :]


def write_samples(folder: Path) -> Path:
    """What the documents take for granted: a folder of logs, which is returned, and `events.csv` beside it."""
    logs = folder / "var-log"
    simulate(logs, lines_per_kind=200, seed=0)
    (logs / "access.log.1").write_text((logs / "access.log").read_text())
    (logs / "boot.log").write_text("2025-01-06 00:00:01 maple kernel: Linux version 6.1\n")
    (logs / "wtmp").write_bytes(bytes(1000))
    rows = [
        f'"{line.replace(chr(34), chr(39))}",{kind}\n'
        for kind in ("access", "auth", "database")
        for line in (logs / f"{kind}.log").read_text().splitlines()
    ]
    (folder / "events.csv").write_text("message,kind\n" + "".join(rows))
    return logs
