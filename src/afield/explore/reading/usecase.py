"""Reads what a use case says is its data, through its own source."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from afield.connectors.base import FILE, LABEL, LINE
from afield.errors import DataError
from afield.explore.reading.rows import BUDGET, MOST_CELLS, Account, Rows
from afield.explore.reading.tables import Ragged
from afield.train.base import Watcher
from afield.train.records import joined
from afield.usecase.components import answer_columns
from afield.usecase.load import LoadedUseCase


def read(loaded: LoadedUseCase, watcher: Watcher) -> Rows:
    """Reads the records of a use case, at most as many as are looked at.

    Raises:
        DataError: there are none, or they do not fit together.
    """
    source: Any = loaded.model.source
    label: Any = getattr(source, "label", None)
    opened = source.open(base=loaded.folder, follow=False, labelled=label is not None)
    batches: list[pa.Table] = []
    rows, whole = 0, True
    try:
        for batch in opened.batches({}):
            if not batch.records.num_rows:
                continue
            batches.append(pa.Table.from_batches([batch.records]))
            rows += batch.records.num_rows
            watcher.advance(batch.records.num_rows)
            if rows * batch.records.num_columns > MOST_CELLS or _bytes(opened) > BUDGET:
                whole = False
                break
    finally:
        opened.close()
    if not batches:
        raise DataError("source: no record was read; expected at least two")
    return _rows(loaded, joined(batches), getattr(opened, "report", None), whole)


def _bytes(opened: Any) -> int:
    report = getattr(opened, "report", None)
    return report.bytes if report else 0


def _rows(loaded: LoadedUseCase, table: pa.Table, report: Any, whole: bool) -> Rows:
    label: Any = getattr(loaded.model.source, "label", None)
    names, file = _files(table)
    lines = table.column(LINE).to_numpy() if LINE in table.column_names else np.arange(table.num_rows) + 1
    labels = table.column(LABEL).cast(pa.string()).combine_chunks() if LABEL in table.column_names else None
    kept = table.select([name for name in table.column_names if not name.startswith("_")])
    parts: list[Any] = [label] if isinstance(label, str) else label.parts if label else []
    notes = [] if whole else [f"the first {table.num_rows:,} records of the source were read"]
    return Rows(
        name=loaded.name,
        form="records",
        table=kept,
        files=names,
        file=file,
        lines=lines,
        total=table.num_rows if whole else None,
        accounts=_accounts(names, report, notes),
        labels=labels,
        origin="/".join(part if isinstance(part, str) else part.column for part in parts),
        hidden=answer_columns(loaded.model.source),
        case=loaded,
        notes=notes,
    )


def _files(table: pa.Table) -> tuple[list[str], np.ndarray]:
    if FILE not in table.column_names:
        return [], np.zeros(table.num_rows, np.int32)
    files = table.column(FILE).combine_chunks()
    files = files if isinstance(files, pa.DictionaryArray) else files.dictionary_encode()
    return files.dictionary.to_pylist(), files.indices.to_numpy().astype(np.int32)


def _accounts(names: list[str], report: Any, notes: list[str]) -> list[Account]:
    """What the source says of its reading; a source need not keep such an account."""
    if report is None:
        return [Account(name, 0) for name in names]
    notes += [f"{file} is left out: {reason}" for file, reason in sorted(report.skipped.items())]
    notes += [f"{file}: read in part only: {reason}" for file, reason in sorted(report.damaged.items())]
    if report.replaced_utf8:
        notes.append(f"{report.replaced_utf8:,} bytes that are no UTF-8 were replaced")
    if report.cut:
        notes.append(f"{report.cut:,} records longer than max_record_bytes were cut")
    sizes = report.bytes // max(len(names), 1)
    return [
        Account(name, sizes, ragged=[Ragged(line, 0) for line in report.rejected_at.get(name, ())]) for name in names
    ]
