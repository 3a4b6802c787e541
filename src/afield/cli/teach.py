"""`afield teach`: a new state from a few examples, without training."""

from __future__ import annotations

import json
from pathlib import Path

import click

from afield.cli.options import FOLDER, JSON, VERSION


@click.command(epilog="Example: afield teach my-faults --label card_failed --from incident.parquet:1-64")
@FOLDER
@click.option("--label", required=True, help="Name of the state.")
@click.option("--from", "rows", required=True, metavar="FILE[:FIRST-LAST]", help="Its examples, 1 to 10 of them.")
@VERSION
@JSON
def command(folder: Path, label: str, rows: str, version: str | None, as_json: bool) -> None:
    """Add a state to a use case whose model answers with the nearest known state, as a new version.

    The file is read as the use case reads its own. Nothing is trained: the state's reference vector is the mean of the
    examples' vectors.
    """
    from afield.bundle import open_bundle
    from afield.cli.records import read_rows, source_of
    from afield.cli.versions import bundle_of
    from afield.runtime.teaching import teach

    source = source_of(open_bundle(bundle_of(folder, version)).usecase)
    taught = teach(folder, label, read_rows(source, rows), version)
    name, examples = taught.version.name, taught.examples
    if as_json:
        click.echo(json.dumps({"version": name, "of": taught.of, "label": label, "examples": examples}))
        return
    click.echo(f"{name}: {taught.of} with '{label}', taught from {examples} example{'s' * (examples != 1)}")
