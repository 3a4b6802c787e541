"""Values, abnormal rows, groups and written text on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from afield.report.columns import show, table
from afield.report.model import Abnormal, Groups, Language, Regression
from afield.report.terminal.parts import listed_row
from afield.report.text import figure, shortened, visible

ROWS = 8
EXAMPLES = 2
TYPICAL = 3
LINES = 12


def worst_values(found: Regression, console: Console) -> None:
    """Prints the rows with the largest errors."""
    shown = found.worst[:ROWS]
    console.print()
    console.print(Text(f"Largest errors ({len(shown)} of {len(found.worst)} listed in the report)", "bold"))
    for row in shown:
        said = f"{figure(row.predicted)} predicted, {figure(row.truth)} true  "
        listed_row(f"{'+' if row.predicted > row.truth else ''}{figure(row.predicted - row.truth)}", said, row, console)


def abnormal_rows(found: Abnormal, console: Console) -> None:
    """Prints how many of the highest scores are right, and the most abnormal rows."""
    if found.known is not None:
        ranked = table([], ["highest scores", "precision", "recall"])
        for at in found.known.at:
            ranked.add_row(f"{at.k:,}", f"{at.precision:.4f}", f"{at.recall:.4f}")
        show("Precision and recall among the highest scores", ranked, console)
    shown = found.most[:ROWS]
    console.print()
    console.print(Text(f"Most abnormal rows ({len(shown)} of {len(found.most)} listed in the report)", "bold"))
    for row in shown:
        columns = ", ".join(f"{visible(part.column)} {visible(part.value)} ({part.share:.0%})" for part in row.columns)
        said = "  ".join(part for part in (visible(row.label or ""), columns) if part)
        listed_row(figure(row.score), f"{said}  " if said else "", row, console)


def group_table(groups: Groups, console: Console) -> None:
    """Prints each group's size and figures, what is typical of it, and its most typical rows."""
    listed = table(["group", "typical"], ["rows", "share", "spread", "silhouette"])
    for group in groups.groups:
        columns = ", ".join(
            f"{visible(part.column)} {'high' if part.deviations > 0 else 'low'}" for part in group.typical[:TYPICAL]
        )
        apart = "" if group.silhouette is None else f"{group.silhouette:.4f}"
        figures = f"{group.size:,}", f"{group.share:.1%}", figure(group.spread), apart
        listed.add_row(Text(visible(group.name)), Text(columns), *figures)
    show("Groups", listed, console)
    console.print()
    console.print(Text("Rows nearest to the centre of each group", "bold"))
    for group in groups.groups:
        for example in group.examples[:EXAMPLES]:
            listed_row(visible(group.name), "", example, console)


def samples(language: Language, console: Console) -> None:
    """Prints what the network wrote."""
    for sample in language.samples:
        console.print()
        console.print(Text(f"Written at temperature {sample.temperature:g}", "bold"))
        lines = [visible(line) for line in f"{sample.start}{sample.text}".splitlines()[:LINES]]
        text = "\n".join(shortened(line, 4 * console.width) for line in lines)
        console.print(Padding(Text(text, overflow="fold"), (0, 0, 0, 8)))
