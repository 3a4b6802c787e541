"""Cells of a column read as numbers, truths, moments or text, whatever type they come in."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

BLANKS = " \t\r\n\f\v\u00a0"
"""What is taken off both ends of a cell."""
TRUTHS = {"true": 1.0, "false": 0.0}
"""What yes and no are written as, in lower case."""
FEW = 8
"""Cells up to which Python is faster than the start of Arrow's kernels."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_COMPACT = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d", re.ASCII)
_compute: Any = pc


def number_of(text: str) -> float | None:
    """The number that a cell without blanks at its ends writes; None where it writes none.

    `nan` and `inf` are numbers here, as they are for Arrow.
    """
    if not text.isascii() or "_" in text:
        return None
    with suppress(ValueError):
        return float(text)
    return None


def moment_of(text: str) -> float | None:
    """Seconds since 1970 (UTC) of an ISO date or timestamp without blanks at its ends; None where it is none.

    Without a zone it is taken as UTC.
    """
    if _MOMENT.fullmatch(text):
        with suppress(ValueError):
            found = datetime.fromisoformat(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return None


def is_text(kind: pa.DataType) -> bool:
    """Whether cells of this type are text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def is_number(kind: pa.DataType) -> bool:
    """Whether cells of this type are numbers that enter a matrix as they are."""
    return pa.types.is_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind)


def is_amount(kind: pa.DataType) -> bool:
    """Whether cells of this type are read as numbers: of a time of day or a duration, its seconds."""
    types = pa.types
    return (
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_time(kind)
        or types.is_duration(kind)
        or types.is_boolean(kind)
    )


def is_moment(kind: pa.DataType) -> bool:
    """Whether cells of this type are dates or timestamps."""
    return pa.types.is_date(kind) or pa.types.is_timestamp(kind)


def plain(array: pa.Array) -> pa.Array:
    """The array without a dictionary or an extension around it."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return plain(array.storage)
    return array.cast(kind.value_type) if isinstance(kind, pa.DictionaryType) else array


def texts(array: pa.Array) -> list[str | None]:
    """Cells of any type as text without blanks at its ends; None where there is nothing."""
    found = array.to_pylist()
    if is_text(array.type):
        return [None if value is None else value.strip(BLANKS) for value in found]
    if pa.types.is_floating(array.type):
        # A whole number is written the same whether its column came as integers or not.
        return [None if value is None or value != value else f"{value:.15g}" for value in found]
    return [None if value is None else str(value) for value in found]


def numbers(array: pa.Array) -> np.ndarray:
    """float64[N]: the numbers of a column of any type; NaN where a cell holds none."""
    kind = array.type
    if is_text(kind):
        return _read(array, number_of)
    if not is_amount(kind):
        return np.full(len(array), np.nan)
    if pa.types.is_boolean(kind):
        return _floats(array.cast(pa.uint8()))
    if pa.types.is_duration(kind):
        return _floats(_compute.cast(array, pa.duration("us"), safe=False).cast(pa.int64())) / 1e6
    if pa.types.is_time(kind):
        return _floats(_compute.cast(array, pa.time64("us"), safe=False).cast(pa.int64())) / 1e6
    return _floats(array)


def truths(array: pa.Array) -> np.ndarray:
    """float64[N]: 1 for true and 0 for false, of a column of any type; NaN where a cell holds neither."""
    if is_text(array.type):
        return _read(array, _truth_of)
    found = numbers(array)
    return np.where((found == 0) | (found == 1), found, np.nan)


def moments(array: pa.Array) -> np.ndarray:
    """float64[N]: seconds since 1970 (UTC) of a column of dates, timestamps or text; NaN where a cell holds none."""
    if is_text(array.type):
        return _read(array, moment_of)
    if not is_moment(array.type):
        return np.full(len(array), np.nan)
    return _floats(_compute.cast(array, pa.timestamp("us"), safe=False).cast(pa.int64())) / 1e6


def seconds(array: pa.Array) -> np.ndarray:
    """float64[N]: the time of a column: dates, timestamps, numbers of seconds, or text of any of these.

    Text may also hold `20200629105300`. NaN where a cell holds no time.
    """
    if is_moment(array.type):
        return moments(array)
    found = _read(array, _time_of) if is_text(array.type) else numbers(array)
    return np.where(np.isfinite(found), found, np.nan)


def matrix(batch: pa.RecordBatch, places: list[int]) -> np.ndarray:
    """float32 or float64 [N, S]: columns of numbers, see `is_number`; NaN where a cell holds none."""
    if not places or not batch.num_rows:
        return np.empty((batch.num_rows, len(places)))
    taken: Any = batch if len(places) == batch.num_columns else batch.select(places)
    found = taken.to_tensor(null_to_nan=True, row_major=True).to_numpy()
    return found if found.dtype in (np.float32, np.float64) else found.astype(np.float64)


def _floats(array: pa.Array) -> np.ndarray:
    found = _compute.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(found, np.float64)


def _truth_of(text: str) -> float | None:
    found = TRUTHS.get(text.lower())
    return {"1": 1.0, "0": 0.0}.get(text) if found is None else found


def _time_of(text: str) -> float | None:
    if _COMPACT.fullmatch(text):
        with suppress(ValueError):
            return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
    found = number_of(text)
    return moment_of(text) if found is None else found


def _read(array: pa.Array, value_of: Callable[[str], float | None]) -> np.ndarray:
    """Reads text by a function of one cell, each value of many cells once."""
    if len(array) <= FEW:
        return _read_each(array, value_of)
    if value_of is number_of:
        with suppress(pa.ArrowInvalid):
            return _floats(_compute.utf8_trim(array, characters=BLANKS))
    encoded: Any = array.dictionary_encode()
    values = np.append(_read_each(encoded.dictionary, value_of), np.nan)
    # A cell that is null takes the last value.
    return values[encoded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)]


def _read_each(array: pa.Array, value_of: Callable[[str], float | None]) -> np.ndarray:
    found = [None if text is None else value_of(text.strip(BLANKS)) for text in array.to_pylist()]
    return np.array([np.nan if value is None else value for value in found], np.float64)
