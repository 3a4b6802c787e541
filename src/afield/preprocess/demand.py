"""The error of a column that is not there, the same for every step."""

from __future__ import annotations

import difflib

import pyarrow as pa

from afield.errors import DataError


def demand(schema: pa.Schema, column: str, where: str) -> None:
    """Refuses records without a column.

    Args:
        schema: of the records.
        column: that is read.
        where: the place in the use case that names it, such as `preprocess.text.column`.

    Raises:
        DataError: the column is not there.
    """
    if schema.get_all_field_indices(column):  # `schema.names` is made anew at each call
        return
    there = [name for name in schema.names if not name.startswith("_")]
    near = difflib.get_close_matches(column, there, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(there) or 'no columns'}"
    raise DataError(f"{where}: the records have no column '{column}'; {hint}")
