"""`afield tune`: the best values for what the use case leaves open."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from afield.cli.ending import interrupts
from afield.cli.options import FOLDER, JSON, OVERRIDES


@click.command(epilog="Example: afield tune my-case --trials 128 --apply")
@FOLDER
@click.option("--trials", type=click.IntRange(min=1), default=64, show_default=True, help="Settings to try, in all.")
@click.option(
    "--sampler",
    type=click.Choice(["tpe", "random", "grid", "cmaes"]),
    default="tpe",
    show_default=True,
    help="Who suggests the values: one of Optuna's samplers.",
)
@click.option(
    "--schedule",
    type=click.Choice(["halving", "none"]),
    default="halving",
    show_default=True,
    help="halving: after some epochs only the best third goes on; none: every trial trains to its end.",
)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="End after this time.")
@click.option("--seed", type=click.IntRange(min=0), help="Start of the suggestions; by default that of the use case.")
@click.option("--storage", metavar="URL", help="Database of the trials; by default a file in FOLDER/.afield.")
@click.option(
    "--on",
    metavar="CLUSTER",
    help="Train on a Ray cluster: `ray`, which finds one, or its address.",
)
@OVERRIDES
@JSON
@click.option("--html", "as_page", is_flag=True, help="Write the search as one offline page beside the use case.")
@click.option("--apply", "applied", is_flag=True, help="Write the best values into the use case, and add a version.")
def command(
    folder: Path,
    trials: int,
    sampler: str,
    schedule: str,
    timeout: float | None,
    seed: int | None,
    storage: str | None,
    on: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
    as_page: bool,
    applied: bool,
) -> None:
    """Search for the best values of the use case in FOLDER: those written as {search: [a, b]} or {range: [low, high]}.

    Trials are compared on the validation part. The best one is trained anew and measured once on the test part. A
    search that was interrupted goes on when it is started again, and more --trials go on where it ended.
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
    from afield.report.terminal import render_tuning

    try:
        with Bars() as bars:
            from afield.tune.workflow import Options, tune

            options = Options(trials, sampler, schedule, timeout, seed, storage, on)  # pyright: ignore[reportArgumentType]
            tuned = tune(loaded, options, apply=applied, watcher=bars)
    except BaseException as ended:
        if interrupts(ended):
            click.echo(f"trials that had ended are kept; `afield tune {folder}` goes on", err=True)
        raise
    content = json_text(tuned.tuning)
    kept = loaded.folder / STATE / "tuning.json"
    with replacing(kept, len(content)) as file:
        file.write(content.encode())
    if as_json:
        click.echo(content, nl=False)
    else:
        render_tuning(tuned.tuning, Console())
    if as_page:
        from afield.report.page import write

        page = loaded.folder / "tuning.html"
        write(tuned.tuning, page)
        click.echo(f"{page}: written", err=as_json)
    if tuned.version is not None:
        click.echo(
            f"{loaded.path}: the best values are written\n{tuned.version.name}: {tuned.version.bundle}", err=as_json
        )
    elif not as_json:
        from afield.tune.writing import unwritten

        if unwritten(loaded):
            # The values come after the searches that they settle.
            given = {text.partition("=")[0]: text for text in tuned.case.overrides}
            sets = " ".join(f"--set {shlex.quote(text)}" for text in given.values())
            click.echo(f"Train with the best values: afield train {folder} {sets}")
        else:
            click.echo(f"Write the best values into {loaded.path}: afield tune {folder} --apply")
