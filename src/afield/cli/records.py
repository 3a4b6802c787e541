"""Records of a file that is named on the command line, read as the use case reads its own."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from afield.errors import UseCaseError

if TYPE_CHECKING:
    import pyarrow as pa


def source_of(usecase: str) -> Any:
    """How the use case reads its files; where its source has no files, as the source `files` does by default.

    Args:
        usecase: text of its file.
    """
    from afield.connectors.sources.files.spec import Files
    from afield.usecase.components import offered
    from afield.usecase.document import parse

    declared = parse(usecase, "usecase.yaml").data["source"]
    if isinstance(declared, dict):
        ((name, arguments),) = declared.items()
        kind = offered("source").found.get(name)
        if kind is not None and "path" in kind.model_fields:
            return kind.model_validate(arguments)
    return Files.model_validate({"path": "-"})


def read(source: Any, file: Path) -> Iterator[pa.RecordBatch]:
    """The records of a file, a folder or a glob, read as the source reads.

    Raises:
        UseCaseError: there is no such file.
    """
    if not file.exists() and not glob.has_magic(str(file)):
        raise UseCaseError(
            f"{file}: no such file or folder; name a file, a folder, a glob, or - for the standard input"
        )
    changes = {"path": str(file)} | ({"exclude": []} if "exclude" in type(source).model_fields else {})
    opened = source.model_copy(update=changes).open(base=Path.cwd(), follow=False, labelled=False)
    try:
        for batch in opened.batches({}):
            if batch.records.num_rows:
                yield batch.records
    finally:
        opened.close()
    report = getattr(opened, "report", None)
    for name, reason in sorted((report.skipped | report.damaged).items()) if report else ():
        click.echo(f"{name}: not read, or only in part: {reason}", err=True)


def read_rows(source: Any, named: str) -> Iterator[pa.RecordBatch]:
    """The records of FILE, or of FILE:FIRST-LAST, rows counted from 1.

    Raises:
        UseCaseError: there is no such file, or it has fewer rows.
    """
    found = re.fullmatch(r"(.+):(\d+)-(\d+)", named)
    if found is None or Path(named).exists():
        yield from read(source, Path(named))
        return
    file, first, last = found[1], int(found[2]), int(found[3])
    if not 1 <= first <= last:
        raise UseCaseError(f"{named}: expected rows as FIRST-LAST, counted from 1")
    row = 1
    for batch in read(source, Path(file)):
        start, end = max(first - row, 0), min(last - row + 1, batch.num_rows)
        if start < end:
            yield batch.slice(start, end - start)
        row += batch.num_rows
        if row > last:
            return
    raise UseCaseError(f"{named}: {file} has {row - 1:,} rows")
