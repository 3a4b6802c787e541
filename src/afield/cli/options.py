"""Arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.argument("folder", type=click.Path(path_type=Path))
OVERRIDES = click.option(
    "overrides",
    "--set",
    metavar="KEY=VALUE",
    multiple=True,
    help="Put a value in place of the file's, such as train.epochs=10; may be repeated.",
)
VERSION = click.option("version", "--version", metavar="NAME", help="A version such as v2; the latest by default.")
JSON = click.option("as_json", "--json", is_flag=True, help="Print JSON for machines.")
