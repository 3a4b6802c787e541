"""The labelled records of a use case, split, reduced, ready to be learned."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from afield.connectors.base import LABEL, Source
from afield.errors import DataError
from afield.preprocess.base import Features
from afield.preprocess.pipeline import Pipeline
from afield.preprocess.rows import SparseRows, concatenate
from afield.train.base import Examples, Watcher
from afield.train.split import Parts, at_random, by_group, by_time
from afield.usecase.model import UseCase

SLICE = 65_536

# Arrow makes these functions when it is imported, so that a type checker cannot see them.
pc: Any = pyarrow.compute


@dataclass(frozen=True)
class Records:
    """Labelled records as they were read.

    Args:
        table: N records with the columns of the source.
        targets: int32[N]; number of each record's class.
        classes: names of the classes, sorted.
        notes: what a person should know: classes left out, records without a label.
    """

    table: pa.Table
    targets: np.ndarray
    classes: list[str]
    notes: list[str]


@dataclass(frozen=True)
class Dataset:
    """Records, their parts, and their features.

    Args:
        records: all of them.
        parts: rows of the three parts.
        pipeline: the preprocessing, fitted on the training part alone.
        features: of all records.
        keys: uint64[N]; equal where the reduced text is equal.
        unknown: share of the test part's tokens that training never met.
        fingerprint: names this data: equal records in the same order give the same.
    """

    records: Records
    parts: Parts
    pipeline: Pipeline
    features: Features
    keys: np.ndarray
    unknown: float
    fingerprint: str

    def examples(self, rows: np.ndarray) -> Examples:
        """Features and targets of some rows."""
        return Examples(take(self.features, rows), self.records.targets[rows])


def read(source: Source, min_rows: int, rare: str, watcher: Watcher) -> Records:
    """Reads every labelled record into memory.

    Args:
        source: opened for one labelled reading.
        min_rows: rows that a class needs.
        rare: "error" or "drop", for classes with fewer.
        watcher: told of the records read.

    Raises:
        DataError: no record, no label, one class only, or a class with too few rows.
    """
    watcher.stage("reading")
    batches: list[pa.RecordBatch] = []
    for batch in source.batches({}):
        if batch.records.num_rows:
            batches.append(batch.records)
            watcher.advance(batch.records.num_rows)
    if not batches:
        raise DataError("source: no record was read; expected at least two labelled records")
    tables = [pa.Table.from_batches([batch]) for batch in batches]
    table = pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()
    return labelled(table, table.column(LABEL), min_rows, rare)


def labelled(table: pa.Table, labels: pa.ChunkedArray, min_rows: int, rare: str) -> Records:
    """Numbers the classes, and keeps the records that can be learned from.

    Args:
        table: N records.
        labels: string or dictionary[N]; null or empty where there is none.
        min_rows: rows that a class needs.
        rare: "error" or "drop".
    """
    notes: list[str] = []
    names = labels.cast(pa.string())
    known = pc.and_kleene(pc.is_valid(names), pc.not_equal(pc.fill_null(names, ""), ""))
    missing = len(names) - (pc.sum(known).as_py() or 0)
    if missing:
        notes.append(f"{_rows(missing)} left out: no label")
        table, names = table.filter(known), names.filter(known)
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(names).to_pylist()}
    few = sorted(name for name, count in counts.items() if count < min_rows)
    if few and rare == "error":
        shown = ", ".join(f"'{name}' ({_rows(counts[name])})" for name in few[:5])
        raise DataError(
            f"question: {len(few)} of {len(counts)} classes have fewer than {min_rows} rows: {shown}"
            f"{', ...' if len(few) > 5 else ''}; give more rows, or leave them out with `question: {{rare: drop}}`"
        )
    if few:
        rows = sum(counts[name] for name in few)
        notes.append(f"{_rows(rows)} left out: {len(few):,} of {len(counts):,} classes have fewer than {min_rows} rows")
        kept = pc.invert(pc.is_in(names, pa.array(few, pa.string())))
        table, names = table.filter(kept), names.filter(kept)
    classes = sorted(name for name in counts if name not in set(few))
    if few and not classes:
        raise DataError(
            f"question: no class has {min_rows} rows; give more rows, or lower `question: {{min_rows: ...}}`"
        )
    if not classes:
        raise DataError("question: no record has a label; check `label:` of the source")
    if len(classes) == 1:
        raise DataError(
            f"question: all {_rows(len(names))} are of one class, '{classes[0]}'; expected at least two classes: check"
            " `path:` and `label:` of the source"
        )
    targets = pc.index_in(names, pa.array(classes, pa.string())).combine_chunks().to_numpy(zero_copy_only=False)
    return Records(table, targets.astype(np.int32), classes, notes)


def build(records: Records, case: UseCase, watcher: Watcher) -> Dataset:
    """Splits the records, fits the preprocessing on the training part, and applies it to all.

    Raises:
        DataError: a column is not there, or a part has no rows.
    """
    pipeline = Pipeline.of(case.preprocess)
    pipeline.demand(records.table.schema)
    watcher.stage("splitting")
    keys = np.concatenate([pipeline.keys(batch) for batch in _slices(records.table)])
    parts = split(records, keys, case)
    for name, rows in parts.items():
        if not len(rows) and (name != "validation" or case.train.split.validation):
            raise DataError(f"train.split: the {name} part has no rows; give more data or another share")
    learned = np.unique(records.targets[parts.training])
    if len(learned) == 1:
        raise DataError(
            f"train.split: all {_rows(len(parts.training))} of the training part are of one class,"
            f" '{records.classes[learned[0]]}'; expected at least two: give more data, or split in another way"
        )
    watcher.stage("learning the preprocessing", len(parts.training))
    pipeline.fit(_watched(_slices(records.table.take(pa.array(parts.training))), watcher))
    watcher.stage("preprocessing", len(keys))
    features = _joined([pipeline.features(batch) for batch in _watched(_slices(records.table), watcher)])
    test = records.table.take(pa.array(parts.test))
    reads = [pipeline.read(batch) for batch in _slices(test)]
    terms, unknown = sum(read.terms for read in reads), sum(read.unknown for read in reads)
    digest = hashlib.sha256(keys.tobytes() + records.targets.tobytes() + "\0".join(records.classes).encode())
    return Dataset(records, parts, pipeline, features, keys, unknown / max(terms, 1), digest.hexdigest())


def split(records: Records, keys: np.ndarray, case: UseCase) -> Parts:
    """The parts as the use case declares them."""
    how, seed = case.train.split, case.train.seed
    shares = (how.test, how.validation)
    if how.by == "time":
        times = np.arange(len(keys)) if how.time is None else _column(records.table, how.time, "train.split.time")
        return by_time(times, shares)
    if how.by == "group":
        assert how.group
        groups = keys if how.group == "masked_text" else _column(records.table, how.group, "train.split.group")
        return by_group(groups, records.targets, shares, seed)
    return at_random(records.targets, shares, seed, stratify=how.stratify)


def take(features: Features, rows: np.ndarray) -> Features:
    """Some rows of every feature."""
    return {
        name: value.take(rows) if isinstance(value, SparseRows) else value[rows] for name, value in features.items()
    }


def _joined(parts: Sequence[Features]) -> Features:
    joined: dict[str, Any] = {}
    for name in parts[0]:
        values: list[Any] = [part[name] for part in parts]
        joined[name] = concatenate(values) if isinstance(values[0], SparseRows) else np.concatenate(values)
    return joined


def _column(table: pa.Table, name: str, where: str) -> np.ndarray:
    if name not in table.column_names:
        raise DataError(f"{where}: there is no column '{name}'; there are {', '.join(sorted(table.column_names))}")
    column = table.column(name)
    if column.null_count:
        raise DataError(
            f"{where}: the column '{name}' is empty in {_rows(column.null_count)} of {len(column):,}; fill it,"
            " or split in another way"
        )
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.combine_chunks().to_numpy(zero_copy_only=False)


def _slices(table: pa.Table) -> list[pa.RecordBatch]:
    return table.to_batches(max_chunksize=SLICE)


def _watched(batches: list[pa.RecordBatch], watcher: Watcher) -> Any:
    for batch in batches:
        yield batch
        watcher.advance(batch.num_rows)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
