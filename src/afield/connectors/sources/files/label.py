"""The known answer of each record, from the name of its file, from the folder, or from columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from afield.connectors.sources.files.spec import ColumnRef, Label
from afield.connectors.sources.files.stream import CODECS
from afield.connectors.sources.files.utf8 import readable

_DATE = r"(?:\d{4}[-_.]?\d{2}[-_.]?\d{2}|\d{2}-\d{2}-\d{4})"
_TIME = r"[-_T.]+\d{2}[-_:.]?\d{2}(?:[-_:.]?\d{2})?(?:\.\d+)?|-\d{10}|(?:\d{2}){1,3}"
_ROTATED = re.compile(rf"(.+?)(?:[-_.]{_DATE}(?:{_TIME})?|\.\d{{1,4}})+(\.[A-Za-z]\w*)?")


def base_name(name: str) -> str:
    """The name a rotated file had while it was written to; other names stay as they are.

    >>> base_name("system.log.1.gz"), base_name("system.log-20180711"), base_name("wifi.log")
    ('system.log', 'system.log', 'wifi.log')
    """
    plain = without_compression(name)
    rotated = _ROTATED.fullmatch(plain)
    return rotated[1] + (rotated[2] or "") if rotated else plain


def without_compression(name: str) -> str:
    """The name without .gz, .bz2 or .zst."""
    path = Path(name)
    return path.stem if path.suffix.lower() in CODECS else name


def same(value: str, count: int) -> pa.DictionaryArray:
    """dictionary<int32, string>[count] that says the same for each record."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([value], pa.string()))


def label_array(label: Label, path: Path, count: int, columns: Mapping[str, pa.Array]) -> pa.DictionaryArray:
    """dictionary<int32, string>[count]: the label of each record of a file.

    Args:
        label: where it stands.
        path: the file.
        count: number of records.
        columns: at least the columns the label is read from, of that length.
    """
    array = _joined(label, path, count, columns)
    if label.strip is None:
        return array
    trim = pc.TrimOptions(label.strip)
    words = pc.call_function("utf8_trim", [array.dictionary], trim)
    # Two words may be one now.
    return pa.DictionaryArray.from_arrays(array.indices, words).dictionary_decode().dictionary_encode()


def _joined(label: Label, path: Path, count: int, columns: Mapping[str, pa.Array]) -> pa.DictionaryArray:
    values = [_value(label, part, path, columns) for part in label.parts]
    if None in [value for value in values if not isinstance(value, pa.Array)]:
        return pa.DictionaryArray.from_arrays(pa.array([None] * count, pa.int32()), pa.array([], pa.string()))
    if all(isinstance(value, str) for value in values):
        return same("/".join(str(value) for value in values), count)
    parts = [pa.scalar(value) if isinstance(value, str) else value for value in [*values, "/"]]
    return pc.call_function("binary_join_element_wise", parts).dictionary_encode()


def _named(label: Label, name: str) -> str | None:
    if label.pattern is None:
        return name
    found = re.search(label.pattern, name)
    return found[1] if found else None


def _value(label: Label, part: str | ColumnRef, path: Path, columns: Mapping[str, pa.Array]) -> str | pa.Array | None:
    if part == "file_name":
        return _named(label, readable(base_name(path.name) if label.merge_rotated else path.name))
    if part == "folder":
        return _named(label, readable(path.absolute().parent.name))
    column = columns[part.column if isinstance(part, ColumnRef) else part]
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string())
