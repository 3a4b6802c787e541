"""`afield schema`: prints the JSON Schema of usecase.yaml."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(epilog="Example: afield schema -o usecase.schema.json")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
def command(output: Path | None) -> None:
    """Print the JSON Schema (2020-12) of usecase.yaml, with every component that is installed here.

    An editor that knows YAML completes and checks a use case whose first line is
    `# yaml-language-server: $schema=usecase.schema.json`.
    """
    from afield.usecase.schema import json_schema

    text = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    if output is None:
        click.echo(text)
    else:
        output.write_text(f"{text}\n", encoding="utf-8")
        click.echo(f"wrote {output}")
