"""Starts a use case: copies one of the gallery into a folder, with the person's data or simulated data."""

from __future__ import annotations

import importlib
import importlib.resources
import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from glob import iglob
from pathlib import Path

from afield.errors import UseCaseError

_COPIED = ("usecase.yaml", "README.md")
_DATA_FOLDER = "data"
_LINES_A_KIND = 2000
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
    """
    if name not in names():
        near = get_close_matches(name, names(), n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(names())}"
        raise UseCaseError(f"the gallery has no use case '{name}'; {hint}")
    where = _DATA_FOLDER if data is None else _existing(data)
    if folder.exists() and not folder.is_dir():
        raise UseCaseError(f"{folder}: is a file; name a folder for the use case")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise UseCaseError(f"{folder}: is not empty; name another folder, or add --force to write into it")
    folder.mkdir(parents=True, exist_ok=True)
    for copied in _COPIED:
        text = importlib.resources.files("afield.gallery").joinpath(name, copied).read_text(encoding="utf-8")
        if copied == "usecase.yaml":
            text = _with_data(text, where)
        (folder / copied).write_text(text, encoding="utf-8")
    notes = () if data is not None else (_simulate(name, folder / _DATA_FOLDER),)
    return Started(folder / "usecase.yaml", notes)


def _existing(data: str) -> str:
    """The absolute path, so that the use case means the same from any folder."""
    path = Path(data).expanduser().absolute()
    finds_one = any(iglob(str(path), recursive=True))  # noqa: PTH207, as Path.glob takes no absolute pattern
    if not path.exists() and not finds_one:
        raise UseCaseError(f"--data {data}: no such folder or file; expected a folder, a file or a glob that finds one")
    return str(path)


def _with_data(text: str, where: str) -> str:
    """The use case with its source's path; JSON's quotes are YAML's too, where a path needs them."""
    written = where if re.fullmatch(r"[A-Za-z0-9_./*+-]+", where) else json.dumps(where, ensure_ascii=False)
    return re.sub(r"(?m)^( +path: )data(?= )", lambda found: f"{found[1]}{written}", text, count=1)


def _simulate(name: str, folder: Path) -> str:
    simulator = importlib.import_module(f"afield.gallery.{name}.simulator")
    simulated = simulator.simulate(folder, lines_per_kind=_LINES_A_KIND, seed=_SEED)
    return (
        f"{folder}: {_LINES_A_KIND} simulated lines of each of {len(simulated.files)} kinds; "
        f"the best possible accuracy is {simulated.best_accuracy:.4f}, as two kinds share some of their lines"
    )
