"""`afield predict`: one JSON object a record of a file, or of the standard input."""

from __future__ import annotations

import glob
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from afield.cli.options import FOLDER, VERSION
from afield.errors import UseCaseError

if TYPE_CHECKING:
    import pyarrow as pa


@click.command(epilog="Example: tail -n 100 /var/log/syslog | afield predict my-logs -")
@FOLDER
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@VERSION
def command(folder: Path, file: Path, version: str | None) -> None:
    """Answer the records of FILE with the latest version of the use case in FOLDER.

    FOLDER may also be a bundle; FILE may be a folder or a glob, or "-" for lines of the standard input. Each line of
    the output is a JSON object with id, prediction, the number beside it, version and position.
    """
    from afield.cli.versions import bundle_of
    from afield.connectors.sinks.jsonl import encode
    from afield.runtime.answers import answer_table
    from afield.runtime.predictor import Predictor

    predictor = Predictor(bundle_of(folder, version))
    out = sys.stdout.buffer
    carry = None
    for records in _records(predictor.usecase, predictor.pipeline.line, file):
        answers = predictor.answer(records, carry)
        carry = answers.carry
        out.write(encode(answer_table(records, answers, predictor.version)))
        out.flush()


def _records(usecase: str, line: str | None, file: Path) -> Iterator[pa.RecordBatch]:
    source = _source(usecase)
    if str(file) != "-":
        yield from _read(source, file)
    elif line is not None and source.format in {"auto", "lines"}:
        from afield.connectors.base import TEXT
        from afield.connectors.sources.files.standard_input import lines

        for batch in lines(sys.stdin.buffer, source):
            # A line is what the model reads, whatever its column is called in the files of the use case.
            yield batch.rename_columns([line if name == TEXT else name for name in batch.schema.names])
    else:
        # These formats are read from files only.
        suffix = "jsonl" if source.format == "auto" else source.format
        with tempfile.NamedTemporaryFile(suffix=f".{suffix}") as spooled:
            shutil.copyfileobj(sys.stdin.buffer, spooled)
            spooled.flush()
            yield from _read(source, Path(spooled.name))


def _source(usecase: str) -> Any:
    """How the use case reads its files; where its source has no files, as the source `files` does by default."""
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


def _read(source: Any, file: Path) -> Iterator[pa.RecordBatch]:
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
