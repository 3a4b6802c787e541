"""Answers what came before a value changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ConfigDict, Field, model_validator

from afield.runtime.triggers.base import Firings, Trigger, Waiting
from afield.usecase.base import Component, or_alone, shorthand

if TYPE_CHECKING:
    import pyarrow as pa

Value = tuple[Any] | None
"""Of the column, in one record; None where the record has no such column."""


class OnChange(Component):
    """Records that follow each other with one value in a column are answered together, once another value comes."""

    model_config = ConfigDict(json_schema_extra=or_alone("column"))
    summary: ClassVar[str] = "Answers the records of one value together, once another comes, as `on_change: column`."

    column: str = Field(
        min_length=1,
        description="The column whose value is watched. No value is a value too; records without the column are "
        "answered as soon as they are there.",
        examples=["shift"],
    )

    _short = model_validator(mode="before")(shorthand("column"))

    def open(self) -> Trigger:
        """The trigger at work."""
        return self

    def plan(self, waiting: Waiting) -> Firings:
        """A slice for each value that is over; the last goes on waiting."""
        if not waiting.pending:
            return Firings([])
        slices: list[tuple[int, int]] = []
        # Those that were left waiting have one value.
        start, first = 0, max(waiting.seen - 1, 0)
        place, before = first, None
        for batch in waiting.records(first):
            value, changes = _runs(batch, self.column)
            if place > first and not _same(before, value):
                changes = [0, *changes]
            for change in changes:
                slices.append((start, place + change))
                start = place + change
            place += batch.num_rows
            before = _value(batch, self.column, batch.num_rows - 1)
        if before is None:
            slices.append((start, place))
        return Firings(slices)


def _runs(batch: pa.RecordBatch, column: str) -> tuple[Value, list[int]]:
    """The first value of a batch, and the rows that differ from the one before them."""
    import numpy as np
    import pyarrow as pa

    first = _value(batch, column, 0)
    if first is None or batch.num_rows == 1:
        return first, []
    values = batch.column(column)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_nested(values.type):
        values = pa.array([repr(value) for value in values.to_pylist()])
    codes = values.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return first, (np.flatnonzero(np.diff(codes)) + 1).tolist()


def _value(batch: pa.RecordBatch, column: str, row: int) -> Value:
    place = batch.schema.get_field_index(column)
    return None if place < 0 else (batch.column(place)[row].as_py(),)


def _same(one: Value, other: Value) -> bool:
    if one is None or other is None:
        return False
    (a,), (b,) = one, other
    return a == b or (a != a and b != b)
