"""`afield report`: what training found out, on the terminal, as JSON or as a page."""

from __future__ import annotations

from pathlib import Path

import click

from afield.cli.options import FOLDER, JSON, VERSION


@click.command(epilog="Example: afield report my-logs --html")
@FOLDER
@VERSION
@click.option("--html", is_flag=True, help="Write report.html, which opens offline, and print its path.")
@click.option("output", "-o", "--output", type=click.Path(path_type=Path), help="Where to write the page.")
@JSON
def command(folder: Path, version: str | None, html: bool, output: Path | None, as_json: bool) -> None:
    """Show the report of the latest version of the use case in FOLDER, or of another one.

    FOLDER may also be a bundle.
    """
    from afield.cli.versions import bundle_of

    bundle = bundle_of(folder, version)
    from afield.bundle import open_bundle
    from afield.report.model import from_json

    text = open_bundle(bundle).report
    if as_json:
        click.echo(text, nl=False)
        return
    report = from_json(text, str(bundle))
    if html or output:
        from afield.report.page import write

        target = output or (folder if folder.is_dir() else bundle.parent) / "report.html"
        write(report, target)
        click.echo(str(target))
        return
    from rich.console import Console

    from afield.report.terminal import render

    render(report, Console())
