"""Reads a file or a folder that is no use case: tables, JSON Lines, Parquet, or lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from afield.connectors.base import LINE, TEXT
from afield.connectors.sources.files.discover import Found, Kind, find, kind_of, why
from afield.connectors.sources.files.spec import Files
from afield.connectors.sources.files.stream import codec_of
from afield.errors import DataError, UseCaseError
from afield.explore.reading import content, lines, tables
from afield.explore.reading.dialect import Dialect
from afield.explore.reading.rows import BUDGET, MOST_CELLS, MOST_LINES, Account, Rows

LEAST_BYTES = 2**20
"""Bytes that are read of each file, however small its share."""
READERS = 2
NAMES_SHOWN = 5


@dataclass(frozen=True)
class Part:
    """What one file gave.

    Args:
        table: N rows.
        lines: int64[N].
        count: rows that the file holds; None where that is not known.
        account: of the file.
        notes: how it was read.
    """

    table: pa.Table
    lines: np.ndarray
    count: int | None
    account: Account
    notes: tuple[str, ...] = ()


def read(path: Path) -> Rows:
    """Reads a file, or the files below a folder.

    Raises:
        UseCaseError: there is no such file or folder.
        DataError: it holds no rows that can be read.
    """
    if not path.exists():
        raise UseCaseError(f"{path}: no such file or folder; expected a use case, a folder of data, or a file of it")
    declared = Files(path=str(path))
    skipped: dict[str, str] = {}
    found = find(declared, Path(), skipped)
    notes: list[str] = []
    kind, chosen = _main_kind(declared, found, notes)
    parts = list(_parts(kind, chosen, skipped))
    if not parts:
        raise DataError(_nothing(path, found, skipped))
    if kind == "csv":
        parts = _alike(parts, notes)
    notes += [note for part in parts for note in part.notes]
    notes += [f"{file} is left out: {reason}" for file, reason in sorted(skipped.items())]
    return _joined(path, kind, parts, notes)


def _main_kind(declared: Files, found: list[Found], notes: list[str]) -> tuple[Kind, list[Found]]:
    """The kind of most bytes, and the files of it."""
    sizes: Counter[Kind] = Counter()
    for file in found:
        sizes[kind_of(declared, file.path)] += file.size
    if not sizes:
        return "lines", []
    kind = sizes.most_common(1)[0][0]
    others = [file.shown for file in found if kind_of(declared, file.path) != kind]
    if others:
        notes.append(f"{_some(others)} left out: most of the folder is {kind}; explore the others on their own")
    return kind, [file for file in found if kind_of(declared, file.path) == kind]


def _parts(kind: Kind, files: list[Found], skipped: dict[str, str]) -> Iterator[Part]:
    total = max(sum(file.size for file in files), 1)

    def part(file: Found) -> Part | str:
        share = file.size / total
        budget = BUDGET if total <= BUDGET and codec_of(file.path) is None else max(int(BUDGET * share), LEAST_BYTES)
        try:
            return _READERS[kind](file, budget, share)
        except (content.Unreadable, tables.NotATable) as reason:
            return str(reason)
        except OSError as error:
            return why(error)

    with ThreadPoolExecutor(READERS) as pool:
        for file, made in zip(files, pool.map(part, files), strict=True):
            if isinstance(made, str):
                skipped[file.shown] = made
            elif made.table.num_rows:
                yield made
            else:
                skipped[file.shown] = "it holds no rows"


def _lines(file: Found, budget: int, share: float) -> Part:
    held = content.read(file.path, budget)
    texts, numbers, count = lines.sample(held, MOST_LINES)
    account = Account(file.shown, held.size, held.encoding, held.foreign)
    told = count if held.whole else None
    return Part(pa.table({TEXT: texts}), numbers, told, account, _told(file, held))


def _csv(file: Found, budget: int, share: float) -> Part:
    held = content.read(file.path, budget)
    parsed = tables.parse(held, ".tsv" in file.path.suffixes)
    dialect = parsed.dialect
    account = Account(
        file.shown,
        held.size,
        held.encoding,
        held.foreign,
        parsed.ragged,
        parsed.repeated,
        dialect.delimiter,
        [] if dialect.header else dialect.names,
        dialect.blanks,
    )
    told = parsed.table.num_rows if held.whole else None
    return Part(parsed.table, parsed.lines, told, account, (*_told(file, held), *_written(file, dialect)))


def _json(file: Found, budget: int, share: float) -> Part:
    source = Files(path=str(file.path), format="jsonl").open(base=Path(), follow=False, labelled=False)
    batches: list[pa.Table] = []
    try:
        for batch in source.batches({}):
            batches.append(pa.Table.from_batches([batch.records]))
            if source.report.bytes > budget:
                break
    except DataError as error:
        raise content.Unreadable(str(error)) from None
    report = source.report
    source.close()
    if not batches:
        raise content.Unreadable("it holds no rows")
    table = pa.concat_tables(batches, promote_options="permissive")
    numbers = table.column(LINE).to_numpy()
    kept = table.select([name for name in table.column_names if not name.startswith("_")])
    whole = report.bytes <= budget
    notes = () if whole else (f"{file.shown}: its first {report.bytes:,} bytes were read",)
    bad = [tables.Ragged(line, 0) for lines_of in report.rejected_at.values() for line in lines_of]
    account = Account(file.shown, report.bytes, ragged=bad)
    return Part(kept, numbers, table.num_rows if whole else None, account, notes)


def _parquet(file: Found, budget: int, share: float) -> Part:
    with file.path.open("rb") as opened:
        try:
            table_file = pq.ParquetFile(opened)
            rows = table_file.metadata.num_rows
            groups = list(range(table_file.num_row_groups))
            most = max(int(MOST_CELLS * share) // max(len(table_file.schema_arrow.names), 1), 1)
            if rows > most:
                wanted = max(int(len(groups) * most / rows), 1)
                groups = np.unique(np.linspace(0, len(groups) - 1, wanted).astype(np.int64)).tolist()
            table = table_file.read_row_groups(groups)
        except pa.ArrowInvalid as error:
            raise content.Unreadable(f"not a whole Parquet file: {error}") from None
        sizes = [table_file.metadata.row_group(group).num_rows for group in range(table_file.num_row_groups)]
    firsts = np.cumsum([0, *sizes])
    numbers = np.concatenate([np.zeros(0, np.int64), *(np.arange(sizes[g]) + firsts[g] + 1 for g in groups)])
    told = len(groups) < len(sizes)
    notes = (f"{file.shown}: {len(groups):,} of {len(sizes):,} row groups were read",) if told else ()
    return Part(table, numbers, rows, Account(file.shown, file.size, ""), notes)


_READERS: Mapping[Kind, Any] = {"lines": _lines, "csv": _csv, "jsonl": _json, "parquet": _parquet}


def _told(file: Found, held: content.Content) -> tuple[str, ...]:
    notes: list[str] = []
    if not held.whole:
        where = "from its beginning" if codec_of(file.path) else f"in {content.PIECES} pieces from its start to its end"
        notes.append(f"{file.shown}: a sample of {len(held.data):,} bytes was read, {where}")
    if held.damage:
        notes.append(f"{file.shown}: read in part only, it is damaged: {held.damage}")
    return tuple(notes)


def _written(file: Found, dialect: Dialect) -> Iterator[str]:
    """What a use case must say to read the table as it was read here."""
    if not dialect.header:
        yield f"{file.shown} has no line of names: its columns are called column_1 and so on; `header:` names them"
    if dialect.blanks:
        yield f"{file.shown}: blanks around the values were taken off, as `strip: true` does"


def _alike(parts: list[Part], notes: list[str]) -> list[Part]:
    """Those of the columns that most rows have."""
    rows: Counter[tuple[str, ...]] = Counter()
    for part in parts:
        rows[tuple(part.table.column_names)] += part.table.num_rows
    names = rows.most_common(1)[0][0]
    others = [part.account.file for part in parts if tuple(part.table.column_names) != names]
    if others:
        notes.append(f"{_some(others)} left out: the columns are others than those of most rows")
    return [part for part in parts if tuple(part.table.column_names) == names]


def _joined(path: Path, kind: Kind, parts: list[Part], notes: list[str]) -> Rows:
    try:
        table = pa.concat_tables([part.table for part in parts], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as apart:
        raise DataError(f"{path}: its files do not fit together: {apart}; explore them one by one") from None
    numbers = np.concatenate([part.lines for part in parts])
    sizes = [part.table.num_rows for part in parts]
    file = np.repeat(np.arange(len(parts), dtype=np.int32), sizes)
    counts = [part.count for part in parts]
    total = None if None in counts else sum(count or 0 for count in counts)
    names = [part.account.file for part in parts]
    most = MOST_LINES if kind == "lines" else max(MOST_CELLS // max(table.num_columns, 1), 1)
    if table.num_rows > most:
        kept = np.linspace(0, table.num_rows - 1, most).astype(np.int64)
        table, numbers, file = table.take(pa.array(kept)), numbers[kept], file[kept]
    if total is not None and total > table.num_rows:
        notes.append(f"{table.num_rows:,} of {total:,} rows were looked at, evenly spread")
    labels = None
    if kind == "lines" and len(parts) > 1:
        labels = pa.array([Path(name).name for name in names]).take(pa.array(file))
    origin = "file_name" if labels is not None else ""
    accounts = [part.account for part in parts]
    return Rows(path.name or str(path), kind, table, names, file, numbers, total, accounts, labels, origin, notes=notes)


def _nothing(path: Path, found: list[Found], skipped: Mapping[str, str]) -> str:
    if path.is_dir() and not found:
        return f"{path}: expected files of data, found none in this folder (hidden files do not count)"
    if not any(file.size for file in found):
        return f"{path}: expected rows, found {'an empty file' if path.is_file() else 'only empty files'}"
    reasons = [f"{file}: {reason}" for file, reason in sorted(skipped.items())]
    if path.is_file():
        reasons = list(skipped.values())
    more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return f"{path}: expected a table or lines of text, found none that can be read: {'; '.join(reasons[:3])}{more}"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN])
    verb = "is" if len(names) == 1 else "are"
    return f"{shown}{f' and {len(names) - NAMES_SHOWN} more' if len(names) > NAMES_SHOWN else ''} {verb}"
