"""A report on the terminal: as wide as it is, in colour there and plain when piped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from afield.report.columns import fit, show, table
from afield.report.confusion import confused_pairs
from afield.report.model import Average, Interval, Mistake, Report, Scores
from afield.report.text import prose, shortened, visible

MATRIX_CLASSES = 12
TABLE_CLASSES = 25
"""With more classes than this, only the worst ones are listed."""
WORST_CLASSES = 15
PAIRS = 10
MISTAKES = 8


def render(report: Report, console: Console) -> None:
    """Prints a report: what was asked, how good the answers are, where they are wrong, and the verdict."""
    _heading(report, console)
    _warnings(report.warnings, console)
    _classes(report.test, console)
    _models(report, console)
    _confusion(report, console)
    _mistakes(report.mistakes, console)
    console.print()
    console.print(Text.assemble(("Verdict  ", "bold"), *_emphasised(report.verdict)))


def _heading(report: Report, console: Console) -> None:
    console.print(Text(f"{visible(report.use_case)}, version {visible(report.version)}", "bold"))
    console.print(Text(visible(report.question)))
    console.print()
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    for name, value in _facts(report):
        facts.add_row(name, Text(value))
    console.print(facts)


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    test, parts = report.test, report.parts
    yield "Accuracy", f"{test.accuracy:.4f} ({_range(test.interval)}, 95 %) on {test.rows:,} test rows"
    if report.unseen is not None:
        where = f"the {report.unseen.rows:,} test rows whose masked text does not stand in training"
        yield "Unseen text", f"{report.unseen.accuracy:.4f} ({_range(report.unseen.interval)}, 95 %) on {where}"
    if report.best_possible is not None:
        yield "Best possible", f"{report.best_possible:.4f}"
    yield "Log loss", f"{test.log_loss:.4f}, calibration error {test.calibration_error:.4f}"
    rows = f"{parts.training.rows:,} training, {parts.validation.rows:,} validation, {parts.test.rows:,} test"
    yield "Rows", f"{rows}, {len(report.classes):,} classes"
    if report.vocabulary is not None:
        unknown = f"{report.vocabulary.unknown_share_test:.2%} of those in the test part are unknown"
        yield "Vocabulary", f"{report.vocabulary.size:,} tokens; {unknown}"
    yield "Training", f"{len(report.history)} epochs; {visible(report.stopped)}"


def _warnings(warnings: Sequence[str], console: Console) -> None:
    if warnings:
        console.print()
    for warning in warnings:
        console.print(Text.assemble("Warning  ", *_emphasised(warning), style="yellow"))


def _classes(scores: Scores, console: Console) -> None:
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


def _models(report: Report, console: Console) -> None:
    models = table(["model"], ["accuracy", "95 % interval", "macro F1", "seconds"])
    test = report.test
    seconds = sum(epoch.seconds for epoch in report.history)
    models.add_row(
        Text("network", "bold"),
        f"{test.accuracy:.4f}",
        _range(test.interval),
        f"{test.macro.f1:.4f}",
        f"{seconds:.1f}",
    )
    for baseline in report.baselines:
        models.add_row(
            Text(visible(baseline.name)),
            f"{baseline.score:.4f}",
            _range(baseline.interval or (0, 1)),
            f"{baseline.figures['macro F1']:.4f}",
            f"{baseline.seconds:.1f}",
        )
    show("Network and baselines", models, console)


def _confusion(report: Report, console: Console) -> None:
    matrix = report.test.confusion.matrix()
    names = [visible(name) for name in report.classes]
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


def _mistakes(mistakes: Sequence[Mistake], console: Console) -> None:
    if not mistakes:
        return
    shown = mistakes[:MISTAKES]
    console.print()
    console.print(Text(f"Most confident mistakes ({len(shown)} of {len(mistakes)} listed in the report)", "bold"))
    for mistake in shown:
        place = f"{visible(mistake.file)}:{mistake.line}" if mistake.file else ""
        console.print()
        console.print(
            Text.assemble(
                (f"{mistake.probability:.4f}  ", "bold"),
                f"{visible(mistake.truth)} taken for {visible(mistake.prediction)}  ",
                (place, "dim"),
            ),
            soft_wrap=True,
        )
        text = shortened(visible(mistake.text), max(2 * (console.width - 8), 40))
        console.print(Padding(Text(text, overflow="fold"), (0, 0, 0, 8)))


def _figures(row: Average) -> tuple[str, str, str, str]:
    return f"{row.precision:.4f}", f"{row.recall:.4f}", f"{row.f1:.4f}", f"{row.support:,}"


def _emphasised(text: str) -> Iterator[str | tuple[str, str]]:
    """A sentence, what stands between backticks in bold in their place."""
    for place, part in enumerate(prose(text)):
        yield (part, "bold") if place % 2 else part


def _range(interval: Interval) -> str:
    return f"{interval[0]:.4f} to {interval[1]:.4f}"
