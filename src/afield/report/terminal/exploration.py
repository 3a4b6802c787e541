"""An exploration on the terminal: columns, classes, findings, and the verdict on the question."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text

from afield.report.columns import show, table
from afield.report.model.exploration import ColumnProfile, Exploration, Finding, Signal
from afield.report.spark import spark
from afield.report.terminal.parts import emphasised
from afield.report.text import figure, shortened, size, visible, within

COLUMNS = 80
"""Columns that are listed."""
CLASSES = 12
ROWS = 3
"""Rows of a finding that are shown."""
LONGEST = 40


def render_exploration(found: Exploration, console: Console) -> None:
    """Prints an exploration: what was read, the columns, the classes, the findings, and the verdict."""
    console.print(Text(f"{visible(found.name)}, explored", "bold"))
    rows = f"{found.read:,} rows" if found.rows in (None, found.read) else f"{found.read:,} of {found.rows:,} rows"
    files = f"{len(found.files):,} file{'' if len(found.files) == 1 else 's'}"
    console.print(Text(f"{rows} x {len(found.columns):,} columns of {files}, {size(found.bytes)}"))
    for note in found.notes:
        console.print(Text.assemble("Note  ", *emphasised(note), style="dim"))
    _columns(found.columns, console)
    if found.classes:
        _classes(found, console)
    _findings(found, console)
    if found.signal is not None:
        _signal(found.signal, console)
    else:
        why = "no target was named; --target COLUMN says whether the data can answer it"
        if found.target:
            why = "simple models answer classes and values of single rows only; `afield compare` tries others"
        console.print()
        console.print(Text.assemble("No verdict  ", *emphasised(why), style="dim"))


def _columns(columns: list[ColumnProfile], console: Console) -> None:
    listed = table(["column", "type"], ["missing", "distinct"])
    for name in ("range", "histogram", "examples"):
        listed.add_column(Text(name), overflow="ellipsis", no_wrap=True)
    for column in columns[:COLUMNS]:
        listed.add_row(
            Text(shortened(visible(column.name), LONGEST)),
            Text(column.personal or column.type, "yellow" if column.personal else ""),
            f"{column.missing:,}" if column.missing else "",
            f"{column.distinct:,}",
            Text(f"{column.low} to {column.high}" if column.low else ""),
            Text(spark(column.histogram)),
            Text(visible(_examples(column))),
        )
    title = "Columns" if len(columns) <= COLUMNS else f"The first {COLUMNS} of {len(columns):,} columns"
    show(title, listed, console)


def _examples(column: ColumnProfile) -> str:
    """The frequent values of a category with their counts, else examples."""
    if column.frequent:
        return ", ".join(f"{value.value} ({value.rows:,})" for value in column.frequent)
    return ", ".join(column.examples)


def _classes(found: Exploration, console: Console) -> None:
    listed = table(["class"], ["rows", "share"])
    known = sum(one.rows for one in found.classes)
    for one in found.classes[:CLASSES]:
        listed.add_row(Text(shortened(visible(one.value), LONGEST)), f"{one.rows:,}", f"{one.rows / known:.1%}")
    many = len(found.classes) > CLASSES
    heading = f"The {CLASSES} largest of {len(found.classes):,} classes" if many else "Classes"
    show(f"{heading} of {visible(found.target)}", listed, console)


def _findings(found: Exploration, console: Console) -> None:
    console.print()
    if not found.findings:
        console.print(Text("No faults were found.", "bold"))
        return
    console.print(Text("Findings" if len(found.findings) > 1 else "One finding", "bold"))
    for finding in found.findings:
        _finding(finding, console)
    if found.mask:
        console.print()
        console.print(Text("Steps that remove the personal data", "bold"))
        console.print(Padding(Syntax(found.mask.rstrip(), "yaml", background_color="default"), (0, 0, 0, 2)))


def _finding(finding: Finding, console: Console) -> None:
    console.print()
    console.print(Text.assemble((f"{finding.kind}  ", "bold yellow"), *emphasised(finding.message)), soft_wrap=True)
    console.print(Padding(Text.assemble("What to do: ", *emphasised(finding.advice)), (0, 0, 0, 2)))
    for row in finding.rows[:ROWS]:
        place = f"{visible(row.file)}:{row.line}  " if row.file else ""
        console.print(Text.assemble("  ", (place, "dim"), visible(row.text)), no_wrap=True, overflow="ellipsis")


def _signal(signal: Signal, console: Console) -> None:
    names = sorted({name for one in signal.contenders for name in one.figures})
    listed = table(["model"], [signal.metric, "95 % interval", *names])
    for one in signal.contenders:
        beside = (one.figures.get(name) for name in names)
        values = ("" if value is None else figure(value) for value in beside)
        listed.add_row(Text(one.name), figure(one.score), within(one.interval), *values)
    show(f"Simple models on {signal.rows:,} rows, by {signal.folds} folds", listed, console)
    points = ", ".join(f"{figure(point.score)} with {point.rows:,}" for point in signal.curve)
    console.print(Text(f"By rows of training: {points}"))
    console.print()
    console.print(Text.assemble(("Verdict  ", "bold"), *emphasised(signal.sentence)))
