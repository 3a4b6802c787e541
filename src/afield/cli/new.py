"""`afield new`: starts a use case from the gallery, or from data alone."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: afield new logs my-logs --data /var/log")
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--data", metavar="PATH", help="Where your data is: a folder, a file or a glob; left out, it is simulated."
)
@click.option("--target", metavar="COLUMN", help="Column of the answer; for `auto` alone.")
@click.option(
    "--force", is_flag=True, help="Write into FOLDER though it is not empty; files of the same name are replaced."
)
def command(name: str, folder: Path, data: str | None, target: str | None, force: bool) -> None:
    """Copy the use case NAME of the gallery into FOLDER, ready to edit.

    NAME may also be `auto`: the data is explored, and the use case is written from what was found.
    """
    if name == "auto":
        from afield.explore.starting import start
        from afield.report.progress import Bars

        with Bars() as bars:
            started = start(folder, data=data, target=target, force=force, watcher=bars)
    else:
        if target is not None:
            raise click.UsageError("--target is for `afield new auto`; others of the gallery have theirs")
        from afield.gallery.copying import start as copy

        started = copy(name, folder, data=data, force=force)
    for line in started.notes:
        click.echo(line)
    click.echo(f"{started.file}: ready to edit; next: afield check {folder}, then afield train {folder}")
