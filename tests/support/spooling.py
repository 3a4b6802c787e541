"""A process that reads a spooled source, keeps what it was given with its position, and acknowledges; to be killed."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

from afield.connectors.base import OFFSET, STREAM, TEXT
from afield.connectors.sources.amqp.spec import Amqp
from afield.connectors.sources.mqtt.spec import Mqtt

KINDS = {"mqtt": Mqtt, "amqp": Amqp}


def kept(folder: Path) -> sqlite3.Connection:
    """What the process has kept: records and positions, committed together as a run does."""
    connection = sqlite3.connect(folder / "kept.sqlite", timeout=30)
    connection.execute("CREATE TABLE IF NOT EXISTS record (name TEXT PRIMARY KEY, text TEXT)")
    connection.execute("CREATE TABLE IF NOT EXISTS position (stream TEXT PRIMARY KEY, cursor TEXT)")
    return connection


def main(kind: str, folder: Path, fields: str) -> None:
    connection = kept(folder)
    source = KINDS[kind](**json.loads(fields)).open(base=folder, follow=True, labelled=False)
    position = dict(connection.execute("SELECT stream, cursor FROM position"))
    for batch in source.batches(position):
        rows = batch.records.select([STREAM, OFFSET, TEXT]).to_pylist()
        with connection:
            connection.executemany(
                "INSERT INTO record VALUES (?, ?)", [(f"{row[STREAM]}:{row[OFFSET]}", row[TEXT]) for row in rows]
            )
            connection.executemany("INSERT OR REPLACE INTO position VALUES (?, ?)", batch.position.items())
        source.acknowledge(batch.position)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
