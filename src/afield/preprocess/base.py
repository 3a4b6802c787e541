"""The seam of this room: a step is fitted once on training data, frozen, and then only applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from afield.preprocess.rows import SparseRows

State = TypeVar("State")

Features = Mapping[str, np.ndarray | SparseRows]
"""Name -> array whose first axis is the record, or sparse rows."""

Carry = Any
"""State of a step between two batches of one stream: JSON and arrays; None where there is none."""


@dataclass(frozen=True)
class Frozen:
    """What a fitted step is, as data alone.

    Args:
        config: JSON values.
        arrays: named arrays; no Python objects.
    """

    config: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])


class Step(Protocol[State]):
    """Raw batch to model-ready arrays: the same code in training and in running."""

    def observe(self, state: State | None, batch: pa.RecordBatch) -> State:
        """Takes one batch of training records into the state; None starts one."""
        ...

    def freeze(self, state: State) -> Frozen:
        """Ends the fit."""
        ...

    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        """Applies the frozen step to one batch."""
        ...
