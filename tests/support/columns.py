"""A step that gives columns of numbers as they are: what a pipeline, a window or a network reads in tests."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa

from afield.preprocess.base import Carry, Features, Frozen, StepInput
from afield.preprocess.demand import demand


class Columns:
    """Columns of numbers as one feature, float32[N, W]; hidden ones are masked by 0.

    Args:
        names: of the columns.
        output: name of the feature.
        hidden: columns that may not be shown.
    """

    def __init__(self, *names: str, output: str = "numbers", hidden: tuple[str, ...] = ()) -> None:
        self.names = list(names)
        self.output = output
        self.hidden = hidden

    def columns(self, frozen: Frozen | None, schema: pa.Schema) -> list[str]:
        for name in self.names:
            demand(schema, name, "preprocess.columns")
        return self.names

    def masked(self, batch: pa.RecordBatch, written: Literal["names", "stand-ins"]) -> dict[str, pa.Array]:
        return {name: pa.array([0.0] * batch.num_rows) for name in self.hidden}

    def observe(self, state: int | None, batch: pa.RecordBatch) -> int:
        return (state or 0) + batch.num_rows

    def freeze(self, state: int) -> Frozen:
        return Frozen({"columns": {"names": self.names}, "records": state, "notes": [f"{state} records seen"]})

    def transform(self, frozen: Frozen, carry: Carry, batch: pa.RecordBatch) -> tuple[Features, Carry]:
        values = [batch.column(name).to_numpy(zero_copy_only=False) for name in self.names]
        return {self.output: np.stack(values, axis=1).astype(np.float32)}, carry

    def inputs(self, frozen: Frozen) -> list[StepInput]:
        return [StepInput(self.output, (len(self.names),))]
