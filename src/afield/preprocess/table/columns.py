"""Which columns of the records the table step reads."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import pyarrow as pa

from afield.errors import DataError
from afield.preprocess.demand import demand
from afield.preprocess.table.spec import Table


def chosen(declared: Table, schema: pa.Schema) -> list[str]:
    """The columns to read, in the order of the records.

    Afield's own columns, whose names start with `_`, are never among them.

    Raises:
        DataError: a column that is named is not there, or none is left.
    """
    there = [name for name in schema.names if not name.startswith("_")]
    for field in ("columns", "as_category", "as_number"):
        for place, pattern in enumerate(getattr(declared, field) or ()):
            if not any(matches(name, [pattern]) for name in there):
                demand(schema, pattern, f"preprocess.table.{field}[{place}]")
    left = selected(declared, there)
    if not left:
        raise DataError(
            f"preprocess.table: no column is left to read of {', '.join(there) or 'none'}; change columns or exclude"
        )
    return left


def selected(declared: Table, names: Sequence[str]) -> list[str]:
    """Those of the names that are to be read, in their order."""
    wanted = names if declared.columns is None else [name for name in names if matches(name, declared.columns)]
    return [name for name in wanted if not name.startswith("_") and not matches(name, declared.exclude)]


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a column is one of those named, or fits a glob among them."""
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)
