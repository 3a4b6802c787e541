"""The networks that are measured, as layers that any library can build, and what they are trained on."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from corpus import data_folder

Layer = tuple
"""(kind, ...): ("dense", units, activation), ("lstm", units, gives every step), ("batch_norm",), and, for a dense layer
on sparse rows, ("bag", units, activation)."""
RATE = 0.001
EPSILON = 1e-7


@dataclass(frozen=True)
class Network:
    """One network and its training.

    Args:
        shape: of one row.
        layers: the last one is a dense one with softmax, or with sigmoid and one unit.
        batch: rows a step.
        rows: of the data.
        alone: small enough that one thread may be faster than several.
        data: seed -> x, float32[N, *shape], and y, int32[N].
    """

    shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    batch: int
    rows: int
    alone: bool
    data: Callable[[int], tuple[np.ndarray, np.ndarray]]

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.rows // self.batch)

    @property
    def binary(self) -> bool:
        """Whether the answer is one probability."""
        return self.layers[-1][2] == "sigmoid"

    @property
    def dense(self) -> bool:
        """Whether all layers are dense, which is all that some libraries have."""
        return all(kind == "dense" for kind, *_ in self.layers)


def digits(rows: int) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """MNIST where it is at hand, else rows of the same shape."""

    def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
        folder = data_folder() / "mnist"
        if not (folder / "train-images-idx3-ubyte.gz").exists():
            return taught((784,), 10, rows)(seed)
        with gzip.open(folder / "train-images-idx3-ubyte.gz") as images:
            pixels = np.frombuffer(images.read(), np.uint8, offset=16).reshape(-1, 784)
        with gzip.open(folder / "train-labels-idx1-ubyte.gz") as labels:
            answers = np.frombuffer(labels.read(), np.uint8, offset=8)
        return pixels[:rows].astype(np.float32) / 255, answers[:rows].astype(np.int32)

    return data


def taught(shape: tuple[int, ...], classes: int, rows: int) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Rows of random numbers whose class is that of the largest of so many random sums."""

    def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(seed)
        x = random.normal(size=(rows, *shape)).astype(np.float32)
        sums = x.reshape(rows, -1) @ random.normal(size=(int(np.prod(shape)), classes)).astype(np.float32)
        return x, sums.argmax(axis=1).astype(np.int32)

    return data


SUBSCRIBERS = (
    ("batch_norm",),
    ("lstm", 512, True),
    ("lstm", 512, False),
    ("batch_norm",),
    ("dense", 1, "sigmoid"),
)
FAULTS = (
    ("lstm", 512, True),
    ("lstm", 512, False),
    ("batch_norm",),
    ("dense", 512, "linear"),
    ("batch_norm",),
    ("dense", 10, "softmax"),
)


def networks(quick: bool = False) -> dict[str, Network]:
    """All networks by name; with fewer rows where all is only to be tried."""
    many, few, hours, days = (4_096, 2_048, 64, 96) if quick else (60_000, 20_000, 160, 480)
    return {
        "mlp-784-512-10": Network(
            (784,), (("dense", 512, "relu"), ("dense", 10, "softmax")), 128, many, True, digits(many)
        ),
        "mlp-64-64-10": Network(
            (64,), (("dense", 64, "relu"), ("dense", 10, "softmax")), 32, few, True, taught((64,), 10, few)
        ),
        "subscribers-lstm": Network((12, 208), SUBSCRIBERS, 32, days, False, taught((12, 208), 2, days)),
        "faults-lstm": Network((60, 132), FAULTS, 32, hours, False, taught((60, 132), 10, hours)),
    }
