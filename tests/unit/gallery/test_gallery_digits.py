"""The digits of the gallery: real ones, in MNIST's layout, without importing scikit-learn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from files_reading import opened, rows
from sklearn.datasets import load_digits

from afield.errors import UseCaseError
from afield.gallery.digits import simulator
from afield.gallery.digits.simulator import simulate, write_idx
from afield.train.backend import prepare
from afield.usecase.document import parse


def test_they_are_the_digits_of_scikit_learn(tmp_path: Path) -> None:
    simulated = simulate(tmp_path / "data", seed=0)
    assert [file.name for file in simulated.files] == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ]
    found = rows(opened(tmp_path, "data", format="idx", label="label", labelled=True).batches({}))
    known = load_digits()
    ours = sorted((tuple(row["image"]), row["label"]) for row in found)
    stretched = np.rint(known.data * 255 / 16).astype(int).tolist()
    assert ours == sorted((tuple(pixels), str(digit)) for pixels, digit in zip(stretched, known.target, strict=True))
    assert [sum(name in row["_file"] for row in found) for name in ("train", "t10k")] == [1438, 359]


@pytest.mark.parametrize(
    ("variant", "parameters"), [("usecase.yaml", 407_050), ("small.yaml", 101_770), ("wide.yaml", 407_050)]
)
def test_the_networks_have_the_parameters_that_are_said(variant: str, parameters: int) -> None:
    prepare("cpu")
    import keras

    text = (Path(simulator.__file__).parent / variant).read_text(encoding="utf-8")
    names = {"flatten": keras.layers.Flatten, "dense": keras.layers.Dense, "dropout": keras.layers.Dropout}
    layers: list[Any] = [keras.Input((28, 28, 1))]
    for layer in parse(text, variant).data["model"]["network"]:
        name, arguments = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
        layers.append(names[name](**{key: 10 if value == "classes" else value for key, value in arguments.items()}))
    assert keras.Sequential(layers).count_params() == parameters


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first, second, other = (simulate(tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert [file.read_bytes() for file in first.files] == [file.read_bytes() for file in second.files]
    assert first.files[0].read_bytes() != other.files[0].read_bytes()


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 3, 4), np.uint8)
    write_idx(tmp_path, "any", pixels, np.arange(5, dtype=np.uint8))
    found = rows(opened(tmp_path, format="idx", label="label", labelled=True).batches({}))
    assert np.array_equal([row["image"] for row in found], pixels.reshape(5, 12))
    assert [row["label"] for row in found] == ["0", "1", "2", "3", "4"]


def test_scikit_learn_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from afield.gallery.digits.simulator import simulate; "
        f"simulate(pathlib.Path({str(tmp_path / 'data')!r}), seed=0); sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_scikit_learn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator, "_FILE", "sklearn/no/such/file.gz")
    with pytest.raises(UseCaseError) as caught:
        simulate(tmp_path / "data", seed=0)
    assert str(caught.value) == (
        "the small digits come with scikit-learn, which is not installed here: pip install 'afield[train]', or name "
        "your own digits with --data"
    )
