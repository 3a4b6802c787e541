"""`afield compare`: several models of one use case on one split, side by side."""

from __future__ import annotations

from pathlib import Path

import click

from afield.cli.options import FOLDER, JSON, OVERRIDES


@click.command(epilog="Example: afield compare my-case --models model,forest --folds 5 --html")
@FOLDER
@click.option("--models", default="", help="Names with commas: `model` and keys of `models:`; all of them by default.")
@click.option(
    "--folds", type=click.IntRange(1, 10), default=1, help="Split the rows so often; 1 for the use case's own."
)
@OVERRIDES
@JSON
@click.option("--html", "as_page", is_flag=True, help="Write the comparison as one offline page beside the use case.")
def command(folder: Path, models: str, folds: int, overrides: tuple[str, ...], as_json: bool, as_page: bool) -> None:
    """Train the models of the use case in FOLDER on the same rows and print a table: a row a model.

    Each row has the score with its interval, the time to train, the time to answer a row, the size and the lines of
    configuration; simple baselines stand among them. No version is added to the registry.
    """
    from afield.usecase.load import load

    loaded = load(folder, overrides)
    for warning in loaded.warnings:
        click.echo(str(warning), err=True)
    from rich.console import Console

    from afield.files import replacing
    from afield.lock import STATE
    from afield.report.model import json_text
    from afield.report.progress import Bars
    from afield.report.terminal import render_comparison

    with Bars() as bars:
        from afield.train.comparing import compare

        names = [name.strip() for name in models.split(",") if name.strip()]
        comparison = compare(loaded, models=names, count=folds, watcher=bars)
    content = json_text(comparison)
    kept = loaded.folder / STATE / "comparison.json"
    kept.parent.mkdir(exist_ok=True)
    with replacing(kept, len(content)) as file:
        file.write(content.encode())
    if as_json:
        click.echo(content, nl=False)
    else:
        render_comparison(comparison, Console())
    if as_page:
        from afield.report.page import write

        page = loaded.folder / "comparison.html"
        write(comparison, page)
        click.echo(f"{page}: written", err=as_json)
