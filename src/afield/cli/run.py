"""`afield run`: follow the source, answer each new record, write to the sinks."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import click

from afield.cli.options import FOLDER, JSON, OVERRIDES, VERSION


@click.command(epilog="Example: afield run my-logs --once")
@FOLDER
@click.option("--once", is_flag=True, help="Answer what is there and end, instead of waiting for more.")
@click.option("--skip-existing", is_flag=True, help="On the first run, begin after the records that are there already.")
@VERSION
@OVERRIDES
@JSON
def command(
    folder: Path, once: bool, skip_existing: bool, version: str | None, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Answer each record of the use case in FOLDER once and only once, and write the answers to its sinks.

    It goes on where it stopped, however it ended. Ctrl-C or SIGTERM ends it after the batch in hand.
    """
    from afield.runtime.running import run
    from afield.usecase.load import load

    loaded = load(folder, overrides)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    from afield.cli.status import Status
    from afield.runtime.dead_letters import FILE

    with Status(sys.stderr) as status:
        tally = run(
            loaded,
            version=version,
            once=once,
            skip_existing=skip_existing,
            stop=stop,
            told=status.show,
            warned=status.warn,
        )
    if as_json:
        import orjson

        click.echo(orjson.dumps(vars(tally)))
    else:
        records = "record" if tally.answered == 1 else "records"
        unknown = f"; {tally.unknown / tally.terms:.1%} of their terms are new to the model" if tally.terms else ""
        click.echo(f"answered {tally.answered:,} {records} in {tally.seconds:.1f} s{unknown}", err=True)
        if tally.refused:
            refused = f"{tally.refused:,} record{'s' * (tally.refused != 1)}"
            click.echo(f"refused {refused}, with the reasons in {loaded.folder / FILE}", err=True)
