"""`afield predict`: one JSON object a record of a file, or of the standard input."""

from __future__ import annotations

import sys
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
    the output is a JSON object with id, prediction, probability, version and position.
    """
    from afield.cli.versions import bundle_of
    from afield.connectors.sinks.jsonl import encode
    from afield.runtime.answers import answer_table
    from afield.runtime.predictor import Predictor

    predictor = Predictor(bundle_of(folder, version))
    out = sys.stdout.buffer
    for records in _records(predictor, file):
        out.write(encode(answer_table(records, predictor.answer(records), predictor.version)))
        out.flush()


def _records(predictor: object, file: Path) -> Iterator[pa.RecordBatch]:
    from afield.connectors.sources.files.spec import Files
    from afield.connectors.sources.files.standard_input import lines

    if str(file) == "-":
        yield from lines(sys.stdin.buffer)
        return
    source = Files(path=str(file)).open(base=Path.cwd(), follow=False, labelled=False)
    try:
        for batch in source.batches({}):
            if batch.records.num_rows:
                yield batch.records
    finally:
        source.close()
