"""One followed file that is written as a whole: compressed, or a table; read when it has stopped changing."""

from __future__ import annotations

from collections.abc import Iterator

from afield.connectors.base import Batch
from afield.connectors.sources.files.discover import Found
from afield.connectors.sources.files.whole import Reading, read_file


class SettledFile:
    """Reads a file to its end, and again what was added, each time it has changed and then stayed the same.

    Args:
        reading: what all files share.
        file: the file.
        stream: its stream, None for a new one.
    """

    def __init__(self, reading: Reading, file: Found, stream: str | None) -> None:
        self.file = file
        self.stream = stream
        self.done = False
        self.busy = True
        self._reading = reading
        self._changed = False
        self._records: Iterator[Batch] | None = None

    def seen(self, now: Found | None) -> None:
        """Takes what a look at the folder showed: the file as it is, or that it bears no name that is looked for."""
        if self._records is not None:
            return
        self.done = now is None and not self.busy
        if now is None:
            return
        changed = now.state != self.file.state
        self.busy = self.busy or (self._changed and not changed)
        self._changed = changed
        self.file = now

    def step(self) -> Iterator[Batch]:
        """Reads one batch."""
        if self._records is None:
            self._records = read_file(self._reading, self.file, self.stream)
        batch = next(self._records, None)
        if batch is None:
            self.busy, self._records = False, None
        else:
            self.stream = next(iter(batch.position))
            yield batch

    def close(self) -> None:
        """Lets go of the file."""
        self._records = None
