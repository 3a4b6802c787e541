"""Followed files: looks at the folder again and again, and reads what is new from all files in turn."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from afield.connectors.base import Batch
from afield.connectors.sources.files.discover import Found, find, grows, is_there
from afield.connectors.sources.files.growing import GrowingFile
from afield.connectors.sources.files.label import base_name
from afield.connectors.sources.files.resume import Who, beside, carried_on, copied_from
from afield.connectors.sources.files.settled import SettledFile
from afield.connectors.sources.files.whole import Reading

LOOKS_FOR_THE_REST = 10
"""Looks at the folder of a file that has gone, for the name it bears now."""


@dataclass
class Follower:
    """Reads all files of a use case as they grow, appear, are rotated and vanish.

    Args:
        reading: what all files share.
        base: folder that a relative path starts from.
        poll: seconds between two looks at the folder.
        closed: ends the reading.
    """

    reading: Reading
    base: Path
    poll: float
    closed: Event
    _files: dict[Who, GrowingFile | SettledFile] = field(default_factory=dict[Who, GrowingFile | SettledFile])
    _states: dict[Who, tuple[int, int]] = field(default_factory=dict[Who, tuple[int, int]])
    _copies: dict[Who, tuple[tuple[int, int], str | None]] = field(
        default_factory=dict[Who, tuple[tuple[int, int], str | None]]
    )
    _free: set[str] = field(default_factory=set[str])
    _looks_left: int = 0

    def batches(self) -> Iterator[Batch]:
        """Batches without end; one without records about every two polls while there is nothing new."""
        next_look = last_batch = time.monotonic()
        try:
            while not self.closed.is_set():
                started = time.monotonic()
                if started >= next_look:
                    yield from self._look()
                    # Looking at a folder with very many files takes a quarter of the time at most.
                    now = time.monotonic()
                    next_look = now + max(self.poll, 3 * (now - started))
                for file in self._busy():
                    for batch in file.step():
                        last_batch = time.monotonic()
                        yield batch
                if self._busy():
                    continue
                if time.monotonic() - last_batch >= 2 * self.poll:
                    last_batch = time.monotonic()
                    yield Batch(self.reading.no_records(), {})
                self.closed.wait(max(next_look - time.monotonic(), 0.0))
        finally:
            for file in self._files.values():
                file.close()

    def _busy(self) -> list[GrowingFile | SettledFile]:
        return [file for file in self._files.values() if file.busy]

    def _look(self) -> Iterator[Batch]:
        found = find(self.reading.spec, self.base, self.reading.report.skipped)
        now = {file.who: file for file in found}
        for who, file in list(self._files.items()):
            file.seen(now.get(who))
            if file.done:
                self._let_go(who)
        files = [file for file in found if file.who not in self._files]
        if self._seek_the_rest():
            files += beside(self.reading.streams, {*now, *self._files})
        before, self._states = self._states, {file.who: file.state for file in files}
        self._copies = {who: copy for who, copy in self._copies.items() if who in self._states}
        files = [file for file in files if self._is_plain(file) or before.get(file.who) == file.state]
        for file, stream in carried_on(self.reading.streams, files, self._files):
            yield from self._carry_on(file, stream)
        for file in files:
            new = file.who in now and file.who not in self._files and file.size > 0
            # A file that was renamed just now is told from others at the next look.
            if new and not self._is_copy(file) and is_there(file):
                self._files[file.who] = self._reader(file, None)

    def _seek_the_rest(self) -> bool:
        """Whether there are streams that lost their file not long ago."""
        free = set(self.reading.streams.free)
        if free - self._free:
            self._looks_left = LOOKS_FOR_THE_REST
        self._free = free
        self._looks_left -= 1
        return self._looks_left >= 0 and bool(free)

    def _is_plain(self, file: Found) -> bool:
        """Whether a file that was not there before needs no second look to be told from a copy in the making."""
        return grows(self.reading.spec, file.path) and base_name(file.path.name) == file.path.name

    def _is_copy(self, file: Found) -> bool:
        """Whether the file repeats one that is there; it is asked again when either has changed or gone."""
        streams = self.reading.streams
        state, original = self._copies.get(file.who, (None, None))
        if state != file.state or original not in streams.taken:
            original = copied_from(streams, file)
            self._copies[file.who] = file.state, original
        return original is not None

    def _carry_on(self, file: Found, stream: str) -> Iterator[Batch]:
        cursor = self.reading.streams.cursors[stream]
        if grows(self.reading.spec, file.path) and file.size < cursor.offset:
            yield self.reading.moved(file, stream)
        self._files[file.who] = self._reader(file, stream)

    def _reader(self, file: Found, stream: str | None) -> GrowingFile | SettledFile:
        cursor = self.reading.streams.cursors[stream] if stream else None
        if not grows(self.reading.spec, file.path) or (cursor and cursor.is_end_of(file)):
            return SettledFile(self.reading, file, stream)
        rotated = cursor is not None and Path(cursor.path).name != file.path.name
        return GrowingFile(self.reading, file, stream, rotated=rotated)

    def _let_go(self, who: Who) -> None:
        file = self._files.pop(who)
        file.close()
        if file.stream:
            self.reading.streams.taken.discard(file.stream)
