"""Classes on the terminal: their figures, what is taken for what, and the most confident mistakes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from afield.report.columns import fit, show, table
from afield.report.confusion import confused_pairs
from afield.report.model import Average, Mistake, Scores, States, Tags
from afield.report.terminal.parts import listed_row
from afield.report.text import figure, visible

MATRIX_CLASSES = 12
TABLE_CLASSES = 25
"""With more classes than this, only the worst ones are listed."""
WORST_CLASSES = 15
PAIRS = 10
MISTAKES = 8


def class_table(scores: Scores, console: Console) -> None:
    """Prints the figures of each class, or of the worst ones."""
    rows = scores.per_class
    title = "Classes"
    if len(rows) > TABLE_CLASSES:
        tested = [row for row in rows if row.support or row.predicted]
        rows = sorted(tested, key=lambda row: (row.f1, -row.support))[:WORST_CLASSES]
        title = f"The {len(rows)} worst of {len(scores.per_class):,} classes"
    listed = table(["class"], ["precision", "recall", "F1", "support"])
    for row in rows:
        listed.add_row(Text(visible(row.name)), *_figures(row), style=None if row.support else "dim")
    listed.add_section()
    listed.add_row("micro average", *_figures(scores.micro))
    listed.add_row("macro average", *_figures(scores.macro))
    listed.add_row("weighted average", *_figures(scores.weighted))
    show(title, listed, console)


def tag_table(tags: Tags, console: Console) -> None:
    """Prints the figures of each tag, or of the worst ones."""
    rows, title = tags.per_tag, "Tags"
    if len(rows) > TABLE_CLASSES:
        rows = sorted((row for row in rows if row.support or row.predicted), key=lambda row: row.f1)[:WORST_CLASSES]
        title = f"The {len(rows)} worst of {len(tags.per_tag):,} tags"
    listed = table(["tag"], ["precision", "recall", "F1", "support", "AUC", "cut"])
    for row in rows:
        figures = f"{row.precision:.4f}", f"{row.recall:.4f}", f"{row.f1:.4f}", f"{row.support:,}"
        area = "" if row.auc is None else f"{row.auc:.4f}"
        style = None if row.support else "dim"
        listed.add_row(Text(visible(row.name)), *figures, area, f"{row.cut:.4f}", style=style)
    listed.add_section()
    for name, mean in (("micro average", tags.micro), ("macro average", tags.macro)):
        listed.add_row(name, f"{mean.precision:.4f}", f"{mean.recall:.4f}", f"{mean.f1:.4f}", "", "", "")
    show(title, listed, console)


def state_table(states: States, console: Console) -> None:
    """Prints the known states."""
    listed = table(["state", ""], ["examples", "radius"])
    for state in states.states:
        taught = "taught" if state.taught else ""
        listed.add_row(Text(visible(state.name)), taught, f"{state.examples:,}", figure(state.radius))
    show("Known states", listed, console)


def confusion(scores: Scores, console: Console) -> None:
    """Prints the whole matrix where it fits, else the most confused classes."""
    matrix = scores.confusion.matrix()
    names = [visible(row.name) for row in scores.per_class]
    if len(names) <= MATRIX_CLASSES:
        numbers = [str(number) for number in range(1, len(names) + 1)]
        numbered = [f"{number} {name}" for number, name in zip(numbers, names, strict=True)]
        for rows, heads in ((names, names), (numbered, numbers)):
            whole = _matrix(matrix, rows, heads)
            if fit(whole, console, whole_heads=True):
                show("Confusion (rows: true class, columns: prediction)", whole, console)
                return
    pairs = confused_pairs(matrix, PAIRS)
    if pairs:
        confused = table(["true class", "taken for"], ["rows", "share of the class"])
        for pair in pairs:
            confused.add_row(
                Text(names[pair.truth]), Text(names[pair.prediction]), f"{pair.count:,}", f"{pair.share:.1%}"
            )
        show("Most confused classes", confused, console)
        console.print(Text("More on the page: afield report FOLDER --html", "dim"))


def _matrix(matrix: np.ndarray, rows: Sequence[str], heads: Sequence[str]) -> Table:
    whole = table(["class"], heads)
    for index, (name, counts) in enumerate(zip(rows, matrix.tolist(), strict=True)):
        styles = ["bold" if column == index else "yellow" for column in range(len(counts))]
        cells = [
            Text(f"{count:,}", style) if count else Text("·", "dim")
            for count, style in zip(counts, styles, strict=True)
        ]
        whole.add_row(Text(name), *cells)
    return whole


def mistakes(found: Sequence[Mistake], console: Console) -> None:
    """Prints the most confident mistakes."""
    if not found:
        return
    shown = found[:MISTAKES]
    console.print()
    console.print(Text(f"Most confident mistakes ({len(shown)} of {len(found)} listed in the report)", "bold"))
    for mistake in shown:
        said = f"{visible(mistake.truth)} taken for {visible(mistake.prediction)}  "
        listed_row(f"{mistake.probability:.4f}", said, mistake, console)


def _figures(row: Average) -> tuple[str, str, str, str]:
    return f"{row.precision:.4f}", f"{row.recall:.4f}", f"{row.f1:.4f}", f"{row.support:,}"
