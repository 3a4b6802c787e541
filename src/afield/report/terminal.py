"""A report on the terminal: as wide as it is, in colour there and plain when piped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from afield.report.confusion import confused_pairs
from afield.report.model import Average, Interval, Mistake, Report, Scores
from afield.report.text import shortened, visible

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
    console.print(Text.assemble(("Verdict  ", "bold"), visible(report.verdict)))


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
        console.print(Text.assemble("Warning  ", visible(warning), style="yellow"))


def _classes(scores: Scores, console: Console) -> None:
    rows = scores.per_class
    title = "Classes"
    if len(rows) > TABLE_CLASSES:
        tested = [row for row in rows if row.support or row.predicted]
        rows = sorted(tested, key=lambda row: (row.f1, -row.support))[:WORST_CLASSES]
        title = f"The {len(rows)} worst of {len(scores.per_class):,} classes"
    table = _table(["class"], ["precision", "recall", "F1", "support"])
    for row in rows:
        table.add_row(Text(visible(row.name)), *_figures(row), style=None if row.support else "dim")
    table.add_section()
    table.add_row("micro average", *_figures(scores.micro))
    table.add_row("macro average", *_figures(scores.macro))
    table.add_row("weighted average", *_figures(scores.weighted))
    _show(title, table, console)


def _models(report: Report, console: Console) -> None:
    table = _table(["model"], ["accuracy", "95 % interval", "macro F1", "seconds"])
    test = report.test
    seconds = sum(epoch.seconds for epoch in report.history)
    table.add_row(
        Text("network", "bold"),
        f"{test.accuracy:.4f}",
        _range(test.interval),
        f"{test.macro.f1:.4f}",
        f"{seconds:.1f}",
    )
    for baseline in report.baselines:
        table.add_row(
            Text(visible(baseline.name)),
            f"{baseline.accuracy:.4f}",
            _range(baseline.interval),
            f"{baseline.macro_f1:.4f}",
            f"{baseline.seconds:.1f}",
        )
    _show("Network and baselines", table, console)


def _confusion(report: Report, console: Console) -> None:
    matrix = report.test.confusion.matrix()
    names = [visible(name) for name in report.classes]
    if len(names) <= MATRIX_CLASSES:
        heads = _heads(names, matrix.max(initial=0), console.width)
        numbered = heads != names
        table = _table(["class"], heads)
        for index, (name, row) in enumerate(zip(names, matrix.tolist(), strict=True)):
            styles = ["bold" if column == index else "yellow" for column in range(len(row))]
            cells = [
                Text(f"{count:,}", style) if count else Text("·", "dim")
                for count, style in zip(row, styles, strict=True)
            ]
            table.add_row(Text(f"{heads[index]} {name}" if numbered else name), *cells)
        _show("Confusion (rows: true class, columns: prediction)", table, console)
        return
    pairs = confused_pairs(matrix, PAIRS)
    if pairs:
        table = _table(["true class", "taken for"], ["rows", "share of the class"])
        for pair in pairs:
            table.add_row(Text(names[pair.truth]), Text(names[pair.prediction]), f"{pair.count:,}", f"{pair.share:.1%}")
        _show("Most confused classes", table, console)


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


def _heads(names: Sequence[str], largest: int, width: int) -> list[str]:
    """Column heads of a confusion matrix: the classes' names, or their numbers where the names do not fit."""
    cells = [max(len(name), len(f"{largest:,}")) + 2 for name in names]
    fits = max(map(len, names)) + 2 + sum(cells) <= width
    return list(names) if fits else [str(number) for number in range(1, len(names) + 1)]


def _table(left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in left:
        table.add_column(Text(name), overflow="ellipsis", no_wrap=True)
    for name in right:
        table.add_column(Text(name), justify="right", no_wrap=True)
    return table


def _show(title: str, table: Table, console: Console) -> None:
    console.print()
    console.print(Text(title, "bold"))
    console.print(table)


def _figures(row: Average) -> tuple[str, str, str, str]:
    return f"{row.precision:.4f}", f"{row.recall:.4f}", f"{row.f1:.4f}", f"{row.support:,}"


def _range(interval: Interval) -> str:
    return f"{interval[0]:.4f} to {interval[1]:.4f}"
