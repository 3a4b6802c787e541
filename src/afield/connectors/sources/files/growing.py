"""One followed file of lines that its writer appends to, through renaming, truncation and removal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from afield.connectors.base import Batch
from afield.connectors.sources.files.discover import Found, kind_of, why
from afield.connectors.sources.files.identity import HEAD, Cursor, beginning
from afield.connectors.sources.files.label import base_name
from afield.connectors.sources.files.lines import LineReader
from afield.connectors.sources.files.records import Rows
from afield.connectors.sources.files.stream import BINARY_PROBE, LOOK_BACK, Trail
from afield.connectors.sources.files.whole import BINARY, Reading

PATIENCE = 4
"""Looks at a file without news, after which what was held back is handed on."""
RESTING_AFTER = 60.0
"""Seconds without a change, after which a file is closed until it changes; one that is open survives its removal."""


class GrowingFile:
    """Reads a file as it grows.

    Args:
        reading: what all files share.
        file: the file.
        stream: its stream, None for a new one.
        rotated: it does not bear the name any more under which it is written to.
    """

    def __init__(self, reading: Reading, file: Found, stream: str | None, *, rotated: bool = False) -> None:
        self.file = file
        self.stream = stream
        self.done = False
        self._reading = reading
        self._rotated = rotated
        self._gone = False
        self._refused = False
        self._failed = False
        self._handle: int | None = None
        self._quiet = 0
        self._start(reading.streams.cursors[stream] if stream else beginning(file, rows=False))
        self.busy = True

    def seen(self, now: Found | None) -> None:
        """Takes what a look at the folder showed: the file as it is, or that it bears no name that is looked for."""
        self._quiet += 1
        if now is None:
            self._gone = self._rotated = True
            self.done = self.done or self._handle is None
        else:
            self._gone = False
            if now.path != self.file.path:
                self._rotated = True
                if self.stream:
                    self._reading.streams.renamed(self.stream, now)
            changed = now.state != self.file.state
            # What was refused may have been replaced.
            self._refused = self._refused and now.size >= self.file.size
            self.file = now
            self.busy = self.busy or changed or self._failed
            if changed and not self._refused:
                self._stands()
        waits = self._reader.holds_record or (self._complete and self._reader.holds_line)
        self.busy = self.busy or self._gone or (waits and self._quiet >= PATIENCE)

    def step(self) -> Iterator[Batch]:
        """Reads at most one chunk."""
        self.busy = False
        chunk = self._read() if not self._refused else None
        if chunk is None:
            return
        if self._read_to == 0 and b"\0" in chunk[:BINARY_PROBE]:
            self._refuse(BINARY)
            return
        yield from self._take(chunk) if chunk else self._idle()
        if self.done or not (self.busy or self._gone or self._changed_lately):
            self.close()

    def close(self) -> None:
        """Lets go of the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _start(self, cursor: Cursor) -> None:
        spec, report = self._reading.spec, self._reading.report
        kind = kind_of(spec, self.file.path)
        self._cursor = cursor
        self._reader = LineReader(spec, kind, self.file.shown, report, offset=cursor.offset, line=cursor.line)
        self._read_to = cursor.offset
        # What the file was when it was read is kept, since it may be another by the time the cursor is made.
        self._head = b""
        self._trail = Trail(cursor.offset)

    def _read(self) -> bytes | None:
        """The next chunk, empty at the end; None where the file cannot be read now."""
        if not self._stands() or self._handle is None:
            return None
        try:
            return os.pread(self._handle, self._reading.chunk, self._read_to)
        except OSError as error:
            self._fail(error)
            return None

    def _stands(self) -> bool:
        """Whether the file can be read on; begins again where it was emptied."""
        self._failed = False
        try:
            if not self._open():
                return False
            self._look_back()
        except OSError as error:
            self._fail(error)
            return False
        return True

    def _fail(self, error: OSError) -> None:
        self.close()
        self._failed = True
        if self._head:
            self._reading.report.damaged[self.file.shown] = why(error)
        else:
            self._reading.report.skip(self.file.shown, why(error))

    def _open(self) -> bool:
        """Whether the file is open; when it was closed in between, only if its name still leads to it."""
        if self._handle is not None:
            return True
        try:
            handle = os.open(self.file.path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        stat = os.fstat(handle)
        if (stat.st_dev, stat.st_ino) != self.file.who:
            os.close(handle)
            return False
        self._handle = handle
        self._reading.report.skipped.pop(self.file.shown, None)
        self._reading.report.read.setdefault(self.file.shown, 0)
        if self._cursor.offset and not self._head:
            self._remember(handle)
        return True

    def _remember(self, handle: int) -> None:
        """Takes the first bytes and those before the cursor from the file, if they are still those of the cursor."""
        start = max(self._read_to - LOOK_BACK, 0)
        head, before = os.pread(handle, HEAD, 0), os.pread(handle, self._read_to - start, start)
        if self._cursor.begins(head) and self._cursor.follows(before):
            self._head = head[: self._read_to]
            self._trail = Trail(start)
            self._trail.add(before)
        else:
            self._begin_again()

    def _look_back(self) -> None:
        """Begins again where what was read is not there any more: truncated, or another file with the same inode."""
        assert self._handle is not None
        before = self._trail.before(self._read_to)
        there = os.pread(self._handle, len(before), self._read_to - len(before))
        if os.fstat(self._handle).st_size < self._read_to or there != before:
            self._begin_again()

    def _begin_again(self) -> None:
        streams = self._reading.streams
        self._reading.report.truncated += 1
        if self.stream is not None:
            streams.taken.discard(self.stream)
            streams.emptied.add(self.stream)
        self.stream = None
        self._start(beginning(self.file, rows=False))

    def _refuse(self, reason: str) -> None:
        self._refused = True
        self._reading.report.skip(self.file.shown, reason)
        self.close()

    def _take(self, chunk: bytes) -> Iterator[Batch]:
        self.busy = len(chunk) == self._reading.chunk
        self._quiet = 0
        self._reading.report.bytes += len(chunk)
        self._read_to += len(chunk)
        self._head += chunk[: HEAD - len(self._head)]
        self._trail.add(chunk)
        yield from self._batches(self._reader.feed(chunk))

    def _idle(self) -> Iterator[Batch]:
        if self._quiet < PATIENCE:
            return
        yield from self._batches(self._reader.finish() if self._complete else self._reader.flush())
        self.done = self._gone
        if self.done and self.stream and self._handle is not None and os.fstat(self._handle).st_nlink == 0:
            self._reading.streams.removed.add(self.stream)

    @property
    def _changed_lately(self) -> bool:
        return time.time() - self.file.changed / 1e9 < RESTING_AFTER

    @property
    def _complete(self) -> bool:
        """Whether its last line is not expected to go on."""
        name = self.file.path.name
        return self._rotated or (base_name(name) != name and not self._changed_lately)

    def _batches(self, parts: Iterator[Rows]) -> Iterator[Batch]:
        for rows in parts:
            self.stream = self.stream or self._reading.streams.name(self.file.inode, self._head)
            tail = self._trail.before(rows.next_offset)
            self._cursor = self._cursor.moved_to(self.file).at(rows.next_offset, rows.next_number, self._head, tail)
            yield self._reading.batch(rows, self.file, self.stream, self._cursor)
