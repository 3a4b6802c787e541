"""The records of a use case as examples: split, reduced, ready to be learned."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from afield.errors import DataError
from afield.preprocess.base import Features
from afield.preprocess.keys import row_keys
from afield.preprocess.pipeline import Pipeline
from afield.preprocess.rows import SparseRows, concatenate, taken
from afield.train.base import Examples, Watcher
from afield.train.layout import Layout, laid_out
from afield.train.records import Records
from afield.train.split import Parts, by_file, by_group, by_time, drawn, purged
from afield.train.texts import Text, text_of
from afield.usecase.model import UseCase

SLICE = 65_536


@dataclass(frozen=True)
class Dataset:
    """Records, the examples made of them, their parts, and their features.

    Args:
        records: all of them.
        layout: the examples: a record each, or windows of several.
        parts: examples of the three parts.
        pipeline: the preprocessing, fitted on the training part alone.
        features: of all examples.
        keys: uint64[M]; equal where the features are equal.
        unknown: share of the test part's terms that training never met; None where there is no text.
        fingerprint: names this data: equal records in the same order give the same.
        text: the records as one text, where a text is to be written; the examples are windows of it then, and the
            layout is empty.
    """

    records: Records
    layout: Layout
    parts: Parts
    pipeline: Pipeline
    features: Features
    keys: np.ndarray
    unknown: float | None
    fingerprint: str
    text: Text | None = None

    @property
    def targets(self) -> np.ndarray:
        """Of the M examples, as in `Records`."""
        return self.layout.targets

    def examples(self, rows: np.ndarray) -> Examples:
        """Features and targets of some examples."""
        if self.text is not None:
            return self.text.examples(rows)
        return Examples(taken(self.features, rows), self.targets[rows])

    def record(self, rows: np.ndarray) -> pa.Table:
        """The record that each of some examples stands for."""
        return self.records.table.take(pa.array(self.layout.ends[rows]))


def build(records: Records, case: UseCase, watcher: Watcher, cut: Callable[[Layout], Parts] | None = None) -> Dataset:
    """Splits the records, fits the preprocessing on the training part, and applies it to all.

    Args:
        records: as they were read.
        case: the use case.
        watcher: who is told of the progress.
        cut: makes the parts in place of the use case's own split.

    Raises:
        DataError: a column is not there, or a part has no rows.
    """
    pipeline = Pipeline.of(case.preprocess)
    # Nothing that a mask takes away goes on from here: neither to a report nor into a bundle.
    records = replace(records, table=_covered(pipeline, records.table))
    table = records.table.drop_columns([name for name in records.hidden if name in records.table.column_names])
    pipeline.columns(table.schema)
    watcher.stage("splitting")
    if case.question.kind == "write":
        return _written(records, pipeline, table, case)
    layout = laid_out(pipeline, records, table, case.question)
    keys = None
    if pipeline.text:
        keys = np.concatenate([pipeline.text.keys(None, batch) for batch in _slices(table)])[layout.ends]
    parts = cut(layout) if cut else split(records, layout, keys, case)
    _judged(parts, layout, records, case)
    watcher.stage("learning the preprocessing", len(parts.training))
    training = table.take(pa.array(layout.rows(parts.training)))
    pipeline.fit(_watched(_slices(training), watcher))
    pipeline.inputs()  # refuses features that cannot enter a model together
    watcher.stage("preprocessing", table.num_rows)
    features = _joined([pipeline.rows(batch) for batch in _watched(_slices(table), watcher)])
    if layout.cut is not None:
        features = layout.cut.features({name: np.asarray(value) for name, value in features.items()})
    keys = row_keys(features) if keys is None else keys
    digest = hashlib.sha256(keys.tobytes() + layout.targets.tobytes() + "\0".join(records.classes).encode())
    unknown = _unknown(pipeline, table, parts) if pipeline.text else None
    return Dataset(records, layout, parts, pipeline, features, keys, unknown, digest.hexdigest())


def split(records: Records, layout: Layout, keys: np.ndarray | None, case: UseCase) -> Parts:
    """The parts as the use case declares them."""
    how, seed = case.train.split, case.train.seed
    shares = (how.test, how.validation)
    targets = layout.targets if case.question.kind == "classify" else np.zeros(len(layout.ends), np.int32)
    if how.by == "time":
        times = layout.ends if how.time is None else _column(records, layout, how.time, "time")
        parts = by_time(times, shares)
    elif how.by == "group":
        assert how.group
        if how.group == "masked_text" and keys is None:
            raise DataError("train.split.group: `masked_text` is the text of a `text` step, and there is none")
        groups = keys if how.group == "masked_text" else _column(records, layout, how.group, "group")
        assert groups is not None
        parts = by_group(groups, targets, shares, seed)
    elif how.by == "file":
        assert how.test_files
        parts = by_file(records.table, layout.ends, how.test_files, how.validation, targets, seed)
    else:
        parts = drawn(targets, shares, seed, stratify=how.stratify)
    if layout.cut is None:
        return parts
    kept = purged(parts, layout.cut.starts, layout.cut.length)
    dropped = len(parts.training) - len(kept.training)
    if dropped:
        records.notes.append(
            f"{dropped:,} of {len(parts.training):,} windows of the training part were left out, as they share records"
            " with the validation or the test part"
        )
    return kept


def _written(records: Records, pipeline: Pipeline, table: pa.Table, case: UseCase) -> Dataset:
    text = text_of(pipeline, table, case.train.split)
    nothing = np.zeros(0, np.int64)
    layout, parts = Layout(nothing, nothing), Parts(*text.parts)
    features = {text.feature: text.windows}
    return Dataset(records, layout, parts, pipeline, features, nothing, None, text.fingerprint, text)


def _judged(parts: Parts, layout: Layout, records: Records, case: UseCase) -> None:
    """Refuses parts that nothing can be learned from, or judged by."""
    # What counts as abnormal is calibrated on the validation part.
    watched = case.train.split.validation or case.question.kind == "abnormal"
    for name, rows in parts.items():
        if not len(rows) and (name != "validation" or watched):
            raise DataError(f"train.split: the {name} part has no rows; give more data or another share")
    if case.question.kind != "classify":
        return
    learned = np.unique(layout.targets[parts.training])
    if len(learned) == 1:
        count = len(parts.training)
        raise DataError(
            f"train.split: all {count:,} row{'s' * (count != 1)} of the training part are of one class,"
            f" '{records.classes[learned[0]]}'; expected at least two: give more data, or split in another way"
        )


def _unknown(pipeline: Pipeline, table: pa.Table, parts: Parts) -> float:
    reads = [pipeline.read(batch) for batch in _slices(table.take(pa.array(parts.test)))]
    return sum(read.unknown for read in reads) / max(sum(read.terms for read in reads), 1)


def _joined(parts: Sequence[Features]) -> Features:
    joined: dict[str, Any] = {}
    for name in parts[0]:
        values: list[Any] = [part[name] for part in parts]
        joined[name] = concatenate(values) if isinstance(values[0], SparseRows) else np.concatenate(values)
    return joined


def _column(records: Records, layout: Layout, name: str, field: str) -> np.ndarray:
    table, where = records.table, f"train.split.{field}"
    if name not in table.column_names:
        raise DataError(f"{where}: there is no column '{name}'; there are {', '.join(sorted(table.column_names))}")
    column = table.column(name)
    if column.null_count:
        rows = f"{column.null_count:,} row{'s' * (column.null_count != 1)}"
        raise DataError(
            f"{where}: the column '{name}' is empty in {rows} of {len(column):,}; fill it, or split in another way"
        )
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.combine_chunks().to_numpy(zero_copy_only=False)[layout.ends]


def _covered(pipeline: Pipeline, table: pa.Table) -> pa.Table:
    covered = [pipeline.covered(batch) for batch in _slices(table)]
    return pa.Table.from_batches(covered) if covered else table


def _slices(table: pa.Table) -> list[pa.RecordBatch]:
    return table.to_batches(max_chunksize=SLICE)


def _watched(batches: list[pa.RecordBatch], watcher: Watcher) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch
        watcher.advance(batch.num_rows)
