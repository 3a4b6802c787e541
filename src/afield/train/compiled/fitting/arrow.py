"""Arrow tables and datasets, and pandas frames, as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from afield.errors import UseCaseError
from afield.train.compiled.fitting.chunks import Chunks

Columns = str | Sequence[str] | None
CHUNK_ROWS = 65_536


def is_table(x: Any) -> bool:
    """Whether it is an Arrow table or record batch."""
    return isinstance(x, pa.Table | pa.RecordBatch)


def entering(model: keras.Model) -> list[Any] | None:
    """The model's inputs; None where it has none yet."""
    try:
        return [*model.inputs]
    except (AttributeError, ValueError, TypeError):
        return None


def of_table(model: keras.Model, table: Any, target: Columns, weight: Columns) -> tuple[Any, Any, Any]:
    """(x, y, weights) of a table.

    Args:
        model: whose inputs, where there are several, are the columns of the same names.
        table: Arrow table or record batch.
        target: name of the column of the answers, or names; None where there is none.
        weight: name of the column of the weights, or None.

    Raises:
        UseCaseError: a column is missing or holds no numbers.
    """
    apart = [*_names(target), *_names(weight)]
    for name in apart:
        if name not in table.column_names:
            raise UseCaseError(f"y: there is no column {name!r}; there are {', '.join(table.column_names[:20])}")
    names = [name for name in table.column_names if name not in apart]
    inputs = [one.name for one in entering(model) or ()]
    if len(inputs) > 1 and set(inputs) <= set(names):
        x: Any = {name: _column(table, name) for name in inputs}
    else:
        x = _matrix(table, names)
    y = None if target is None else _column(table, target) if isinstance(target, str) else _matrix(table, list(target))
    return x, y, None if weight is None else _column(table, _names(weight)[0])


def of_dataset(model: keras.Model, dataset: ds.Dataset, target: Columns, weight: Columns) -> Chunks:
    """The same of a dataset, read a chunk at a time; its fragments and row groups are the parts that are mixed."""
    fragments: list[Any] = []
    for fragment in dataset.get_fragments():
        fragments += fragment.split_by_row_group() if isinstance(fragment, ds.ParquetFileFragment) else [fragment]

    def read(fragment: Any) -> Iterator[Any]:
        for batch in fragment.to_batches(schema=dataset.schema, batch_size=CHUNK_ROWS):
            if batch.num_rows:
                yield of_table(model, batch, target, weight)

    parts: list[Callable[[], Iterator[Any]]] = [partial(read, fragment) for fragment in fragments]
    return Chunks(parts, rows=dataset.count_rows())


def as_array(value: Any, where: str) -> Any:
    """An array of what a person has: a pandas frame or series, an Arrow column, anything NumPy takes.

    Raises:
        UseCaseError: it holds no numbers.
    """
    if isinstance(value, pa.Array | pa.ChunkedArray):
        value = value.to_numpy(zero_copy_only=False) if isinstance(value, pa.Array) else value.to_numpy()
    elif is_table(value):
        value = _matrix(value, value.column_names)
    else:
        value = value.to_numpy() if hasattr(value, "to_numpy") else value
        value = value if isinstance(value, np.memmap) else np.asarray(value)
    if value.dtype.kind not in "buif" and value.dtype.name not in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        raise UseCaseError(f"{where}: expected numbers, found {value.dtype}; turn text and dates into numbers first")
    if value.ndim == 0:
        raise UseCaseError(f"{where}: expected an array with a row for each record, found a single number")
    return value


def _matrix(table: Any, names: list[str]) -> np.ndarray:
    return np.stack([_column(table, name).astype(keras.config.floatx()) for name in names], axis=1)


def _column(table: Any, name: str) -> np.ndarray:
    column = table.column(name)
    if pa.types.is_fixed_size_list(column.type):
        flat = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        return as_array(flat.flatten(), f"column {name!r}").reshape(len(column), column.type.list_size)
    return as_array(column, f"column {name!r}")


def _names(columns: Columns) -> list[str]:
    return [] if columns is None else [columns] if isinstance(columns, str) else list(columns)
