"""A column as the exploration shows it: its range, a small histogram, its most frequent values, examples."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from afield.explore.columns import Column
from afield.explore.hiding import Curtain
from afield.report.model.base import Histogram
from afield.report.model.exploration import ColumnProfile, Frequent
from afield.report.text import shortened

BINS = 12
FREQUENT = 5
EXAMPLES = 3
LONGEST = 60


def profile(column: Column, curtain: Curtain, personal: str) -> ColumnProfile:
    """Describes a column.

    Args:
        column: N values.
        curtain: hides personal data.
        personal: kind of personal data that it holds; empty for none.
    """
    low = high = ""
    mean = histogram = None
    if not personal and column.values is not None and column.type != "empty":
        known = column.values[~np.isnan(column.values)]
        ends = float(known.min()), float(known.max())
        low, high = (_end(column, end) for end in ends)
        mean = float(known.mean()) if column.numeric else None
        histogram = _histogram(known, ends)
    return ColumnProfile(
        name=column.name,
        type=column.type,
        missing=column.missing,
        distinct=column.distinct,
        low=low,
        high=high,
        mean=mean,
        histogram=histogram,
        frequent=[] if personal else _frequent(column, curtain),
        examples=_examples(column, curtain),
        personal=personal,
    )


def _end(column: Column, value: float) -> str:
    if column.type == "truth":
        return "true" if value else "false"
    if column.type == "date":
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S").removesuffix(" 00:00:00")
    return f"{value:,.0f}" if column.type == "whole number" else f"{value:.6g}"


def _histogram(known: np.ndarray, ends: tuple[float, float]) -> Histogram:
    low, high = ends
    counts, edges = np.histogram(known, BINS, range=(low, high if high > low else low + 1))
    return Histogram(edges=edges.tolist(), counts=counts.tolist())


def _frequent(column: Column, curtain: Curtain) -> list[Frequent]:
    if column.codes is None or column.words is None or column.type != "category":
        return []
    rows = np.bincount(column.codes[column.codes >= 0], minlength=len(column.words))
    places = np.argsort(-rows, kind="stable")[:FREQUENT].tolist()
    return [
        Frequent(value=_shown(column, curtain, str(column.words[place].as_py())), rows=int(rows[place]))
        for place in places
    ]


def _examples(column: Column, curtain: Curtain) -> list[str]:
    """A few different values from the start of the data."""
    found: dict[str, None] = {}
    for row in np.flatnonzero(~column.absent)[: 10 * EXAMPLES].tolist():
        found.setdefault(_shown(column, curtain, column.text(row)))
        if len(found) == EXAMPLES:
            break
    return list(found)


def _shown(column: Column, curtain: Curtain, text: str) -> str:
    return shortened(curtain.value(column.name, text), LONGEST)
