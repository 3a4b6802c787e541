"""`afield show`: the flow of a use case, and a diagram of its network."""

from __future__ import annotations

import json
from pathlib import Path

import click

from afield.cli.options import FOLDER, JSON, OVERRIDES


@click.command(epilog="Example: afield show my-logs")
@FOLDER
@OVERRIDES
@JSON
def command(folder: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Show how data flows through the use case in FOLDER, and a diagram of its network: layer, name, output
    shape, parameters.

    The sizes are those of the latest version; before the first training they depend on the data.
    """
    from afield.report.diagram import lines
    from afield.report.flow import flow
    from afield.report.model import Report, from_json
    from afield.usecase.load import load

    loaded = load(folder, overrides)
    from afield.registry.versions import Registry

    registry = Registry(folder if folder.is_dir() else folder.parent)
    versions = registry.all()
    registry.close()
    report: Report | None = None
    if versions:
        from afield.bundle import open_bundle

        report = from_json(open_bundle(versions[-1].bundle).report, str(versions[-1].bundle))
    stages = flow(loaded.model.model_dump(mode="json", exclude_unset=True, by_alias=True))
    if as_json:
        layers = [row.model_dump() for row in report.layers] if report else None
        click.echo(json.dumps({"name": loaded.name, "flow": dict(stages), "layers": layers}, indent=2))
        return
    from rich.console import Console

    console = Console()
    console.print(f"[bold]{loaded.name}[/bold]", highlight=False)
    for stage, text in stages:
        console.print(f"  {stage:<11} {text}", highlight=False, markup=False, soft_wrap=True)
    if report is None:
        console.print(f"\nNot trained yet: `afield train {folder}` gives the network its sizes.", highlight=False)
        return
    console.print()
    for line in lines(report.layers):
        console.print(line, highlight=False, markup=False, no_wrap=True, overflow="crop")
