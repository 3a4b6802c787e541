"""Opens the source of files in a temporary folder, and reads from it step by step."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from afield.connectors.base import Batch
from afield.connectors.sources.files.source import FilesSource
from afield.connectors.sources.files.spec import Files

POLL = 0.005


def opened(base: Path, path: str = ".", *, labelled: bool = False, chunk: int = 2**22, **fields: Any) -> FilesSource:
    """A source that reads once."""
    spec = Files(path=path, **fields)
    assert not list(spec.lint())
    return FilesSource(spec, base=base, follow=False, labelled=labelled, chunk=chunk)


def rows(batches: Iterator[Batch] | list[Batch]) -> list[dict[str, Any]]:
    """All records."""
    return [row for batch in batches for row in batch.records.to_pylist()]


def texts(batches: Iterator[Batch] | list[Batch]) -> list[str]:
    """The text of all records."""
    return [row["text"] for row in rows(batches)]


class Following:
    """A followed folder; `new` gives what has come since, after enough looks without news.

    Args:
        base: the folder of the use case.
        path: of the source.
        position: where to begin.
    """

    def __init__(self, base: Path, path: str, position: dict[str, str] | None = None, **fields: Any) -> None:
        chunk = fields.pop("chunk", 2**22)
        self.position = dict(position or {})
        self.source = FilesSource(
            Files(path=path, **fields), base=base, follow=True, labelled=False, poll=POLL, chunk=chunk
        )
        self._batches = self.source.batches(self.position)
        self.names: list[tuple[str, int]] = []

    def rows(self, quiet: int = 6) -> list[dict[str, Any]]:
        """Records that have come; returns after `quiet` empty batches in a row."""
        found: list[dict[str, Any]] = []
        empty = 0
        while empty < quiet:
            batch = next(self._batches)
            self.position.update(batch.position)
            found += batch.records.to_pylist()
            empty = 0 if batch.records.num_rows else empty + 1
        self.names += [(row["_stream"], row["_offset"]) for row in found]
        assert len(set(self.names)) == len(self.names), "two records have one name"
        return found

    def new(self, quiet: int = 6) -> list[str]:
        """Their text."""
        return [row["text"] for row in self.rows(quiet)]

    def __enter__(self) -> Following:
        return self

    def __exit__(self, *error: object) -> None:
        self._batches.close()
        self.source.close()


def append(path: Path, text: str) -> None:
    """Adds text to a file as a writer of logs does."""
    with path.open("a") as file:
        file.write(text)


def in_thread(work: Callable[[], None]) -> threading.Thread:
    """Runs work beside the reading."""
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def copy_and_truncate(path: Path, copy: Path) -> None:
    """What logrotate does with `copytruncate`."""
    copy.write_bytes(path.read_bytes())
    os.truncate(path, 0)
