"""What a use case for explored data says: which columns are left out and why, which steps, which split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from afield.connectors.base import TEXT
from afield.explore.base import Sample, Target
from afield.explore.findings.columns import EMPTY
from afield.explore.findings.leakage import leaking
from afield.explore.keys import identifies
from afield.explore.looking import Explored
from afield.report.model.base import Kind
from afield.usecase.components import offered

FEW_COLUMNS = 4
"""Columns of a table up to which a column of text is read in their place."""


@dataclass(frozen=True)
class Recipe:
    """What to write into a use case.

    Args:
        name: of the data.
        kind: of the question.
        target: column of the answer, or `file_name`.
        metric: by which models are compared; empty for the usual one.
        positive: of two classes, the rarer one; empty where there are others.
        rare: whether there are classes that are too rare to learn.
        path: of the data.
        form: of the files: lines, csv, jsonl or parquet.
        header: names of the columns where the files have none.
        strip: whether blanks stand around the values.
        masked: column -> what `mask` does with it; empty where the step is not installed.
        text: the column of text that is read; empty for a table.
        excluded: column -> why it is left out.
        as_number: columns of numbers that hold some text.
        time: column of dates by which the answer changes; empty for none.
        order: whether the answer changes with the place in the file.
        rows: that were read.
    """

    name: str
    kind: Kind
    target: str
    metric: str
    positive: str
    rare: bool
    path: Path
    form: str
    header: list[str]
    strip: bool
    masked: Mapping[str, str]
    text: str
    excluded: Mapping[str, str]
    as_number: list[str]
    time: str
    order: bool
    rows: int


def recipe(explored: Explored, path: Path) -> Recipe:
    """Chooses what the use case says.

    Args:
        explored: the data, with its target.
        path: of the data, as the use case names it.
    """
    sample, document = explored.sample, explored.document
    target = sample.target
    assert target is not None, "a use case needs a target"
    kinds = {finding.kind: finding for finding in document.findings}
    excluded = _excluded(sample)
    masked = {name: kind.action for name, kind in explored.personal.items()} if "mask" in offered("step").found else {}
    dropped = {name for name, action in masked.items() if action == "drop"}
    for name in explored.personal:
        if name not in masked or name in dropped:
            excluded.setdefault(name, f"holds {explored.personal[name].name}")
    ordered = [finding for finding in document.findings if finding.kind == "order"]
    copied = path.is_relative_to("data")
    account = sample.rows.accounts[0]
    imbalanced = document.signal is not None and document.signal.metric == "AUC"
    return Recipe(
        name=document.name,
        kind=target.kind,
        target=target.name,
        metric="AUC" if imbalanced else "",
        positive=_rarer(target),
        rare="rare classes" in kinds,
        path=path,
        form=sample.rows.form,
        header=[] if copied else account.header,
        strip=account.blanks and not copied,
        masked=masked,
        text=_text(sample, excluded),
        excluded=excluded,
        as_number=[one.name for one in sample.features if one.numeric and len(one.odd) and one.name not in excluded],
        time=next((finding.columns[0] for finding in ordered if finding.columns), ""),
        order=any(not finding.columns for finding in ordered),
        rows=sample.count,
    )


def _rarer(target: Target) -> str:
    """The rarer of two classes; empty where there are others."""
    if len(target.classes) != 2:
        return ""
    return target.classes[int(np.bincount(target.values[target.known], minlength=2).argmin())]


def _excluded(sample: Sample) -> dict[str, str]:
    leaks = set(leaking(sample))
    found: dict[str, str] = {}
    for column in sample.features:
        if column.name in leaks:
            found[column.name] = "almost gives the answer away"
        elif column.distinct == 1:
            found[column.name] = "has one value"
        elif column.type == "empty" or column.missing >= EMPTY * len(column):
            found[column.name] = "is almost empty"
        elif identifies(column) and not column.forms:
            found[column.name] = "is another one in every row"
        elif column.type == "other":
            found[column.name] = f"is of type {column.array.type}, which no step of a table reads"
    return found


def _text(sample: Sample, excluded: Mapping[str, str]) -> str:
    """The column of text to read: text does not enter a network together with a table."""
    if sample.rows.text:
        return TEXT
    texts = [column for column in sample.features if column.type == "text" and column.name not in excluded]
    others = [one for one in sample.features if one.type != "text" and one.name not in excluded]
    if not texts or len(others) > FEW_COLUMNS:
        return ""
    return max(texts, key=lambda column: column.distinct).name
