"""What could not be answered: kept apart in a file, counted, and too much of it ends the run."""

from __future__ import annotations

import base64
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from afield import faults
from afield.connectors.base import OFFSET, STREAM, Refused
from afield.connectors.sinks.segments import Mark, OpenSegment
from afield.errors import DataError
from afield.files import writing

FILE = Path(".afield") / "dead_letters.jsonl"
"""In the folder of the use case."""
NAME = "dead_letters"
"""Under which its mark is committed."""
LAST = 1000
"""Records, of which a share may be refused."""
LEAST = 100
"""Refused ones among them, below which the share says nothing."""


class DeadLetters:
    """A file with one JSON object for each record that was refused: time, stream, offset, reason and content.

    Content that is no text stands there in base64, with `"base64": true` beside it. Lines are on the disk before the
    position is committed; those that were written after the last commit are taken back at the next start. The file may
    be moved or emptied at any time: it is opened anew for each write.

    Args:
        folder: of the use case.
        covered: a record as it may be stored, where a use case masks: content that was never a record is left out then.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        folder: Path,
        covered: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = folder / FILE
        self._covered = covered
        self._clock = clock

    def restore(self, mark: str | None) -> None:
        """Takes back the lines after the mark that was committed last; None: all of them.

        Raises:
            StateError: no permission.
        """
        with writing(self.path):
            if self.path.exists() and self.path.stat().st_size > int(mark or 0):
                os.truncate(self.path, int(mark or 0))

    def write(self, refused: Sequence[Refused]) -> str:
        """Adds a line for each, all or none.

        Returns:
            The mark to commit.

        Raises:
            TransientError: the disk is full; nothing of these stays, they can be written again.
        """
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        size = self.path.stat().st_size if self.path.exists() else 0
        written = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        lines = b"".join(orjson.dumps(_line(one, written), option=orjson.OPT_APPEND_NEWLINE) for one in refused)
        file = OpenSegment(self.path, Mark(1, size), sync=True)
        try:
            mark = file.append(lines, len(refused))
        finally:
            file.close()
        faults.point("dead letters written")
        return str(mark.bytes)

    def of_record(self, record: pa.RecordBatch, reason: str) -> Refused:
        """A record that could not be answered.

        Args:
            record: one row.
            reason: why.
        """
        try:
            content = _content(self._covered(record) if self._covered else record)
        except Exception as error:  # whatever a record that is wrong makes of the step that masks
            content, reason = b"", f"{reason}; its content cannot be kept: {error}"
        return Refused(record.column(STREAM)[0].as_py(), record.column(OFFSET)[0].as_py(), reason, content)

    def of_source(self, refused: Refused) -> Refused:
        """What a source could not read, as it may be stored."""
        if self._covered is None:
            return refused
        reason = f"{refused.reason}; its content cannot be masked and is left out"
        return Refused(refused.stream, refused.offset, reason, b"")


class Limit:
    """Ends a run that refuses too much.

    Args:
        share: of the last records that may be refused.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self.reason = ""
        """Of the record that was refused first."""
        # (records, refused ones) of the last `LAST` records, in the pieces they came in; and their sums.
        self._pieces: deque[tuple[int, float]] = deque()
        self._total, self._bad = 0, 0.0

    def count(self, passed: int, refused: int = 0, reason: str = "") -> None:
        """Adds some records, in an order that need not be known.

        Args:
            passed: how many were not refused.
            refused: how many were.
            reason: of the last of these.

        Raises:
            DataError: the share is passed.
        """
        records = passed + refused
        if not records:
            return
        self.reason = self.reason or reason
        self._pieces.append((records, refused))
        self._total += records
        self._bad += refused
        while (excess := self._total - LAST) > 0:
            records, bad = self._pieces.popleft()
            kept = max(records - excess, 0)
            if kept:
                self._pieces.appendleft((kept, bad * kept / records))
            self._total -= records - kept
            self._bad -= bad - bad * kept / records
        if refused and self._bad >= LEAST and self._bad > self._share * self._total:
            raise DataError(
                f"{self._bad:,.0f} of the last {self._total:,} records were refused, more than the share of"
                f" {self._share:g} that is allowed; the last because: {reason}; they stand in {FILE}: correct what"
                " sends them, or the use case, and run again"
            )


def _line(refused: Refused, written: str) -> dict[str, Any]:
    line = {"time": written, "stream": refused.stream, "offset": refused.offset, "reason": refused.reason}
    try:
        return {**line, "content": refused.content.decode()}
    except UnicodeDecodeError:
        return {**line, "content": base64.b64encode(refused.content).decode(), "base64": True}


def _content(record: pa.RecordBatch) -> bytes:
    """The columns of a record that are its own: one of text or bytes as it is, others as a JSON object."""
    own = {name: value for name, value in record.to_pylist()[0].items() if not name.startswith("_")}
    if len(own) == 1:
        (value,) = own.values()
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, bytes):
            return value
    return orjson.dumps(own, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
