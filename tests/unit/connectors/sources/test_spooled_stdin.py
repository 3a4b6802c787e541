"""The standard input, through the spool."""

from __future__ import annotations

import os
from pathlib import Path

from afield.connectors.base import TEXT
from afield.connectors.messages import Messages
from afield.connectors.sources.standard_input.receiver import StdinReceiver
from afield.connectors.spool.records import Records
from afield.connectors.spool.spooled import Spooled


def read(folder: Path, data: bytes, limit: int = 1000, position: dict[str, str] | None = None) -> Spooled:
    ours, theirs = os.pipe()
    os.write(theirs, data)
    os.close(theirs)
    declared = Messages(max_record_bytes=limit)
    source = Spooled(
        folder, 10**9, StdinReceiver(limit, ours), Records(declared, False), where="source.stdin", idle_end=None
    )
    rows.clear()
    refused.clear()
    for batch in source.batches(position or {}):
        rows.extend(batch.records.column(TEXT).to_pylist())
        refused.extend(batch.refused)
        cursor.update(batch.position)
    source.close()
    os.close(ours)
    return source


rows: list[str] = []
refused: list[object] = []
cursor: dict[str, str] = {}


def test_each_line_is_a_record_and_it_ends_with_the_input(tmp_path: Path) -> None:
    read(tmp_path, "one\r\n\nthrée\nlast".encode())
    assert rows == ["one", "", "thrée", "last"]
    read(tmp_path, b"more\n", position=dict(cursor))
    assert rows == ["more"]
    read(tmp_path, b"")
    assert rows == ["one", "", "thrée", "last", "more"]


def test_a_long_line_is_refused(tmp_path: Path) -> None:
    read(tmp_path, b"x" * 50_000 + b"\nshort\n", limit=100)
    assert rows == ["short"]
    assert len(refused) == 1
