"""`afield predict`: one JSON object a record of a file, or of the standard input."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afield.cli.options import FOLDER, VERSION

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
    from afield.cli.records import read, source_of

    source = source_of(usecase)
    if str(file) != "-":
        yield from read(source, file)
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
            yield from read(source, Path(spooled.name))
