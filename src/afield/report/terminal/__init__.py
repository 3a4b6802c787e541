"""A report on the terminal: as wide as it is, in colour there and plain when piped."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from afield.report.model import Report
from afield.report.terminal.classes import class_table, confusion, mistakes, state_table, tag_table
from afield.report.terminal.contenders import models, render_comparison
from afield.report.terminal.heading import facts
from afield.report.terminal.parts import emphasised
from afield.report.terminal.sections import abnormal_rows, group_table, samples, worst_values
from afield.report.terminal.tuning import render_tuning
from afield.report.text import visible

__all__ = ["render", "render_comparison", "render_tuning"]


def render(report: Report, console: Console) -> None:
    """Prints a report: what was asked, how good the answers are, where they are wrong, and the verdict."""
    _heading(report, console)
    _warnings(report.warnings, console)
    if report.test is not None:
        class_table(report.test, console)
    if report.tags is not None:
        tag_table(report.tags, console)
    if report.states is not None:
        state_table(report.states, console)
    models(report, console)
    if report.test is not None:
        confusion(report.test, console)
    mistakes(report.mistakes or report.images, console)
    if report.regression is not None:
        worst_values(report.regression, console)
    if report.abnormal is not None:
        abnormal_rows(report.abnormal, console)
    if report.groups is not None:
        group_table(report.groups, console)
    if report.language is not None:
        samples(report.language, console)
    console.print()
    console.print(Text.assemble(("Verdict  ", "bold"), *emphasised(report.verdict)))


def _heading(report: Report, console: Console) -> None:
    console.print(Text(f"{visible(report.use_case)}, version {visible(report.version)}", "bold"))
    console.print(Text(visible(report.question)))
    console.print()
    listed = Table.grid(padding=(0, 2))
    listed.add_column(style="dim", no_wrap=True)
    listed.add_column()
    for name, value in facts(report):
        listed.add_row(name, Text(value))
    console.print(listed)


def _warnings(warnings: Sequence[str], console: Console) -> None:
    if warnings:
        console.print()
    for warning in warnings:
        console.print(Text.assemble("Warning  ", *emphasised(warning), style="yellow"))
