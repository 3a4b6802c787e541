"""The two seams of this room: where records come from, and where answers go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import pyarrow as pa

Position = Mapping[str, str]
"""Stream -> cursor (text the source alone understands). A batch carries the entries that it changed; committing merges
them into what is stored, so that one entry a partition, file or key range is enough."""

STREAM = "_stream"
"""dictionary<string>: the stream a record came from; with OFFSET it names the record for ever."""
OFFSET = "_offset"
"""int64: where in its stream the record starts (a byte of the uncompressed file, a row number)."""
FILE = "_file"
"""dictionary<string>: the file's path, for people."""
LINE = "_line"
"""int64: the record's first line in the file, from 1, for people."""
LABEL = "_label"
"""dictionary<string>: the known answer, where the source was asked for it."""
TEXT = "text"
"""string: the record itself, for sources whose records are lines."""


@dataclass(frozen=True)
class Refused:
    """What arrived and is no record: it is kept apart, with its reason, and the records around it are answered.

    Args:
        stream: where it came from, as STREAM of a record.
        offset: where it stood there, as OFFSET of a record.
        reason: what was expected and what was found.
        content: as it arrived.
    """

    stream: str
    offset: int
    reason: str
    content: bytes


@dataclass(frozen=True)
class Batch:
    """Records in the order they arrived, and the position to commit once they are answered.

    Args:
        records: columns of the source, and those named above; may have no rows (a heartbeat of a source that waits).
        position: the streams this batch moved forward.
        refused: what could not be read among them.
    """

    records: pa.RecordBatch
    position: Position
    refused: Sequence[Refused] = ()


class Source(Protocol):
    """Raw records in.

    `batches` starts after `position` (empty: at the beginning) and ends when there is nothing left, or never when it
    follows; while it waits it yields batches without rows about once a second. Re-opened at a committed position it
    yields the same records with the same STREAM and OFFSET.
    """

    replayable: ClassVar[bool]
    splittable: ClassVar[bool]

    def batches(self, position: Position) -> Iterator[Batch]: ...

    def acknowledge(self, position: Position) -> None:
        """The position is committed: the origin may forget what came before."""
        ...

    def close(self) -> None: ...


class Sink(Protocol):
    """Answers out.

    `restore` is called once, before the first `write`, with the mark that was committed last (None: never): whatever
    was written after that mark is taken back. `write` returns when the answers are durable, with the new mark. A sink
    that is `idempotent` may also be given an answer again: it is kept once, by its prediction id.
    """

    idempotent: ClassVar[bool]

    def restore(self, mark: str | None) -> None: ...

    def write(self, answers: pa.RecordBatch) -> str: ...

    def close(self) -> None: ...
