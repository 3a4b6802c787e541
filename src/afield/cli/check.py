"""`afield check`: says what is wrong with a use case, and where."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(epilog="Example: afield check my-logs --set train.epochs=10")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "overrides",
    "--set",
    metavar="KEY=VALUE",
    multiple=True,
    help="Put a value in place of the file's; may be repeated.",
)
@click.option("as_json", "--json", is_flag=True, help="Print the findings as a JSON list.")
def command(folder: Path, overrides: tuple[str, ...], as_json: bool) -> int:
    """Say what is wrong with the use case in FOLDER, and where: file:line:column.

    The exit code is 2 when something is wrong, 0 when nothing is, or only warnings are given.
    """
    from afield.usecase.load import FILE_NAME, check, load

    findings = check(folder, overrides)
    errors = sum(finding.severity == "error" for finding in findings)
    if as_json:
        click.echo(json.dumps([finding.as_json() for finding in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(str(finding))
        file = folder / FILE_NAME if folder.is_dir() else folder
        counted = [_counted(errors, "problem"), _counted(len(findings) - errors, "warning")]
        space = () if errors else load(folder, overrides).space
        searched = f"; {len(space)} {'values' if len(space) > 1 else 'value'} to search: afield tune {folder}"
        click.echo(f"{file}: {', '.join(counted) if findings else 'no problems found'}{searched if space else ''}")
    return 2 if errors else 0


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
