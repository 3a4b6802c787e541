"""How figures come by the rows that they name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from afield.report.model import Shown

Rows = Callable[[np.ndarray], Sequence[Shown]]
"""Numbers of rows, int64[K], counted as in the arrays that are judged -> the K rows as they may be shown."""


def by_number(rows: np.ndarray) -> list[Shown]:
    """The rows by nothing but their number, counted from 1."""
    return [Shown(text=f"row {row + 1:,}") for row in rows.tolist()]
