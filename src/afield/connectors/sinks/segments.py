"""The numbered files of a sink in their folder, and the one at their end that is appended to."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from afield import faults
from afield.errors import StateError
from afield.files import sync_folder, writing


@dataclass(frozen=True)
class Mark:
    """How far a sink has written.

    Args:
        number: of the file; 0 where there is none yet.
        bytes: of it that hold answers.
        rows: in these bytes.
        since: when it was started, in seconds since 1970.
    """

    number: int = 0
    bytes: int = 0
    rows: int = 0
    since: float = 0.0

    def to_text(self) -> str:
        """What is committed."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def from_text(cls, text: str) -> Mark:
        """Reads a committed mark.

        Raises:
            StateError: it is not one.
        """
        try:
            return cls(**orjson.loads(text))
        except (orjson.JSONDecodeError, TypeError):
            raise StateError(f"the committed mark {text!r} is not one of this sink; give the sink a new path") from None


class Segments:
    """The files of one sink, told apart by number and suffix.

    Args:
        folder: where they are.
        suffixes: those that belong to the sink.
    """

    def __init__(self, folder: Path, suffixes: set[str]) -> None:
        self.folder = folder
        self._name = re.compile(rf"answers-(\d{{6,}})({'|'.join(map(re.escape, suffixes))})")

    def path(self, number: int, suffix: str) -> Path:
        """The file of that number."""
        return self.folder / f"answers-{number:06}{suffix}"

    def found(self) -> list[tuple[int, Path]]:
        """Number and path of every file there, in order."""
        matches = ((self._name.fullmatch(file.name), file) for file in self.folder.iterdir())
        return sorted((int(match[1]), file) for match, file in matches if match)

    def remove(self, *, after: int | None = None, up_to: int | None = None) -> None:
        """Deletes the files beyond or up to a number."""
        for number, file in self.found():
            if (after is not None and number > after) or (up_to is not None and number <= up_to):
                file.unlink()

    def remove_partial(self) -> None:
        """Deletes what a killed process left of files it was replacing."""
        for file in self.folder.glob(".answers-*.tmp"):
            file.unlink()

    def set_aside(self) -> None:
        """Moves all files to a folder of their own: they may be what a lost store once knew of."""
        files = [file for _, file in self.found()]
        if files:
            taken = {folder.name for folder in self.folder.glob("taken-back-*")}
            aside = next(name for index in range(1, len(taken) + 2) if (name := f"taken-back-{index}") not in taken)
            (self.folder / aside).mkdir()
            for file in files:
                file.rename(self.folder / aside / file.name)


class OpenSegment:
    """A file that is appended to, and cut back when an append fails.

    Args:
        path: the file; made where it is not there.
        mark: number and age of the file, and what of it stays.
        sync: whether an append returns only once it is on the disk.
    """

    def __init__(self, path: Path, mark: Mark, sync: bool) -> None:
        self.path = path
        self.mark = mark
        self._sync = sync
        with writing(path):
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            os.ftruncate(self._handle, mark.bytes)
            os.fsync(self._handle)
            sync_folder(path.parent)

    def append(self, data: bytes | memoryview, rows: int) -> Mark:
        """Adds the bytes of some rows, all or none.

        Raises:
            TransientError: the disk is full.
        """
        before = self.mark
        with writing(self.path, needed=len(data)):
            try:
                for piece in faults.halves("sink half written", memoryview(data)):
                    left = piece
                    while left:
                        left = left[os.write(self._handle, left) :]
                faults.point("sink unflushed")
                if self._sync:
                    os.fdatasync(self._handle)
            except BaseException:
                os.ftruncate(self._handle, before.bytes)
                raise
        faults.point("sink written")
        self.mark = Mark(before.number, before.bytes + len(data), before.rows + rows, before.since)
        return self.mark

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._handle)
