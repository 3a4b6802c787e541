"""Answers into numbered files, each exactly once, whatever kills the process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Protocol

import pyarrow as pa

from afield import faults
from afield.connectors.sinks.segments import Mark, OpenSegment, Segments
from afield.connectors.sinks.spec import Rotate
from afield.errors import StateError
from afield.files import writing


class Format(Protocol):
    """What differs between the kinds of file."""

    open_suffix: ClassVar[str]
    """Of the file that is appended to."""
    done_suffix: ClassVar[str]
    """Of a finished file."""

    def encode(self, answers: pa.RecordBatch, first: bool) -> bytes | memoryview:
        """The bytes to append; with what a new file begins with, where they are its first."""
        ...

    def schema(self, path: Path) -> pa.Schema | None:
        """The columns that all rows of an open file must have; None where they need not agree."""
        ...

    def finish(self, path: Path, done: Path) -> None:
        """Turns an open file into a finished one."""
        ...

    def cut(self, done: Path, rows: int) -> int:
        """Takes all rows after the first `rows` from a finished file; returns how many it had."""
        ...


class FileSink:
    """Writes answers to the last of a row of files, and starts a new one when a limit would be passed.

    A write goes wholly into one file, and the mark names the file and its length. After a kill, `restore` cuts the
    file there and removes later ones, so that what is written again stands once.

    Args:
        folder: where the files are; made where it is not there.
        kind: what the files hold.
        rotate: the limits.
        keep: finished files that stay; None for all.
        sync: whether a write returns only once it is on the disk.
        clock: seconds since 1970.
    """

    idempotent: ClassVar[bool] = False

    def __init__(
        self,
        folder: Path,
        kind: Format,
        rotate: Rotate,
        keep: int | None,
        sync: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._kind = kind
        self._rotate = rotate
        self._keep = keep
        self._sync = sync
        self._clock = clock
        self._segments = Segments(folder, {kind.open_suffix, kind.done_suffix})
        self._mark = Mark()
        self._open: OpenSegment | None = None
        self._schema: pa.Schema | None = None

    def restore(self, mark: str | None) -> None:
        """Takes back what was written after the mark that was committed last.

        Without a mark nothing was ever committed, or the store that knew of it is lost. The files cannot tell, so they
        are moved to a folder `taken-back-N` beside them, not deleted.

        Raises:
            StateError: a file is shorter than what was committed, or no permission.
        """
        self._mark = Mark() if mark is None else Mark.from_text(mark)
        folder = self._segments.folder
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._segments.remove_partial()
            if mark is None:
                self._segments.set_aside()
            self._segments.remove(after=self._mark.number)
            for number, file in self._segments.found():
                if number < self._mark.number and file.suffix == self._kind.open_suffix != self._kind.done_suffix:
                    self._kind.finish(file, file.with_suffix(self._kind.done_suffix))
        if self._mark.number:
            self._reopen()

    def write(self, answers: pa.RecordBatch) -> str:
        """Adds answers, all or none.

        Returns:
            The mark to commit.

        Raises:
            TransientError: the disk is full; nothing of these answers stays, they can be written again.
        """
        if answers.num_rows:
            answers = plain(answers)
            data = self._kind.encode(answers, first=False)
            segment = self._open
            if segment and self._full(segment.mark, answers, len(data)):
                self._finish(segment)
                segment = None
            segment = segment or self._start()
            if not segment.mark.bytes:
                data = self._kind.encode(answers, first=True)
            self._mark = segment.append(data, answers.num_rows)
            self._schema = self._schema or self._kind.schema(segment.path)
        return self._mark.to_text()

    def close(self) -> None:
        """Finishes the last file.

        Raises:
            TransientError: the disk is full; the file stays as it is and is finished at a later start.
        """
        if self._open:
            self._finish(self._open)

    def _full(self, mark: Mark, answers: pa.RecordBatch, size: int) -> bool:
        limits = self._rotate
        return mark.rows > 0 and (
            mark.rows + answers.num_rows > limits.rows
            or mark.bytes + size > limits.bytes
            or (limits.seconds is not None and self._clock() - mark.since >= limits.seconds)
            or (self._schema is not None and not self._schema.equals(answers.schema))
        )

    def _start(self) -> OpenSegment:
        mark = Mark(self._mark.number + 1, since=self._clock())
        self._schema = None
        self._open = OpenSegment(self._segments.path(mark.number, self._kind.open_suffix), mark, self._sync)
        return self._open

    def _finish(self, segment: OpenSegment) -> None:
        number = segment.mark.number
        if segment.mark.rows:
            self._kind.finish(segment.path, self._segments.path(number, self._kind.done_suffix))
        else:
            segment.path.unlink()
        segment.close()
        self._open = None
        faults.point("sink rotation")
        if self._keep:
            # The file just finished may be the one that was committed last: it always stays.
            with writing(self._segments.folder):
                self._segments.remove(up_to=number - self._keep)

    def _reopen(self) -> None:
        mark = self._mark
        path = self._segments.path(mark.number, self._kind.open_suffix)
        done = self._segments.path(mark.number, self._kind.done_suffix)
        if path.exists():
            if path.stat().st_size < mark.bytes:
                raise _cut(path, "bytes", path.stat().st_size, mark.bytes)
            if done != path:
                done.unlink(missing_ok=True)
            self._open = OpenSegment(path, mark, self._sync)
            self._schema = self._kind.schema(path)
        elif done.exists():
            found = self._kind.cut(done, mark.rows)
            if found < mark.rows:
                raise _cut(done, "rows", found, mark.rows)
        # Neither is there: a reader took the file away, and the next one is started.


def plain(answers: pa.RecordBatch) -> pa.RecordBatch:
    """The same answers with dictionaries decoded and no metadata: what every kind of file can hold."""
    columns = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in answers.columns
    ]
    return pa.RecordBatch.from_arrays(columns, answers.schema.names)


def _cut(path: Path, unit: str, found: int, expected: int) -> StateError:
    return StateError(
        f"{path}: holds {found:,} {unit}, but {expected:,} were committed: it was changed from outside; "
        "put the whole file back, or move it away to go on in a new one"
    )
