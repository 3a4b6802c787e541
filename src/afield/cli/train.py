"""`afield train`: a new version, with progress, history and report."""

from __future__ import annotations

from pathlib import Path

import click

from afield.cli.options import FOLDER, JSON, OVERRIDES


@click.command(epilog="Example: afield train my-logs --set train.epochs=10")
@FOLDER
@OVERRIDES
@click.option("--fresh", is_flag=True, help="Start anew, whatever an interrupted training has left.")
@JSON
def command(folder: Path, overrides: tuple[str, ...], fresh: bool, as_json: bool) -> None:
    """Train the use case in FOLDER and add the result to its registry as a new version.

    Progress goes to the standard error, the report to the standard output. An interrupted training goes on from its
    last epoch when it is started again.
    """
    from afield.usecase.load import load

    loaded = load(folder, overrides)
    for warning in loaded.warnings:
        click.echo(str(warning), err=True)
    from rich.console import Console

    from afield.report.model import json_text
    from afield.report.progress import Bars
    from afield.report.terminal import render

    with Bars() as bars:
        from afield.train.workflow import train

        training = train(loaded, watcher=bars, fresh=fresh)
    if as_json:
        click.echo(json_text(training.report), nl=False)
        return
    render(training.report, Console())
    click.echo(f"\n{training.version.name}: {training.version.bundle}")
    click.echo(f"Look closer: afield report {folder} --html")
