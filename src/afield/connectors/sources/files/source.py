"""The source of files: what `Files.open` returns."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import ClassVar

from afield.connectors.base import Batch, Position
from afield.connectors.report import SourceReport
from afield.connectors.sources.files.discover import Found, find, fixed_part
from afield.connectors.sources.files.follow import Follower
from afield.connectors.sources.files.identity import Streams
from afield.connectors.sources.files.images import ImageFiles
from afield.connectors.sources.files.resume import Who, beside, carried_on, copied_from
from afield.connectors.sources.files.spec import Files
from afield.connectors.sources.files.whole import CHUNK, Reading, read_file
from afield.errors import DataError


class FilesSource:
    """Records of files, once or for ever.

    Args:
        spec: the declaration.
        base: folder that a relative path starts from.
        follow: goes on for ever with what is added.
        labelled: adds the column LABEL.
        poll: seconds between two looks at the files, when following.
        chunk: bytes that are read at once, about the size of a batch.
    """

    replayable: ClassVar[bool] = True
    splittable: ClassVar[bool] = True

    def __init__(
        self, spec: Files, *, base: Path, follow: bool, labelled: bool, poll: float = 0.5, chunk: int = CHUNK
    ) -> None:
        self.report = SourceReport()
        self._spec = spec
        self._base = base.absolute()
        self._follow = follow
        self._labelled = labelled
        self._poll = poll
        self._chunk = chunk
        self._closed = Event()

    def batches(self, position: Position) -> Iterator[Batch]:
        """Records after the position; `report` counts anew.

        Args:
            position: what was committed, empty to begin.

        Raises:
            DataError: nothing at all can be read, or a column that is asked for is not there.
            StateError: the position belongs to another source.
        """
        self.report = SourceReport()
        if self._follow:
            self._check_folder()
        yield from self._images(position) if self._spec.format == "images" else self._files(position)
        enough = self.report.records if self._labelled else self.report.files
        if not (self._follow or self._closed.is_set() or position or enough):
            raise DataError(self._nothing(find(self._spec, self._base, {})))

    def acknowledge(self, position: Position) -> None:
        """Files need no word that they were read."""

    def close(self) -> None:
        """Ends `batches`, also from another thread."""
        self._closed.set()

    def _files(self, position: Position) -> Iterator[Batch]:
        reading = Reading(self._spec, self._labelled, self.report, Streams.of(position), self._chunk)
        if self._follow:
            yield from Follower(reading, self._base, self._poll, self._closed).batches()
            return
        for file, stream in _planned(reading, find(self._spec, self._base, self.report.skipped)).values():
            if self._closed.is_set():
                return
            yield from read_file(reading, file, stream)

    def _images(self, position: Position) -> Iterator[Batch]:
        poll = self._poll if self._follow else None
        return ImageFiles(self._spec, self._base, self._labelled, self.report, self._closed, poll).batches(position)

    def _check_folder(self) -> None:
        folder = self._base / fixed_part(self._spec.path)
        if not folder.exists() and not folder.parent.exists():
            raise DataError(f"{self._spec.path}: there is no folder {folder.parent}; create it, or correct path:")

    def _nothing(self, found: list[Found]) -> str:
        path, whole = self._spec.path, self._base / self._spec.path
        if found and self.report.files:
            return f"{path}: expected records, found only empty files ({len(found)}); correct path: of the source"
        if self.report.skipped:
            reasons = [f"{shown}: {reason}" for shown, reason in sorted(self.report.skipped.items())]
            more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
            return f"{path}: expected files with records, found none that can be read: {'; '.join(reasons[:3])}{more}"
        if whole.is_dir():
            without = " that exclude: leaves" if self._spec.exclude else ""
            return f"{path}: expected files, found none{without} in the folder {whole} (hidden files do not count)"
        if glob.has_magic(path):
            return f"{path}: expected files, found none that match in {self._base}; correct path: of the source"
        return f"{path}: expected a file or a folder, found neither at {whole}; correct path: of the source"


def _planned(reading: Reading, found: list[Found]) -> dict[Who, tuple[Found, str | None]]:
    """What to read, in that order: what is left of earlier streams, then new files.

    All files are told apart before the first is read: of two that are alike, neither is taken for a copy.
    """
    streams = reading.streams
    plan: dict[Who, tuple[Found, str | None]] = {}
    others = beside(streams, {file.who for file in found})
    for file, stream in carried_on(streams, [*found, *others], plan):
        plan[file.who] = file, stream
    for file in found:
        if file.who in plan:
            continue
        if copied_from(streams, file):
            reading.report.skipped[file.shown] = "a copy of a file that was read already"
        else:
            plan[file.who] = file, None
    return plan
