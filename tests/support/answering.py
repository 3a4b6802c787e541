"""A run reduced to its sink: writes numbered answers, commits each mark, and goes on where it was committed.

Arguments: kind of sink, folder, how many answers, answers a commit. With AFIELD_KILL_AT set it dies on the way.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from afield.checks.sink import answers
from afield.connectors.sinks.spec import JsonLines, Parquet

KINDS = {"jsonl": JsonLines, "parquet": Parquet}


def sink_of(kind: str, folder: Path, **changes: Any) -> Any:
    return KINDS[kind](**({"rotate": {"rows": 10}} | changes)).open(folder)


def rows_of(kind: str, folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "answers").glob(f"answers-*.{kind}"))
    if kind == "jsonl":
        # Only a newline ends a line: the texts hold other separators of Unicode.
        return [json.loads(line) for file in files for line in file.read_bytes().split(b"\n")[:-1]]
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def main(kind: str, folder: Path, count: int, commit_every: int) -> None:
    committed = folder / "committed.json"
    state = json.loads(committed.read_text()) if committed.exists() else {"mark": None, "next": 0}
    sink = sink_of(kind, folder)
    sink.restore(state["mark"])
    at, mark = state["next"], state["mark"]
    while at < count:
        for size in range(1, commit_every + 1):
            batch = answers(at, min(size + at % 3, count - at))
            mark = sink.write(batch)
            at += batch.num_rows
        new = folder / "committed.new"
        new.write_text(json.dumps({"mark": mark, "next": at}))
        new.replace(committed)
    sink.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
