"""Data of persons, in columns of their own and within text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from afield.explore import personal
from afield.explore.base import Sample
from afield.explore.columns import Column
from afield.explore.hiding import FREE
from afield.explore.personal import Kind
from afield.report.model.exploration import Finding

pc: Any = pyarrow.compute

MOST_VALUES = 20_000
"""Values of a column in which personal data is searched, evenly spread."""
SEARCHED: Mapping[str, Kind] = {
    kind.called: kind for kind in (personal.EMAIL, personal.IP, personal.MAC, personal.IBAN, personal.PHONE)
}
_HINTS = {
    "e-mail": "@",
    "IP": r"\d\.\d+\.\d+\.\d|[0-9a-fA-F]:[0-9a-fA-F:]",
    "MAC": "([0-9A-Fa-f]{2}[:-]){5}",
    "IBAN": r"[A-Z]{2}\d\d",
    "phone": r"(\+|00)[1-9]",
}
"""What every value with such data has (RE2): most values are passed over by it."""


def look(sample: Sample) -> list[Finding]:
    """One finding a column and kind."""
    found: list[Finding] = []
    for column in sample.columns:
        if column.name in sample.curtain.columns:
            found.append(_whole(sample, column))
    for name, kinds in within(sample).items():
        found += [_part(sample, name, called, rows) for called, rows in kinds.items()]
    return found


def within(sample: Sample) -> dict[str, dict[str, np.ndarray]]:
    """Column -> what it holds within its text -> rows, int64, of those that were searched."""
    found = {
        column.name: _searched(column)
        for column in sample.columns
        if column.name not in sample.curtain.columns and column.codes is not None
    }
    return {name: kinds for name, kinds in found.items() if kinds}


def _searched(column: Column) -> dict[str, np.ndarray]:
    assert column.words is not None
    assert column.codes is not None
    places = np.unique(np.linspace(0, len(column.words) - 1, MOST_VALUES).astype(np.int64))
    words = column.words.take(pa.array(places))
    found: dict[str, np.ndarray] = {}
    for called, kind in SEARCHED.items():
        hinted = np.flatnonzero(pc.match_substring_regex(words, pattern=_HINTS[called]).to_numpy(zero_copy_only=False))
        met = [place for place in hinted.tolist() if _holds(called, kind, words[place].as_py())]
        if met:
            found[called] = np.flatnonzero(np.isin(column.codes, places[met]))
    return found


def _holds(called: str, kind: Kind, text: str) -> bool:
    return any(
        kind.valid(match.group().strip())
        for name, pattern in FREE
        if name == called
        for match in pattern.finditer(text)
    )


def _whole(sample: Sample, column: Column) -> Finding:
    kind = personal.kind_of(column)
    assert kind is not None
    count = len(column) - column.missing
    return Finding(
        kind="personal data",
        columns=[column.name],
        message=f"`{column.name}` holds {kind.name}, in {count:,} rows",
        advice=f"mask it before it is stored: `mask: {{columns: {{{column.name}: {kind.action}}}}}`",
        count=count,
        rows=sample.shown(np.flatnonzero(~column.absent)[:3], column.name),
    )


def _part(sample: Sample, name: str, called: str, rows: np.ndarray) -> Finding:
    kind = SEARCHED[called]
    plural = "" if len(rows) == 1 else "s"
    words = {"e-mail": "email", "IP": "ip", "MAC": "hex"}.get(called)
    step = f"`text: {{column: {name}, mask: [{words}]}}`" if words else f"`mask: {{columns: {{{name}: hash}}}}`"
    return Finding(
        kind="personal data",
        columns=[name],
        message=f"`{name}` holds {kind.name} within its text, in {len(rows):,} row{plural} or more",
        advice=f"mask them before they are stored: {step}",
        count=len(rows),
        rows=sample.shown(rows[:3], name),
    )
