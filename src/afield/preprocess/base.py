"""The seam of this room: a step is fitted once on training data, frozen, and then only applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
import pyarrow as pa

from afield.preprocess.rows import SparseRows
from afield.preprocess.windows import Windows

State = TypeVar("State")

Features = Mapping[str, np.ndarray | SparseRows | Windows]
"""Name -> array whose first axis is the record, sparse rows, or windows."""

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


@dataclass(frozen=True)
class StepInput:
    """What one feature looks like when it enters a model.

    Args:
        feature: its name.
        shape: of one record: (width,) of sparse rows, (L, ...) of windows.
        dtype: "float32" or "int32".
        sparse: whether it comes as sparse rows.
        cardinalities: of int32 features, the number of values in each column; empty where they are no categories.
    """

    feature: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    sparse: bool = False
    cardinalities: tuple[int, ...] = ()


class Step(Protocol[State]):
    """Raw batch to model-ready arrays, one row a record: the same code in training and in running."""

    def columns(self, frozen: Frozen | None, schema: pa.Schema) -> list[str]:
        """The columns that it reads; before the fit, those it would read.

        Raises:
            DataError: one of them is not there.
        """
        ...

    def masked(self, batch: pa.RecordBatch, written: Literal["names", "stand-ins"]) -> dict[str, pa.Array]:
        """Its columns as they may be stored or shown.

        Args:
            batch: N records.
            written: "names" for people (`<number>`), or "stand-ins" that give the same features.
        """
        ...

    def observe(self, state: State | None, batch: pa.RecordBatch) -> State:
        """Takes one batch of training records into the state; None starts one."""
        ...

    def freeze(self, state: State) -> Frozen:
        """Ends the fit."""
        ...

    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        """Applies the frozen step to one batch."""
        ...

    def inputs(self, frozen: Frozen) -> list[StepInput]:
        """What its features look like."""
        ...


@runtime_checkable
class Leveled(Protocol):
    """A step that can be set to records whose numbers are larger or smaller on the whole, without another fit."""

    def levels(self, frozen: Frozen, batch: pa.RecordBatch) -> np.ndarray:
        """float64[K]: the mean of each of its numbers over some records; NaN where a mean says nothing."""
        ...

    def leveled(self, frozen: Frozen, times: np.ndarray) -> Frozen:
        """The step as if each of its numbers were first multiplied.

        Args:
            frozen: the step.
            times: float64[K]; above 0.
        """
        ...
