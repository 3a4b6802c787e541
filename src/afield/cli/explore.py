"""`afield explore`: what data holds, what is wrong with it, and whether it can answer the question."""

from __future__ import annotations

from pathlib import Path

import click

from afield.cli.options import JSON, OVERRIDES


@click.command(epilog="Example: afield explore customers.csv --target churned --html")
@click.argument("path", metavar="DIR|FILE", type=click.Path(path_type=Path))
@click.option("--target", metavar="COLUMN", help="Column of the answer; the label of a use case is known.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Start of the random numbers.")
@OVERRIDES
@JSON
@click.option(
    "--html", "as_page", is_flag=True, help="Write exploration.html, which opens offline, and print its path."
)
@click.option("output", "-o", "--output", type=click.Path(path_type=Path), help="Where to write the page.")
def command(
    path: Path,
    target: str | None,
    seed: int,
    overrides: tuple[str, ...],
    as_json: bool,
    as_page: bool,
    output: Path | None,
) -> None:
    """Say what the data of a use case, a folder or a file holds, what is wrong with it, and whether it can answer the
    question.

    CSV, TSV, JSON Lines, Parquet and lines of text are read, also .gz, .bz2 and .zst. Of more than 1 GB a sample is
    read. Personal data is never shown.
    """
    from rich.console import Console

    from afield.report.progress import Bars

    with Bars() as bars:
        from afield.explore.exploring import explore

        document = explore(path, target, overrides=overrides, seed=seed, watcher=bars).document
    if as_json:
        from afield.report.model import json_text

        click.echo(json_text(document), nl=False)
    else:
        from afield.report.terminal.exploration import render_exploration

        render_exploration(document, Console())
    if as_page or output:
        from afield.report.page import write

        page = output or Path("exploration.html")
        write(document, page)
        click.echo(str(page), err=as_json)
