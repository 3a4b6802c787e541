"""One followed file of lines that its writer appends to, through renaming, truncation and removal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from afield.connectors.base import Batch
from afield.connectors.sources.files.discover import Found, kind_of, why
from afield.connectors.sources.files.identity import HEAD, Cursor, digest
from afield.connectors.sources.files.label import base_name
from afield.connectors.sources.files.lines import LineReader
from afield.connectors.sources.files.records import Rows
from afield.connectors.sources.files.stream import BINARY_PROBE, LOOK_BACK
from afield.connectors.sources.files.whole import BINARY, Reading, place

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
        self._handle: int | None = None
        self._quiet = 0
        cursor = reading.streams.cursors[stream] if stream else None
        self._start(cursor.offset if cursor else 0, cursor.line if cursor else 1)
        self.busy = True

    def seen(self, now: Found | None) -> None:
        """Takes what a look at the folder showed: the file as it is, or that it bears no name that is looked for."""
        self._quiet += 1
        if now is None:
            self._gone = self._rotated = True
            self.done = self.done or self._handle is None
        else:
            self._gone = False
            self._rotated = self._rotated or now.path != self.file.path
            changed, self.file = now.state != self.file.state, now
            self.busy = self.busy or changed
            if changed and self._open():
                self._look_back()
        waits = self._reader.holds_record or (self._complete and self._reader.holds_line)
        self.busy = self.busy or self._gone or (waits and self._quiet >= PATIENCE)

    def step(self) -> Iterator[Batch]:
        """Reads at most one chunk."""
        self.busy = False
        if self._refused or not self._open():
            return
        assert self._handle is not None
        self._look_back()
        chunk = os.pread(self._handle, self._reading.chunk, self._read_to)
        if not chunk:
            yield from self._idle()
            return
        if self._read_to == 0 and b"\0" in chunk[:BINARY_PROBE]:
            self._refuse(BINARY)
            return
        self.busy = len(chunk) == self._reading.chunk
        self._quiet = 0
        self._reading.report.bytes += len(chunk)
        self._read_to += len(chunk)
        self._before = (self._before + chunk[-LOOK_BACK:])[-LOOK_BACK:]
        yield from self._batches(self._reader.feed(chunk))

    def close(self) -> None:
        """Lets go of the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _start(self, offset: int, line: int) -> None:
        spec, report = self._reading.spec, self._reading.report
        kind = kind_of(spec, self.file.path)
        self._reader = LineReader(spec, kind, self.file.shown, report, offset=offset, line=line)
        self._read_to = offset
        self._before = b""

    def _open(self) -> bool:
        """Whether the file is open; when it was closed in between, only if its name still leads to it."""
        if self._handle is not None:
            return True
        try:
            handle = os.open(self.file.path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        except OSError as error:
            self._reading.report.skip(self.file.shown, why(error))
            return False
        stat = os.fstat(handle)
        if (stat.st_dev, stat.st_ino) != self.file.who:
            os.close(handle)
            return False
        self._handle = handle
        self._reading.report.skipped.pop(self.file.shown, None)
        if not self._before:
            start = max(self._read_to - LOOK_BACK, 0)
            self._before = os.pread(handle, self._read_to - start, start)
        self._reading.report.read.setdefault(self.file.shown, 0)
        return True

    def _look_back(self) -> None:
        """Begins again where what was read is not there any more: truncated, or another file with the same inode."""
        assert self._handle is not None
        there = os.pread(self._handle, len(self._before), self._read_to - len(self._before))
        if os.fstat(self._handle).st_size >= self._read_to and there == self._before:
            return
        streams = self._reading.streams
        self._reading.report.truncated += 1
        if self.stream is not None:
            streams.taken.discard(self.stream)
            streams.emptied.add(self.stream)
        self.stream = None
        self._start(0, 1)

    def _refuse(self, reason: str) -> None:
        self._refused = True
        self._reading.report.skip(self.file.shown, reason)
        self.close()

    def _idle(self) -> Iterator[Batch]:
        if self._quiet >= PATIENCE:
            yield from self._batches(self._reader.finish() if self._complete else self._reader.flush())
            self.done = self._gone
        if self.done or (not self._gone and self._rests):
            self.close()

    @property
    def _rests(self) -> bool:
        return time.time() - self.file.changed / 1e9 > RESTING_AFTER

    @property
    def _complete(self) -> bool:
        """Whether its last line is not expected to go on."""
        name = self.file.path.name
        return self._rotated or (base_name(name) != name and self._rests)

    def _batches(self, parts: Iterator[Rows]) -> Iterator[Batch]:
        for rows in parts:
            assert self._handle is not None
            head = os.pread(self._handle, HEAD, 0)
            self.stream = self.stream or self._reading.streams.name(self.file.inode, head)
            offset = rows.next_offset
            known, start = min(len(head), offset), max(offset - LOOK_BACK, 0)
            tail = os.pread(self._handle, offset - start, start)
            cursor = Cursor(
                **place(self.file),
                offset=offset,
                line=rows.next_number,
                head=digest(head[:known]),
                head_bytes=known,
                tail=digest(tail),
                tail_bytes=len(tail),
            )
            yield self._reading.batch(rows, self.file, self.stream, cursor)
