"""How files are written so that a crash, a full disk or a missing permission never leaves half of one behind."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from afield.errors import AfieldError, StateError, TransientError

# EFBIG is what a limit on file sizes answers: to a person it is a full disk too.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def refusal(path: Path, error: OSError, needed: int | None = None) -> AfieldError:
    """What a failed write of `path` means to a person.

    Args:
        path: file or folder that was being written.
        error: what the system answered.
        needed: bytes that the whole file takes, where known.
    """
    if error.errno in FULL:
        size = "" if needed is None else f" {needed:,} bytes are needed, {_free(path):,} are free;"
        return TransientError(f"{path}: the disk is full;{size} make room and run again")
    if error.errno in FORBIDDEN:
        return StateError(f"{path}: no permission to write here; check the owner and the mode of {path.parent}")
    return StateError(f"{path}: cannot be written: {error.strerror or error}")


@contextmanager
def writing(path: Path, needed: int | None = None) -> Generator[None]:
    """Turns an OSError of its block into the error that names `path`.

    Raises:
        TransientError: the disk is full.
        StateError: no permission, or the path is not what it must be.
    """
    try:
        yield
    except OSError as error:
        raise refusal(path, error, needed) from error


@contextmanager
def replacing(path: Path, needed: int | None = None) -> Generator[BinaryIO]:
    """A file to write that takes the name `path` once it is whole and durable; on an error nothing is left of it.

    Args:
        path: the final name; a file that has it now is replaced in one step.
        needed: bytes that the whole file takes, where known, for the message about a full disk.

    Raises:
        TransientError: the disk is full.
        StateError: no permission, or the path is not what it must be.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with writing(path, needed):
        try:
            with partial.open("w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` durable: a new file's bytes alone do not make its name so."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _free(path: Path) -> int:
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    return shutil.disk_usage(existing).free
