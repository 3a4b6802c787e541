"""A search on the terminal: the best trials, what mattered, and what the best is worth."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from afield.report.columns import show, table
from afield.report.model import Tuning
from afield.report.searched import among, failures, ranked, short_names, value_text
from afield.report.terminal.parts import emphasised
from afield.report.text import duration, figure, size, visible, within

ROWS = 10
"""Trials that are listed: those with the best score."""


def render_tuning(tuning: Tuning, console: Console) -> None:
    """Prints a search: its best trials, the values that mattered, the score on the test part."""
    console.print(Text(f"{visible(tuning.use_case)}, tuned", "bold"))
    if tuning.question:
        console.print(Text(visible(tuning.question)))
    names = short_names([searched.name for searched in tuning.searched])
    _trials(tuning, names, console)
    _values(tuning, names, console)
    test = tuning.test
    listed = table(["model"], [tuning.metric, "95 % interval", "training", "a row", "size"])
    costs = duration(test.seconds), duration(test.row_seconds), size(test.bytes)
    listed.add_row(Text(visible(test.name), "bold"), figure(test.score), within(test.interval), *costs)
    show(f"Trained anew, on {tuning.rows:,} test rows that the search never saw", listed, console)
    console.print()
    console.print(Text.assemble(("Verdict  ", "bold"), *emphasised(tuning.verdict)))


def _trials(tuning: Tuning, names: dict[str, str], console: Console) -> None:
    listed = table(["trial"], [tuning.metric, "epochs", *names.values(), "training", "size"])
    for trial in ranked(tuning)[:ROWS]:
        epochs = f"{len(trial.curve)}{', left early' if trial.state == 'pruned' else ''}" if trial.curve else ""
        values = [value_text(trial.values.get(name)) for name in names]
        name = Text(f"{trial.number}", "bold" if trial.number == tuning.best else "")
        listed.add_row(name, figure(trial.score or 0.0), epochs, *values, duration(trial.seconds), size(trial.bytes))
    better = "higher is better" if tuning.higher_is_better else "lower is better"
    show(f"Best of {len(tuning.trials):,} trials by {tuning.metric} on the validation part ({better})", listed, console)
    counts = f"{tuning.counted('complete'):,} trained to their end, {tuning.counted('pruned'):,} left early"
    failed = f"{tuning.counted('failed'):,} failed; {duration(tuning.seconds)}"
    console.print(Text(f"{counts}, {failed}", "dim"))
    for trial in failures(tuning):
        console.print(Text(f"trial {trial.number} gave no score: {visible(trial.reason)}", "yellow"), soft_wrap=True)


def _values(tuning: Tuning, names: dict[str, str], console: Console) -> None:
    listed = table(["value", "searched"], ["best", "importance"])
    for searched in tuning.searched:
        best = value_text(tuning.best_trial.values.get(searched.name))
        importance = "" if searched.importance is None else f"{searched.importance:.0%}"
        listed.add_row(names[searched.name], among(searched), best, importance)
    show("What was searched, the most important first", listed, console)
