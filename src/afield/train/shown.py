"""Records as a report may show them: what masks cover by its name, long ones shortened."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from afield.connectors.base import FILE, LINE
from afield.report.model import Shown
from afield.train.dataset import Dataset

TEXT_SHOWN = 500
"""Characters of a record that are shown."""
VALUE_SHOWN = 40
"""Characters of one of several columns that are shown."""


def shown(data: Dataset, examples: np.ndarray) -> list[Shown]:
    """The record that each of some examples stands for.

    Args:
        data: the dataset.
        examples: int64[K].
    """
    rows = data.record(examples)
    texts = _texts(data, rows)
    files = rows.column(FILE).cast(pa.string()).to_pylist() if FILE in rows.column_names else [""] * len(texts)
    lines = rows.column(LINE).to_pylist() if LINE in rows.column_names else [0] * len(texts)
    return [
        Shown(text=text[:TEXT_SHOWN], file=file or "", line=line or 0)
        for text, file, line in zip(texts, files, lines, strict=True)
    ]


def values_shown(data: Dataset, examples: np.ndarray) -> list[dict[str, str]]:
    """The columns of the record that each of some examples stands for, by name.

    Args:
        data: the dataset.
        examples: int64[K].
    """
    rows = _masked(data, data.record(examples))
    return [{name: "" if value is None else _said(value, VALUE_SHOWN) for name, value in row.items()} for row in rows]


def _texts(data: Dataset, rows: pa.Table) -> list[str]:
    found = _masked(data, rows)
    if found and len(found[0]) == 1:
        alone = [value for row in found for value in row.values()]
        return ["" if value is None else _said(value, TEXT_SHOWN) for value in alone]
    return [
        ", ".join(f"{name}: {_said(value, VALUE_SHOWN)}" for name, value in row.items() if value is not None)
        for row in found
    ]


def _masked(data: Dataset, rows: pa.Table) -> list[dict[str, object]]:
    if not rows.num_rows:
        return []
    (batch,) = rows.combine_chunks().to_batches()
    return data.pipeline.masked(batch, "names").to_pylist()


def _said(value: object, most: int) -> str:
    if isinstance(value, bytes | list):
        return f"{len(value):,} values"
    text = f"{value:.6g}" if isinstance(value, float) else str(value).strip()
    return text if len(text) <= most else text[: most - 1] + "…"
