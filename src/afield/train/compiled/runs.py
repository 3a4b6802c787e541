"""Steps on one piece of data, and how an order of rows becomes such steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Run:
    """Steps of one batch size on one piece of data.

    Args:
        data: structure (x, y, weights) on the device.
        order: int32[S, B]; rows of each step.
        first: the first step to run.
        last: the step after the last one to run.
    """

    data: Any
    order: Any
    first: int
    last: int


def cut(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """An order (int[N]) as steps of equal size and the last, smaller one: int32[S, B] each, none of them empty."""
    whole = len(order) // batch_size * batch_size
    parts = order[:whole].reshape(-1, batch_size), order[whole:][None]
    return [part.astype(np.int32) for part in parts if part.size]


def whole_runs(data: Any, order: np.ndarray, batch_size: int) -> Iterator[Run]:
    """Every step of an order on data that holds all of its rows."""
    for part in cut(order, batch_size):
        yield Run(data, part, 0, len(part))
