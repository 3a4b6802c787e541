"""Image files: each PNG or JPEG file is one record, read once or followed as new ones come."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event

import pyarrow as pa

from afield.connectors.base import FILE, LABEL, LINE, OFFSET, STREAM, Batch, Position
from afield.connectors.report import SourceReport
from afield.connectors.sources.files.discover import Found, find, why
from afield.connectors.sources.files.label import label_array
from afield.connectors.sources.files.spec import Files
from afield.errors import StateError
from afield.images import DamagedImageError, decoded

MOST_FILES = 256
MOST_BYTES = 8 * 2**20
LARGEST_FILE = 2**26


@dataclass(frozen=True)
class _Cursor:
    """A file that was read: how often its content was a new one, its state on the disk, and a hash of its content."""

    times: int
    size: int
    changed: int
    digest: str

    @staticmethod
    def loads(stream: str, text: str) -> _Cursor:
        try:
            return _Cursor(**json.loads(text))
        except (TypeError, ValueError) as error:
            raise StateError(
                f"stored position of stream {stream}: expected a cursor of an image, found {text[:80]!r}; "
                "it belongs to another source, or is damaged: start with a new position"
            ) from error


@dataclass(frozen=True)
class _Image:
    """An image that is a record."""

    file: Found
    data: bytes
    cursor: _Cursor


@dataclass
class ImageFiles:
    """The image files of a use case. A file is a stream of its own, named by its path; changed, it is a new record.

    Args:
        spec: the declaration.
        base: the folder that a relative path starts from.
        labelled: whether batches have the column LABEL.
        report: takes the counts; a damaged image is named there and left out.
        closed: ends the reading.
        poll: seconds between two looks at the folder; None reads once.
    """

    spec: Files
    base: Path
    labelled: bool
    report: SourceReport
    closed: Event
    poll: float | None = None
    _known: dict[str, _Cursor] = field(default_factory=dict[str, _Cursor])
    _refused: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def batches(self, position: Position) -> Iterator[Batch]:
        """Images that the position does not know, in the order of their paths; then, following, new ones as they come.

        Raises:
            StateError: the position belongs to another source.
        """
        self._known = {stream: _Cursor.loads(stream, text) for stream, text in position.items()}
        if self.poll is None:
            yield from self._grouped(self._new())
            return
        before: dict[str, tuple[int, int]] = {}
        last = time.monotonic()
        while not self.closed.is_set():
            new = self._new()
            # A file that is being written has another state at the next look.
            settled = [file for file in new if before.get(file.shown) == file.state]
            before = {file.shown: file.state for file in new}
            for batch in self._grouped(settled):
                last = time.monotonic()
                yield batch
            if time.monotonic() - last >= 2 * self.poll:
                last = time.monotonic()
                yield self._batch([])
            self.closed.wait(self.poll)

    def _new(self) -> list[Found]:
        return [
            file
            for file in find(self.spec, self.base, self.report.skipped)
            if self._refused.get(file.shown) != file.state and not self._is_known(file)
        ]

    def _is_known(self, file: Found) -> bool:
        cursor = self._known.get(file.shown)
        return cursor is not None and (cursor.size, cursor.changed) == file.state

    def _grouped(self, files: list[Found]) -> Iterator[Batch]:
        group: list[_Image] = []
        size = 0
        for file in files:
            if self.closed.is_set():
                return
            image = self._read(file)
            if image is None:
                continue
            group.append(image)
            size += len(image.data)
            if len(group) == MOST_FILES or size >= MOST_BYTES:
                yield self._batch(group)
                group, size = [], 0
        if group:
            yield self._batch(group)

    def _read(self, file: Found) -> _Image | None:
        """The image of a file; None where it is damaged or was read before."""
        try:
            if file.size > LARGEST_FILE:
                raise DamagedImageError(f"expected at most {LARGEST_FILE:,} bytes, found {file.size:,}")
            data = file.path.read_bytes()
            digest = hashlib.blake2b(data, digest_size=8).hexdigest()
            before = self._known.get(file.shown)
            if before and before.digest == digest:
                self._known[file.shown] = replace(before, size=file.size, changed=file.changed)
                return None
            decoded(data)
        except (OSError, DamagedImageError) as error:
            self._refused[file.shown] = file.state
            self.report.skipped[file.shown] = why(error) if isinstance(error, OSError) else str(error)
            return None
        times = before.times + 1 if before else 1
        return _Image(file, data, _Cursor(times, file.size, file.changed, digest))

    def _batch(self, images: list[_Image]) -> Batch:
        shown = [image.file.shown for image in images]
        for image in images:
            self._known[image.file.shown] = image.cursor
            self.report.read[image.file.shown] = 1
            self.report.bytes += len(image.data)
        self.report.records += len(images)
        columns = {
            "image": pa.array([image.data for image in images], pa.binary()),
            STREAM: pa.array(shown, pa.string()).dictionary_encode(),
            OFFSET: pa.array([image.cursor.times - 1 for image in images], pa.int64()),
            FILE: pa.array(shown, pa.string()).dictionary_encode(),
            LINE: pa.array([1] * len(images), pa.int64()),
        }
        if self.labelled and self.spec.label:
            known = [label_array(self.spec.label, image.file.path, 1, {})[0].as_py() for image in images]
            columns[LABEL] = pa.array(known, pa.string()).dictionary_encode()
        position = {image.file.shown: json.dumps(asdict(image.cursor)) for image in images}
        return Batch(pa.RecordBatch.from_pydict(columns), position)
