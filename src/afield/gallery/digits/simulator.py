"""Handwritten digits without MNIST: the 1,797 small ones that come with scikit-learn, written as MNIST's files are.

They are real, from the UCI set "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak, 1998): 8 x 8 pixels
of 0 to 16, here stretched to 0 to 255. The file is read by its path: scikit-learn itself is not imported.
"""

from __future__ import annotations

import gzip
import struct
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np

from afield.errors import UseCaseError
from afield.gallery.simulated import Simulated

SIDE, MOST = 8, 16
TEST_PART = 0.2
_FILE = "sklearn/datasets/data/digits.csv.gz"


def simulate(folder: Path, *, seed: int) -> Simulated:
    """Writes the digits as IDX files under MNIST's names: 80 % to train, 20 % to test.

    Args:
        folder: where to; made if it is not there.
        seed: draws which digits test.

    Raises:
        UseCaseError: scikit-learn is not installed.
    """
    digits = _digits()
    order = np.random.default_rng(seed).permutation(len(digits))
    test = round(TEST_PART * len(digits))
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    for name, rows in {"train": np.sort(order[test:]), "t10k": np.sort(order[:test])}.items():
        pixels = np.rint(digits[rows, :-1] * (255 / MOST)).astype(np.uint8).reshape(-1, SIDE, SIDE)
        files += write_idx(folder, name, pixels, digits[rows, -1].astype(np.uint8))
    note = (
        f"{len(digits):,} real handwritten digits of {SIDE} x {SIDE} pixels, {test} of them to test; "
        "for MNIST, give its folder with --data"
    )
    return Simulated(note, files=tuple(files))


def write_idx(folder: Path, name: str, images: np.ndarray, labels: np.ndarray) -> list[Path]:
    """Writes images and their labels as MNIST's files are named: `NAME-images-idx3-ubyte.gz` and its labels.

    Args:
        folder: where to.
        name: what the names begin with.
        images: uint8[N, H, W].
        labels: uint8[N].
    """
    contents = {
        f"{name}-images-idx3-ubyte.gz": struct.pack(">4I", 2051, *images.shape) + images.tobytes(),
        f"{name}-labels-idx1-ubyte.gz": struct.pack(">2I", 2049, len(labels)) + labels.tobytes(),
    }
    for file_name, content in contents.items():
        # Without a time in its header, the same content is the same file.
        (folder / file_name).write_bytes(gzip.compress(content, mtime=0))
    return [folder / file_name for file_name in contents]


def _digits() -> np.ndarray:
    """float64[1797, 65]: 64 pixels, and the digit."""
    try:
        file = Path(str(distribution("scikit-learn").locate_file(_FILE)))
        with gzip.open(file, "rt", encoding="ascii") as lines:
            return np.loadtxt(lines, delimiter=",")
    except (PackageNotFoundError, FileNotFoundError) as error:
        raise UseCaseError(
            "the small digits come with scikit-learn, which is not installed here: pip install 'afield[train]', "
            "or name your own digits with --data"
        ) from error
