"""Which files a path means, and what each of them holds by its name."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from afield.connectors.sources.files.spec import Files
from afield.connectors.sources.files.stream import CODECS, codec_of
from afield.connectors.sources.files.utf8 import readable

Kind = Literal["lines", "csv", "jsonl", "parquet", "idx", "images"]

_KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}


@dataclass(frozen=True)
class Found:
    """A file as it was when it was looked for.

    Args:
        path: where to open it.
        shown: its path for people: as the use case writes it, and readable whatever its bytes are.
        device, inode: who it is, whatever its name.
        size: bytes on the disk.
        changed: time of the last change in nanoseconds.
    """

    path: Path
    shown: str
    device: int
    inode: int
    size: int
    changed: int

    @property
    def who(self) -> tuple[int, int]:
        """What stays the same when the file is renamed."""
        return self.device, self.inode

    @property
    def state(self) -> tuple[int, int]:
        """What changes when the file is written to."""
        return self.size, self.changed


def find(spec: Files, base: Path, unreadable: dict[str, str]) -> list[Found]:
    """The regular files of the use case, sorted by path; one that is reached by several names is there once.

    Args:
        spec: path and exclude.
        base: folder that a relative path starts from.
        unreadable: takes what cannot be looked at, with the reason.
    """
    found: dict[tuple[int, int], Found] = {}
    try:
        paths = sorted(_paths(spec.path, base, unreadable))
    except OSError as error:
        unreadable[readable(spec.path)] = why(error)
        return []
    for path in paths:
        if _is_excluded(spec, Path(path).name):
            continue
        file = look_at(base / path, readable(path), unreadable)
        # Of a link and the file it leads to, the file is kept: it bears the name that its writer gave it.
        if file and (file.who not in found or found[file.who].path.is_symlink()):
            found[file.who] = file
    return sorted(found.values(), key=lambda file: file.shown)


def would_find(spec: Files, base: Path, path: Path) -> bool:
    """Whether `find` would find a file that is not there yet.

    Args:
        spec: path and exclude.
        base: folder that a relative path of the spec starts from.
        path: where the file would be.
    """
    whole = base / spec.path
    pattern: tuple[str, ...] = ("**",)
    if glob.has_magic(spec.path) and not whole.exists():
        fixed = fixed_part(spec.path)
        whole, pattern = base / fixed, Path(spec.path).parts[len(Path(fixed).parts) :]
    file, folder = path.resolve(), whole.resolve()
    if _is_excluded(spec, file.name) or not file.is_relative_to(folder):
        return False
    return _matches(file.relative_to(folder).parts, pattern)


def look_at(path: Path, shown: str, unreadable: dict[str, str]) -> Found | None:
    """One regular file, None where the path is something else or is gone."""
    try:
        stat = path.stat()
    except OSError as error:
        unreadable[shown] = why(error)
        return None
    if not path.is_file():
        return None
    return Found(path, shown, stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)


def is_there(file: Found) -> bool:
    """Whether its path still leads to the file: what was read there was then read from it."""
    now = look_at(file.path, file.shown, {})
    return now is not None and now.who == file.who


def why(error: OSError) -> str:
    """The reason of the system, in plain words."""
    return (error.strerror or str(error)).lower()


def kind_of(spec: Files, path: Path) -> Kind:
    """What a file holds, by the use case or by its name."""
    if spec.format != "auto":
        return spec.format
    plain = path.with_suffix("") if path.suffix.lower() in CODECS else path
    return _KINDS.get(plain.suffix.lower(), "lines")


def grows(spec: Files, path: Path) -> bool:
    """Whether lines can be appended to the file, rather than it being written as a whole."""
    return codec_of(path) is None and kind_of(spec, path) in {"lines", "jsonl"}


def fixed_part(path: str) -> str:
    """The folders of a path before its first wildcard."""
    parts = Path(path).parts
    for count, part in enumerate(parts):
        if glob.has_magic(part):
            return str(Path(*parts[:count]))
    return path


def _is_excluded(spec: Files, name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in spec.exclude)


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether folders and name are those of a pattern, as glob reads it: a wildcard stands for nothing hidden."""
    if not parts or not pattern:
        return not parts and all(part == "**" for part in pattern)
    hidden = parts[0].startswith(".") and not pattern[0].startswith(".")
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or (not hidden and _matches(parts[1:], pattern))
    return not hidden and fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _paths(path: str, base: Path, unreadable: dict[str, str]) -> Iterator[str]:
    whole = base / path
    if whole.is_dir():
        yield from _below(path, base, unreadable)
    elif glob.has_magic(path) and not whole.exists():
        # Path.glob takes no absolute pattern, and finds hidden files.
        for match in glob.iglob(path, root_dir=base, recursive=True):  # noqa: PTH207
            yield str(Path(match))
    elif whole.exists():
        yield str(Path(path))


def _below(path: str, base: Path, unreadable: dict[str, str]) -> Iterator[str]:
    def refused(error: OSError) -> None:
        unreadable[readable(Path(path, os.path.relpath(error.filename, base / path)))] = why(error)

    for folder, folders, names in os.walk(base / path, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = os.path.relpath(folder, base / path)
        for name in names:
            if not name.startswith("."):
                yield str(Path(path, inside, name))
