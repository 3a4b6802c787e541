"""What a person reads on the terminal, and in a pipe."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from rich.console import Console
from synthetic_reports import MAKERS, comparison, report_of

from afield.report import Report, evaluate
from afield.report.terminal import render, render_comparison
from afield.report.text import duration, figure, shortened, size, visible


def shown(report: Report, width: int = 100, terminal: bool = False) -> str:
    file = io.StringIO()
    colours = "standard" if terminal else None
    render(report, Console(file=file, width=width, force_terminal=terminal, color_system=colours))
    return file.getvalue()


def few(report: Report, classes: int) -> Report:
    """The report with the first classes alone, all answers right but one."""
    names = report.classes[:classes]
    truth = np.arange(classes).repeat(10)
    answers = truth.copy()
    answers[0] = classes - 1
    return report.model_copy(
        update={"classes": names, "test": evaluate(truth, np.eye(classes, dtype=np.float32)[answers], names)}
    )


def test_a_pipe_gets_plain_text(systems: Report) -> None:
    text = shown(systems)
    assert "\x1b" not in text
    assert "logs, version 3" in text
    assert f"{systems.test.accuracy:.4f}" in text
    for name in systems.classes:
        assert name in text
    assert "macro average" in text
    assert "majority" in text
    assert "Warning  2,200 of 2,400 test rows" in text
    first = systems.mistakes[0]
    assert f"{first.truth} taken for {first.prediction}  {first.file}:{first.line}" in text
    assert systems.verdict in " ".join(text.split())


def test_a_terminal_gets_colour(systems: Report) -> None:
    assert "\x1b[33mWarning" in shown(systems, terminal=True)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(systems: Report, width: int) -> None:
    too_wide = [line for line in shown(systems, width).splitlines() if len(line) > width and "taken for" not in line]
    assert too_wide == []


def test_a_small_confusion_matrix_is_shown_whole(systems: Report) -> None:
    text = shown(few(systems, 3))
    assert "Confusion (rows: true class, columns: prediction)" in text
    rows = [line.split() for line in text[text.index("Confusion") :].splitlines()]
    assert ["class", "Android", "Apache", "BGL"] in rows
    assert ["Android", "9", "·", "1"] in rows


def test_columns_are_numbered_where_the_names_do_not_fit(systems: Report) -> None:
    text = shown(few(systems, 8), width=60)
    rows = [line.split() for line in text[text.index("Confusion") :].splitlines()]
    assert ["class", "1", "2", "3", "4", "5", "6", "7", "8"] in rows
    assert rows[[row[:2] for row in rows].index(["1", "Android"])][2:] == ["9", "·", "·", "·", "·", "·", "·", "1"]


@pytest.mark.parametrize("width", [40, 47, 60, 80])
def test_a_matrix_that_does_not_fit_gives_way_to_the_most_confused(systems: Report, width: int) -> None:
    names = systems.classes[:12]
    truth = np.arange(12).repeat(1500)
    answers = np.where(np.arange(len(truth)) % 7, truth, (truth + 1) % 12)
    scores = evaluate(truth, np.eye(12, dtype=np.float32)[answers], names)
    large = systems.model_copy(update={"classes": names, "test": scores})
    text = shown(large, width)
    assert "Confusion (rows" not in text
    confused = text[text.index("Most confused classes") :].split("Most confident mistakes")[0]
    assert "215 14.3%" in " ".join(confused.split())
    assert "afield report FOLDER --html" in " ".join(confused.split())
    assert "1,285    215" in shown(large, 100)


@pytest.mark.parametrize("width", range(40, 81, 5))
def test_no_figure_is_cut_at_any_width(systems: Report, events: Report, width: int) -> None:
    for report in (systems, events, few(systems, 12), few(systems, 5)):
        tables = shown(report, width).split("Most confident mistakes")[0]
        assert re.findall(r"[0-9.,]+…", tables[tables.index("\n\nNetwork and baselines") :]) == []
        if report is systems:
            assert ("On a wider terminal also: support" in tables) == (width < 45)
        first = report.test.per_class[0]
        if len(report.classes) <= 25:
            figures = f"{first.precision:.4f}  {first.recall:.4f}  {first.f1:.4f}"
            assert figures in re.sub(" +", "  ", tables)


def test_backticks_give_way_to_bold(systems: Report) -> None:
    report = systems.model_copy(update={"warnings": ["use `split: {by: time}` or a ` alone"], "verdict": "do `this`."})
    text = shown(report)
    assert "Warning  use split: {by: time} or a ` alone" in text
    assert "Verdict  do this." in text
    assert "\x1b[1;33msplit: {by: time}" in shown(report, terminal=True)


def test_many_classes_show_the_worst_and_the_most_confused(events: Report) -> None:
    text = shown(events)
    assert f"The 15 worst of {len(events.classes)} classes" in text
    assert "Most confused classes" in text
    assert len(text.splitlines()) < 120


def test_a_report_without_mistakes_baselines_or_warnings(systems: Report) -> None:
    bare = systems.model_copy(
        update={
            "mistakes": [],
            "baselines": [],
            "warnings": [],
            "unseen": None,
            "best_possible": None,
            "vocabulary": None,
        }
    )
    text = shown(bare)
    for absent in ("Warning", "mistakes", "Unseen", "Best possible", "Vocabulary"):
        assert absent not in text


def test_foreign_text_moves_no_cursor_and_is_no_markup(systems: Report) -> None:
    evil = "[red]\x1b[2J\x1b]0;owned\x07 \u202ereversed\r\nsecond line"
    mistake = systems.mistakes[0].model_copy(update={"text": evil, "file": evil, "truth": evil})
    text = shown(systems.model_copy(update={"mistakes": [mistake], "warnings": [evil]}))
    assert not set("\x1b\x07\r\u202e") & set(text)
    assert "[red]\\x1b[2J" in text


def test_control_characters_are_written_out() -> None:
    assert visible("a\tb\x00\x9b\u2028é\n") == "a b\\x00\\x9b\\u2028é\\n"
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("binary", ["AUC", "Average precision", "Cut 0.5200 (the highest F1 on the validation part)"]),
        ("tag", ["Micro F1", "All tags right", "disk", "micro "]),
        ("regress", ["R2", "Mean absolute error", "an hour", "Largest errors", "predicted, "]),
        ("abnormal", ["Alarms", "At the true count", "Precision and recall among", "counter 1 7 (50%)", "abnormal"]),
        ("unlabelled", ["Alarms", "Most abnormal rows"]),
        ("group", ["Silhouette", "group 4", "column 8 low", "Rows nearest to the centre"]),
        ("write", ["bits a character", "Written at temperature 0.5", "JULIET:"]),
        ("states", ["Answered unknown", "Known states", "taught"]),
        ("images", ["Most confident mistakes (8 of 24", "row 5"]),
    ],
)
@pytest.mark.parametrize("width", [60, 120])
def test_every_kind_shows_its_sections(kind: str, wanted: list[str], width: int) -> None:
    text = " ".join(shown(report_of(kind), width).split())
    for part in wanted:
        assert part in text
    assert set(MAKERS) >= {kind}
    assert ("Confusion" in text) == (kind in {"binary", "states", "images"})
    assert "Verdict" in text


def test_a_comparison_lists_the_best_first_and_what_failed() -> None:
    file = io.StringIO()
    render_comparison(comparison(), Console(file=file, width=140))
    rows = [line.split() for line in file.getvalue().splitlines()]
    names = [row[0] for row in rows if row and row[0] in {"boosted", "network", "rhythm", "majority"}]
    assert names[:4] == ["boosted", "network", "rhythm", "majority"]
    text = " ".join(file.getvalue().split())
    assert "By AUC (higher is better), 5 folds, 2,013 rows" in text
    assert "torch (torch) gave no score: model.py:12: no class Net" in text


def test_figures_and_units_of_any_size() -> None:
    assert [figure(value) for value in (0.0, 0.91234, 123.456, 1234567.8, 0.00001234, float("nan"))] == [
        "0.0000",
        "0.9123",
        "123.46",
        "1,234,568",
        "1.23e-05",
        "nan",
    ]
    assert [duration(value) for value in (None, 12.34, 0.0123, 0.0000123, 1e-8)] == [
        "",
        "12.3 s",
        "12.3 ms",
        "12.3 µs",
        "10 ns",
    ]
    assert [size(value) for value in (None, 12, 12_345, 12_345_678)] == ["", "12 B", "12.3 kB", "12.3 MB"]
