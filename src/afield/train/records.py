"""The records of a use case, read, with what is known of each: its class, its tags or its value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from afield.connectors.base import LABEL, Source
from afield.errors import DataError
from afield.train.base import Watcher
from afield.usecase.model import Question

# Arrow makes these functions when it is imported, so that a type checker cannot see them.
pc: Any = pyarrow.compute

MISSING = -1
"""Class of a record whose label is not known, where it need not be."""


@dataclass(frozen=True)
class Records:
    """Records as they were read.

    Args:
        table: N records with the columns of the source.
        targets: of each record: int32[N], its class (classify; MISSING where a label is not needed and not there);
            float32[N, C], 1 for each of its tags (tag); float32[N], its value (regress).
        classes: names of the classes or tags, sorted; empty where there are none.
        notes: what a person should know: classes left out, records without a label.
        hidden: columns that hold the answer, which no model may see.
    """

    table: pa.Table
    targets: np.ndarray
    classes: list[str]
    notes: list[str]
    hidden: list[str] = field(default_factory=list[str])


def read(source: Source, question: Question, hidden: list[str], watcher: Watcher) -> Records:
    """Reads every record into memory.

    Args:
        source: opened for one reading, with labels where it has them.
        question: what is asked.
        hidden: columns that the label is read from.
        watcher: told of the records read.

    Raises:
        DataError: no record, no label, one class only, a class with too few rows, or a column of several kinds.
    """
    watcher.stage("reading")
    batches: list[pa.RecordBatch] = []
    refused, first = 0, ""
    for batch in source.batches({}):
        first = first or (batch.refused[0].reason if batch.refused else "")
        refused += len(batch.refused)
        if batch.records.num_rows:
            batches.append(batch.records)
            watcher.advance(batch.records.num_rows)
    if not batches:
        why = f"; {_rows(refused)} refused, the first: {first}" if refused else ""
        raise DataError(f"source: no record was read; expected at least two labelled records{why}")
    table = joined([pa.Table.from_batches([batch]) for batch in batches])
    found = labelled(table, table.column(LABEL) if LABEL in table.column_names else None, question, hidden)
    if refused:
        found.notes.append(f"{_rows(refused)} left out: refused, the first: {first}")
    return found


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """The records of a source as one table; a column that some lack is empty there.

    Raises:
        DataError: a column is of several kinds.
    """
    try:
        return pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()
    except (pa.ArrowInvalid, pa.ArrowTypeError) as apart:
        raise DataError(
            f"source: its records do not fit together: {apart}; make that column of one kind, or leave files out"
        ) from None


def labelled(
    table: pa.Table, labels: pa.ChunkedArray | None, question: Question, hidden: list[str] | None = None
) -> Records:
    """Turns labels into targets, and keeps the records that can be learned from.

    Args:
        table: N records.
        labels: string, dictionary or number[N], null or empty where there is none; None where there are no labels.
        question: what is asked.
        hidden: columns that hold the answer.

    Raises:
        DataError: labels that are needed and not there, one class only, a class with too few rows, or a value that is
            no number.
    """
    hidden = hidden or []
    if labels is None:
        if question.labelled:
            raise DataError(f"question: `kind: {question.kind}` needs the known answer of each record; give labels")
        return Records(table, np.full(table.num_rows, MISSING, np.int32), [], [], hidden)
    if not question.labelled:
        return _known(table, labels, hidden)
    notes: list[str] = []
    names = labels.cast(pa.string())
    known = pc.and_kleene(pc.is_valid(names), pc.not_equal(pc.fill_null(names, ""), ""))
    missing = len(names) - (pc.sum(known).as_py() or 0)
    if missing:
        notes.append(f"{_rows(missing)} left out: no label")
        table, names = table.filter(known), names.filter(known)
    if not len(names):
        raise DataError("question: no record has a label; check `label:` of the source")
    if question.kind == "regress":
        return Records(table, _values(names), [], notes, hidden)
    if question.kind == "tag":
        return _tagged(table, names, question, notes, hidden)
    return _classified(table, names, question, notes, hidden)


def _classified(
    table: pa.Table, names: pa.ChunkedArray, question: Question, notes: list[str], hidden: list[str]
) -> Records:
    counts = _counts(names)
    few = sorted(name for name, count in counts.items() if count < question.min_rows)
    if few and question.rare == "error":
        shown = ", ".join(f"'{name}' ({_rows(counts[name])})" for name in few[:5])
        raise DataError(
            f"question: {len(few)} of {len(counts)} classes have fewer than {question.min_rows} rows: {shown}"
            f"{', ...' if len(few) > 5 else ''}; give more rows, or leave them out with `question: {{rare: drop}}`"
        )
    if few:
        rows = sum(counts[name] for name in few)
        notes.append(
            f"{_rows(rows)} left out: {len(few):,} of {len(counts):,} classes have fewer than {question.min_rows} rows"
        )
        kept = pc.invert(pc.is_in(names, pa.array(few, pa.string())))
        table, names = table.filter(kept), names.filter(kept)
    classes = sorted(name for name in counts if name not in set(few))
    if not classes:
        raise DataError(
            f"question: no class has {question.min_rows} rows; give more rows, or lower `question: {{min_rows: ...}}`"
        )
    if len(classes) == 1:
        raise DataError(
            f"question: all {_rows(len(names))} are of one class, '{classes[0]}'; expected at least two classes: check"
            " `path:` and `label:` of the source"
        )
    if question.positive is not None:
        if len(classes) != 2 or question.positive not in classes:
            raise DataError(
                f"question.positive: expected one of two classes, found '{question.positive}' among"
                f" {', '.join(classes[:10])}"
            )
        # The second of two classes is the one that is looked for.
        classes.sort(key=lambda name: name == question.positive)
    return Records(table, _numbers(names, classes), classes, notes, hidden)


def _tagged(
    table: pa.Table, names: pa.ChunkedArray, question: Question, notes: list[str], hidden: list[str]
) -> Records:
    lists = pc.split_pattern(names.combine_chunks(), question.separator)
    tags = pc.utf8_trim_whitespace(pc.list_flatten(lists))
    rows = pc.list_parent_indices(lists).to_numpy()
    classes = sorted(name for name in pc.unique(tags).to_pylist() if name)
    if not classes:
        raise DataError("question: no record has a tag; check `label:` of the source and `separator:`")
    numbers = pc.index_in(tags, pa.array(classes, pa.string())).fill_null(MISSING).to_numpy()
    targets = np.zeros((len(names), len(classes)), np.float32)
    targets[rows[numbers >= 0], numbers[numbers >= 0]] = 1
    return Records(table, targets, classes, notes, hidden)


def _known(table: pa.Table, labels: pa.ChunkedArray, hidden: list[str]) -> Records:
    """Labels that judge, and do not train."""
    names = pc.fill_null(labels.cast(pa.string()), "")
    classes = sorted(name for name in _counts(names) if name)
    return Records(table, _numbers(names, classes), classes, [], hidden)


def _values(names: pa.ChunkedArray) -> np.ndarray:
    try:
        values = pc.utf8_trim_whitespace(names).cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid as wrong:
        raise DataError(f"question: `kind: regress` needs a number as the label of each record: {wrong}") from None
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise DataError(f"question: the label of record {row + 1} is {values[row]}; expected a finite number")
    return values.astype(np.float32)


def _counts(names: pa.ChunkedArray) -> Mapping[str, int]:
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(names).to_pylist()}


def _numbers(names: pa.ChunkedArray, classes: list[str]) -> np.ndarray:
    numbers = pc.index_in(names, pa.array(classes, pa.string())).fill_null(MISSING)
    return numbers.combine_chunks().to_numpy(zero_copy_only=False).astype(np.int32)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
