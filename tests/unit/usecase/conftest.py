"""A use case on disk, with components that stand in for the real ones."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from afield.usecase import components
from afield.usecase.load import check
from afield.usecase.model import UseCase

FAKES = (
    ("afield.sources", "files", "usecase_fakes:Files"),
    ("afield.steps", "text", "usecase_fakes:Text"),
    ("afield.models", "network", "usecase_fakes:Network"),
    ("afield.triggers", "on_arrival", "usecase_fakes:OnArrival"),
    ("afield.sinks", "jsonl", "usecase_fakes:JsonLines"),
    ("afield.sinks", "parquet", "usecase_fakes:Parquet"),
)

VALID = """\
name: lines
source:
  files: {path: data, label: file_name}
preprocess:
  - text: {min_df: 2, mask: [number]}
model:
  network:
    - dense: {units: 8}
    - dense: {units: 2}
train:
  epochs: 3
"""


def forget() -> None:
    """Looks for components again."""
    components.offered.cache_clear()
    UseCase.model_rebuild(force=True)


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def entry_points(*, group: str) -> list[importlib.metadata.EntryPoint]:
        return [importlib.metadata.EntryPoint(name, value, of) for of, name, value in FAKES if of == group]

    with monkeypatch.context() as patched:
        patched.syspath_prepend(Path(__file__).parent)
        patched.setattr(importlib.metadata, "entry_points", entry_points)
        forget()
        yield
    forget()


@pytest.fixture
def written(fakes: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes `my-logs/usecase.yaml` below the working folder and returns `my-logs`."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Path:
        folder = Path("my-logs")
        folder.mkdir(exist_ok=True)
        (folder / "usecase.yaml").write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def case(written: Callable[[str], Path]) -> Path:
    """The folder of a valid use case."""
    return written(VALID)


@pytest.fixture
def found(written: Callable[[str], Path]) -> Callable[..., list[str]]:
    """What is found in VALID after one piece of it is replaced, without the name of the file."""

    def find(old: str = "", new: str = "", *overrides: str) -> list[str]:
        assert old in VALID
        findings = check(written(VALID.replace(old, new, 1) if old else VALID), overrides)
        return [str(finding).removeprefix("my-logs/usecase.yaml:") for finding in findings]

    return find
