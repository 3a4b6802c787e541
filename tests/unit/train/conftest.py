"""Sparse rows with something to learn in them, and networks on them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from afield.preprocess.rows import SparseRows
from afield.train.backend import prepare

prepare("cpu")


Problem = tuple[SparseRows, np.ndarray]


@pytest.fixture
def problem(make_problem: Callable[..., Problem]) -> Problem:
    """200 rows of 40 columns."""
    return make_problem(200, 40, seed=3)


@pytest.fixture
def make_problem() -> Callable[..., Problem]:
    """Makes rows whose class is the third of the columns that they mostly draw from."""
    return _make


def _make(records: int, width: int, seed: int) -> Problem:
    random = np.random.default_rng(seed)
    targets = random.integers(0, 3, records).astype(np.int32)
    third = width // 3
    rows = []
    for target in targets:
        own = target * third + random.permutation(third)[: random.integers(1, 5)]
        rows.append(np.unique(np.append(own, random.integers(0, width))))
    indptr = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    ids = np.concatenate(rows).astype(np.int32)
    weights = random.uniform(0.2, 1.0, len(ids)).astype(np.float32)
    return SparseRows(indptr, ids, weights, width), targets
