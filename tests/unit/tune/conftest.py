"""Use cases on real digits, small enough to be tuned in seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from afield.train.backend import prepare

prepare("cpu")

ROWS = 600


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV file of digits: 64 pixels and the answer."""
    found = load_digits()
    file = tmp_path_factory.mktemp("digits") / "digits.csv"
    names = ",".join(f"p{place}" for place in range(64))
    rows = [f"{','.join(map(str, pixels.astype(int)))},{answer}" for pixels, answer in zip(*_first(found), strict=True)]
    file.write_text("\n".join([f"{names},digit", *rows]) + "\n")
    return file


def _first(found: object) -> tuple[np.ndarray, np.ndarray]:
    return found.data[:ROWS], found.target[:ROWS]  # pyright: ignore[reportAttributeAccessIssue]


@pytest.fixture
def case(digits: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Writes a use case of a model into a folder, and returns the folder."""

    def write(model: str) -> Path:
        folder = tmp_path / "digits"
        folder.mkdir(exist_ok=True)
        (folder / "usecase.yaml").write_text(
            "question: {ask: Which digit?}\n"
            f"source:\n  files: {{path: {digits}, format: csv, label: digit}}\n"
            "preprocess:\n  - table\n" + model
        )
        return folder

    return write
