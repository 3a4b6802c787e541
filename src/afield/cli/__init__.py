"""The command `afield`: one verb a file, imported when it is called, so that `afield --help` answers at once."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Mapping

import click

from afield import __version__

VERBS: Mapping[str, tuple[str, str]] = {
    "new": ("afield.cli.new", "Start a use case from the gallery."),
    "check": ("afield.cli.check", "Say what is wrong with a use case, and where."),
    "explore": ("afield.cli.explore", "Say what data holds, what is wrong with it, and whether it can answer."),
    "show": ("afield.cli.show", "Show the flow of a use case and its network."),
    "train": ("afield.cli.train", "Train a new version: progress, history, report."),
    "compare": ("afield.cli.compare", "Train several models on one split and put them side by side."),
    "tune": ("afield.cli.tune", "Search for the best values of what the use case leaves open."),
    "report": ("afield.cli.report", "Show what training found out about a version."),
    "teach": ("afield.cli.teach", "Add a state from a few examples, without training."),
    "adapt": ("afield.cli.adapt", "Move the known states to a new network, without training."),
    "predict": ("afield.cli.predict", "Answer the records of a file, or of the standard input."),
    "write": ("afield.cli.write", "Write the text that goes on after a start."),
    "run": ("afield.cli.run", "Follow the source and answer each new record."),
    "schema": ("afield.cli.schema", "Print the JSON Schema of usecase.yaml, for editors."),
}
"""Verb -> (module, one line of help), in the order a person needs them; the module has a click command `command`."""


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        return importlib.import_module(VERBS[cmd_name][0]).command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(VERBS)}"
            raise click.UsageError(f"no command '{args[0]}'; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, summary) for verb, (_, summary) in VERBS.items()])


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: afield new logs my-logs --data /var/log",
)
@click.version_option(__version__, prog_name="afield", message="%(prog)s %(version)s")
def afield() -> None:
    """Train at home, run afield: from wild data to a watched model that answers where the data lives."""


def main() -> None:
    """Runs the command and ends the process with its exit code."""
    from afield.cli.ending import run

    code = run(afield)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # whoever read it has gone
            stream.flush()
    # All is closed and flushed: taking the interpreter and LLVM apart would cost a quarter of a second.
    os._exit(code)
