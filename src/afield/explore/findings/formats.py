"""Values that are written in several ways, or in one that is not read as what it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from afield.explore.base import Sample
from afield.explore.columns import Column
from afield.explore.written import ISO
from afield.preprocess import cells
from afield.report.model.exploration import Finding


def look(sample: Sample) -> list[Finding]:
    """One finding a fault and column."""
    return [
        finding
        for column in sample.columns
        if column.name not in sample.curtain.columns
        for finding in _found(sample, column)
    ]


def _found(sample: Sample, column: Column) -> Iterator[Finding]:
    name = column.name
    present = np.flatnonzero(~column.absent)
    if column.type == "date" and (len(column.forms) > 1 or ISO not in column.forms) and column.forms:
        several = len(column.forms) > 1
        ways = ", ".join(f"{form} ({rows:,} rows)" for form, rows in column.forms.items())
        yield Finding(
            kind="dates",
            columns=[name],
            message=f"`{name}` holds dates in {'several forms' if several else 'a form that is no ISO date'}: {ways}",
            advice="write all of them as YYYY-MM-DD, for training takes the others for text",
            count=len(present),
            rows=sample.shown(present[:5], name),
        )
    elif column.codes is not None and column.forms:
        yield Finding(
            kind="numbers as text",
            columns=[name],
            message=f"`{name}` holds numbers that are kept as text, {next(iter(column.forms))}",
            advice="write them as plain numbers, for training takes them for categories",
            count=len(present),
            rows=sample.shown(present[:5], name),
        )
    elif column.numeric and sample.rows.form in ("jsonl", "parquet") and cells.is_text(column.array.type):
        yield Finding(
            kind="numbers as text",
            columns=[name],
            message=f"`{name}` holds numbers, and the file declares it as text",
            advice="declare it as numbers where the file is written",
            count=len(present),
            rows=sample.shown(present[:5], name),
        )
    if len(column.odd):
        share = len(column.odd) / max(len(column) - column.missing, 1)
        what = {"number": "numbers", "whole number": "numbers", "date": "dates"}.get(column.type, "text")
        others = "numbers" if what == "text" else "something else"
        yield Finding(
            kind="mixed types",
            columns=[name],
            message=f"`{name}` holds {what}, but {len(column.odd):,} values ({share:.1%}) are {others}",
            advice=f"correct them, or read them as missing with `table: {{as_number: [{name}]}}`"
            if what == "numbers"
            else "separate the two, or read the column as categories",
            count=len(column.odd),
            rows=sample.shown(column.odd, name),
        )
