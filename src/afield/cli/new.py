"""`afield new`: starts a use case from the gallery."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: afield new logs my-logs --data /var/log")
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--data", metavar="PATH", help="Where your data is: a folder, a file or a glob; left out, it is simulated."
)
@click.option(
    "--force", is_flag=True, help="Write into FOLDER though it is not empty; files of the same name are replaced."
)
def command(name: str, folder: Path, data: str | None, force: bool) -> None:
    """Copy the use case NAME of the gallery into FOLDER, ready to edit."""
    from afield.gallery.copying import start

    started = start(name, folder, data=data, force=force)
    for line in started.notes:
        click.echo(line)
    click.echo(f"{started.file}: ready to edit; next: afield check {folder}, then afield train {folder}")
