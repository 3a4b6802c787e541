"""`afield write`: the text that a network writes after a start, as it is written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from afield.cli.options import FOLDER, JSON, VERSION


@click.command(epilog="Example: afield write my-writer --start 'ROMEO:' --length 300 --temperature 0.8")
@FOLDER
@click.option(
    "--start", default="", metavar="TEXT", help="What the text goes on from; by default the beginning of a line."
)
@click.option("--length", type=click.IntRange(min=1), help="Characters to write; as the use case says by default.")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0),
    help="Below 1, surer and duller; above, bolder; 0, the most probable character always. As the use case says by "
    "default.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="The same seed writes the same text; 0 by default.")
@VERSION
@JSON
def command(
    folder: Path,
    start: str,
    length: int | None,
    temperature: float | None,
    seed: int,
    version: str | None,
    as_json: bool,
) -> None:
    """Write with the latest version of the use case in FOLDER, which may also be a bundle.

    Characters appear as they are written. A character of the start that the network does not know is replaced or left
    out, as the use case says.
    """
    from afield.cli.versions import bundle_of
    from afield.runtime.predictor import Predictor

    predictor = Predictor(bundle_of(folder, version), threads=1)
    writer, usual = predictor.writing()
    length = usual.length if length is None else length
    temperature = usual.temperature if temperature is None else temperature
    written = writer.characters(start, length, temperature, seed)
    if as_json:
        text = "".join(written)
        told = {"start": start, "text": text, "temperature": temperature, "seed": seed, "version": predictor.version}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.secho(start, nl=False, bold=True)
    at_once = sys.stdout.isatty()
    for character in written:
        click.echo(character, nl=False)
        if at_once:
            sys.stdout.flush()
    click.echo()
