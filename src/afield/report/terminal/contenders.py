"""Models side by side on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from afield.report.beside import beside
from afield.report.columns import show, table
from afield.report.model import Comparison, Contender, Report
from afield.report.terminal.parts import emphasised
from afield.report.text import duration, figure, size, visible, within


def models(report: Report, console: Console) -> None:
    """Prints the model and its baselines."""
    model = report.contender()
    contenders = [*([model] if model else []), *report.baselines]
    if len(contenders) < 2:
        return
    others = beside(contenders, report.metric)
    listed = table(["model"], [report.metric, "95 % interval", *others, "seconds"])
    for contender in contenders:
        name = Text(visible(contender.name), "bold" if contender is model else "")
        seconds = "" if contender.seconds is None else f"{contender.seconds:.1f}"
        listed.add_row(name, *_scores(contender, others), seconds)
    show(f"{visible(report.subject).capitalize()} and baselines", listed, console)


def render_comparison(comparison: Comparison, console: Console) -> None:
    """Prints a comparison: every model with its score, cost and size, and which are best."""
    console.print(Text(f"{visible(comparison.use_case)}, models compared", "bold"))
    console.print(Text(visible(comparison.question)))
    others = beside(comparison.contenders, comparison.metric)
    heads = [comparison.metric, "95 % interval", "training", "a row", "size", "lines", *others]
    listed = table(["model", "kind"], heads)
    for place, contender in enumerate(comparison.contenders):
        score, interval, *figures = _scores(contender, others)
        costs = duration(contender.seconds), duration(contender.row_seconds), size(contender.bytes)
        lines = "" if contender.lines is None else f"{contender.lines:,}"
        name = Text(visible(contender.name), "" if place else "bold")
        listed.add_row(name, visible(contender.kind), score, interval, *costs, lines, *figures)
    better = "higher is better" if comparison.higher_is_better else "lower is better"
    splits = f"{comparison.folds} folds" if comparison.folds > 1 else "one split"
    show(f"By {comparison.metric} ({better}), {splits}, {comparison.rows:,} rows", listed, console)
    for failure in comparison.failed:
        said = f"{visible(failure.name)} ({visible(failure.kind)}) gave no score: {visible(failure.reason)}"
        console.print(Text(said, "yellow"))
    console.print()
    console.print(Text.assemble(("Verdict  ", "bold"), *emphasised(comparison.verdict)))


def _scores(contender: Contender, others: Sequence[str]) -> list[str]:
    beside = (contender.figures.get(name) for name in others)
    return [
        figure(contender.score),
        within(contender.interval),
        *("" if value is None else figure(value) for value in beside),
    ]
