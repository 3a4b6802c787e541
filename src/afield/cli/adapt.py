"""`afield adapt`: the known states moved to a new network, from examples of its normal traffic."""

from __future__ import annotations

import json
from pathlib import Path

import click

from afield.cli.options import FOLDER, JSON, VERSION


@click.command(epilog="Example: afield adapt my-faults --normal other-operator.parquet:1-1440")
@FOLDER
@click.option("--normal", "rows", required=True, metavar="FILE[:FIRST-LAST]", help="Normal records of the new network.")
@click.option("--state", default="normal", show_default=True, help="Name of the normal state.")
@VERSION
@JSON
def command(folder: Path, rows: str, state: str, version: str | None, as_json: bool) -> None:
    """Set a use case to a new network by some normal records of it, as a new version.

    Numbers are scaled to the level that the normal state had in training; then every reference vector moves as far as
    the new network's normal records still lie from those that were trained on. Nothing is trained.
    """
    from afield.bundle import open_bundle
    from afield.cli.records import read_rows, source_of
    from afield.cli.versions import bundle_of
    from afield.runtime.teaching import adapt

    source = source_of(open_bundle(bundle_of(folder, version)).usecase)
    taught = adapt(folder, state, read_rows(source, rows), version)
    name, examples = taught.version.name, taught.examples
    if as_json:
        facts = {"version": name, "of": taught.of, "examples": examples, "moved": taught.moved}
        click.echo(json.dumps(facts))
        return
    said = f"set to another network by {examples:,} example{'s' * (examples != 1)}"
    click.echo(f"{name}: {taught.of} {said}, its states shifted by {taught.moved:.3g}")
