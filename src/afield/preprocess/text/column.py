"""A column of text as the kernels see it: bytes and offsets, without copying where Arrow has them so."""

from __future__ import annotations

from difflib import get_close_matches

import numpy as np
import pyarrow as pa

from afield.errors import DataError, UseCaseError


def text_of(batch: pa.RecordBatch, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The UTF-8 of a column; a record without text is empty.

    Args:
        batch: N records.
        name: column of text.

    Returns:
        data uint8 and offsets int64[N + 1]; record i is data[offsets[i]:offsets[i + 1]].

    Raises:
        UseCaseError: the batch has no such column.
        DataError: the column does not hold text.
    """
    place = batch.schema.get_field_index(name)
    if place < 0:
        near = get_close_matches(name, batch.schema.names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "name one of those in the use case"
        raise UseCaseError(f"column '{name}': not in the data, whose columns are {batch.schema.names}; {hint}")
    array = batch.column(place)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if not len(array):
        # A table without rows may know no type.
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    if pa.types.is_null(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.large_string())
    if pa.types.is_string(array.type):
        kind = np.int32
    elif pa.types.is_large_string(array.type):
        kind = np.int64
    else:
        raise DataError(f"column '{name}': expected text, found {array.type}; name a column of text, or convert it")
    if array.null_count:
        array = array.fill_null("")
    _, offsets, data = array.buffers()
    if offsets is None:
        return np.zeros(0, np.uint8), np.zeros(len(array) + 1, np.int64)
    bounds = np.frombuffer(offsets, kind, len(array) + 1, array.offset * np.dtype(kind).itemsize)
    content = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return content, bounds.astype(np.int64, copy=False)
