"""Starts a use case: copies one of the gallery into a folder, with the person's data or simulated data."""

from __future__ import annotations

import importlib
import importlib.resources
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from glob import iglob
from pathlib import Path

from afield.errors import UseCaseError

_DATA_FOLDER = "data"
_SEED = 0


@dataclass(frozen=True)
class Started:
    """A use case that was started.

    Args:
        file: its usecase.yaml.
        notes: what a person should know, one line each.
    """

    file: Path
    notes: tuple[str, ...]


def names() -> list[str]:
    """The use cases of the gallery."""
    gallery = importlib.resources.files("afield.gallery")
    return sorted(entry.name for entry in gallery.iterdir() if entry.joinpath("usecase.yaml").is_file())


def start(name: str, folder: Path, *, data: str | None = None, force: bool = False) -> Started:
    """Copies a use case of the gallery.

    Args:
        name: one of `names()`.
        folder: where to; made if it is not there.
        data: a folder, a file or a glob of the person's; None simulates data in the folder.
        force: write into a folder that is not empty; files of the same name are replaced, others stay.

    Raises:
        UseCaseError: no such use case or data, or the folder is not empty.
        DataError: the person's data cannot be brought into the layout of the use case.
    """
    if name not in names():
        near = get_close_matches(name, names(), n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(names())}"
        raise UseCaseError(f"the gallery has no use case '{name}'; {hint}")
    given = None if data is None else existing(data)
    make(folder, force=force)
    written = _write_data(name, folder / _DATA_FOLDER, given)
    for file_name, text in _copied(name):
        if given is not None and written is None and file_name.endswith(".yaml"):
            text = _with_data(text, str(given))
        (folder / file_name).write_text(text, encoding="utf-8")
    notes = () if written is None else (f"{folder / _DATA_FOLDER}: {written}",)
    return Started(folder / "usecase.yaml", notes)


def make(folder: Path, *, force: bool) -> None:
    """Makes the folder of a use case.

    Raises:
        UseCaseError: it is a file, or not empty and `force` is not given.
    """
    if folder.exists() and not folder.is_dir():
        raise UseCaseError(f"{folder}: is a file; name a folder for the use case")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise UseCaseError(f"{folder}: is not empty; name another folder, or add --force to write into it")
    folder.mkdir(parents=True, exist_ok=True)


def existing(data: str) -> Path:
    """The absolute path of a person's data, so that the use case means the same from any folder.

    Raises:
        UseCaseError: there is nothing at that path.
    """
    path = Path(data).expanduser().absolute()
    finds_one = any(iglob(str(path), recursive=True))  # noqa: PTH207, as Path.glob takes no absolute pattern
    if not path.exists() and not finds_one:
        raise UseCaseError(f"--data {data}: no such folder or file; expected a folder, a file or a glob that finds one")
    return path


def _write_data(name: str, folder: Path, given: Path | None) -> str | None:
    """Writes the data of the use case, and says what was written; None where the person's are read where they are."""
    simulator = importlib.import_module(f"afield.gallery.{name}.simulator")
    if given is None:
        return simulator.simulate(folder, seed=_SEED).note
    prepare = getattr(simulator, "prepare", None)
    return prepare(given, folder) if prepare else None


def _copied(name: str) -> Iterator[tuple[str, str]]:
    """The files of a use case that a person gets: their names and texts."""
    case = importlib.resources.files("afield.gallery").joinpath(name)
    code = case.joinpath("copied")
    for entry in case.iterdir():
        if entry.name == "README.md" or entry.name.endswith(".yaml"):
            yield entry.name, entry.read_text(encoding="utf-8")
    for entry in code.iterdir() if code.is_dir() else ():
        if entry.name.endswith(".py"):
            yield entry.name, entry.read_text(encoding="utf-8")


def _with_data(text: str, where: str) -> str:
    """The use case with its source's path; JSON's quotes are YAML's too, where a path needs them."""
    written = where if re.fullmatch(r"[A-Za-z0-9_./*+-]+", where) else json.dumps(where, ensure_ascii=False)
    return re.sub(r"(?m)^( +path: )data(?:/\S*)?(?=\s|$)", lambda found: f"{found[1]}{written}", text, count=1)
