"""A search on the terminal and as a page, with foreign text in every place."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import plotly.graph_objects as go
import pytest
from rich.console import Console

from afield.report.figures import tuning_figures
from afield.report.model import Contender, Searched, TrialRow, Tuning, json_text
from afield.report.page import tuning_html
from afield.report.searched import among, failures, ranked, short_names, value_text
from afield.report.terminal import render_tuning
from afield.report.verdict import tuning_verdict

EVIL = "<script>alert(1)</script>"
RATE, ACTIVATION = "train.optimizer.adam.learning_rate", "model.network.0.dense.activation"
INNER = "train.optimizer[1].sgd.momentum"


def trial(number: int, state: Any, score: float | None, epochs: int = 3, **changes: Any) -> TrialRow:
    values: dict[str, Any] = {RATE: 10.0 ** -(number % 4), ACTIVATION: ("relu", EVIL)[number % 2]}
    values |= {INNER: 0.5} if number % 2 else {}
    curve = [(score or 0) * epoch / epochs for epoch in range(1, epochs + 1)] if score is not None else []
    given = {"curve": curve, "losses": curve, "seconds": 0.5, "bytes": 1000 * (number + 1), "row_seconds": 1e-5}
    return TrialRow(number=number, state=state, values=values, score=score, **(given | changes))


def tuning(**changes: Any) -> Tuning:
    trials = [
        trial(0, "complete", 0.8),
        trial(1, "pruned", 0.95, epochs=1),
        trial(2, "complete", 0.9),
        trial(3, "failed", None, reason=f"it diverged {EVIL}"),
        trial(4, "failed", None, reason=f"it diverged {EVIL}"),
        trial(5, "complete", 0.85),
    ]
    given: dict[str, Any] = {
        "use_case": f"logs {EVIL}",
        "question": f"Which? {EVIL}",
        "created": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "metric": "accuracy",
        "watched": "accuracy",
        "sampler": "tpe",
        "schedule": "halving",
        "searched": [
            Searched(name=RATE, bounds=(0.001, 1.0), log=True, importance=0.75),
            Searched(name=ACTIVATION, choices=["relu", EVIL], importance=0.25),
            Searched(name=INNER, bounds=(0.1, 0.9)),
        ],
        "trials": trials,
        "best": 2,
        "front": [2, 0],
        "test": Contender(
            name="network", kind="", score=0.875, interval=(0.8, 0.93), seconds=1.5, row_seconds=2e-5, bytes=3000
        ),
        "rows": 200,
        "seconds": 12.5,
        "verdict": "",
        "facts": {"study": EVIL},
    }
    made = Tuning(**(given | changes))
    return made.model_copy(update={"verdict": tuning_verdict(made)})


def shown(made: Tuning, width: int = 120) -> str:
    out = io.StringIO()
    render_tuning(made, Console(width=width, file=out))
    return out.getvalue()


def test_the_verdict_says_what_the_best_is_worth_and_what_mattered() -> None:
    assert tuning().verdict == (
        "The best of 6 trials reaches accuracy 0.8750, 0.8000 to 0.9300 on 200 test rows that the search never saw,"
        " and 0.9000 on the validation part that chose it; `train.optimizer.adam.learning_rate` mattered most (75%)."
    )
    alone = tuning(searched=[Searched(name=RATE, bounds=(0.001, 1.0), importance=1.0)])
    assert "mattered" not in alone.verdict


def test_trials_trained_to_their_end_come_first() -> None:
    assert [one.number for one in ranked(tuning())] == [2, 5, 0, 1]
    assert [one.number for one in ranked(tuning(metric="log loss"))] == [0, 5, 2, 1]


def test_a_reason_is_told_once() -> None:
    assert [one.number for one in failures(tuning())] == [3]


def test_names_are_as_short_as_they_can_be() -> None:
    names = ["model.network.1.dropout.rate", "model.network.3.dropout.rate", RATE, "a"]
    assert list(short_names(names).values()) == ["1.dropout.rate", "3.dropout.rate", "learning_rate", "a"]
    assert short_names(["rate", "a.rate"]) == {"rate": "rate", "a.rate": "a.rate"}


@pytest.mark.parametrize(
    ("value", "text"), [(0.000123456, "0.0001235"), (True, "true"), (None, ""), (16, "16"), ("a\x1bb", "a\\x1bb")]
)
def test_values_in_a_cell(value: Any, text: str) -> None:
    assert value_text(value) == text


def test_what_was_searched_in_words() -> None:
    assert among(Searched(name="a", choices=[1, "x", True])) == "1, x, true"
    assert among(Searched(name="a", bounds=(0.001, 1.0), log=True)) == "0.001 to 1, by logarithm"


def test_the_terminal_shows_the_best_trials_and_the_test_score() -> None:
    text = shown(tuning())
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "Best of 6 trials by accuracy on the validation part (higher is better)" in lines
    order = [line.split()[0] for line in lines if re.match(r"^\d 0\.\d{4} ", line)]
    assert order == ["2", "5", "0", "1"]
    assert "3 trained to their end, 1 left early, 2 failed; 12.5 s" in lines
    assert f"trial 3 gave no score: it diverged {EVIL}" in lines
    assert "Trained anew, on 200 test rows that the search never saw" in lines
    assert any(line.startswith("network 0.8750 0.8000 to 0.9300") for line in lines)


@pytest.mark.parametrize("width", [40, 60, 200])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    lines = shown(tuning(trials=[one for one in tuning().trials if one.state != "failed"]), width).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width


def test_the_page_holds_every_trial_and_runs_nothing_foreign() -> None:
    text = tuning_html(tuning())
    assert text == tuning_html(tuning())
    assert EVIL not in text
    body = text[text.index("<tbody>", text.index('id="trials"')) :]
    assert body[: body.index("</tbody>")].count("<tr") == 6
    assert "complete, on the front, best" in text
    assert "https://" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


def test_the_plots_are_what_plotly_draws() -> None:
    made = tuning_figures(tuning())
    assert set(made) == {"trials", "curves", "parallel", "importance", "front_size", "front_time"}
    for name, plot in made.items():
        go.Figure(plot)
        assert EVIL not in json.dumps(plot), name


def test_lines_of_the_parallel_plot_go_from_values_to_scores() -> None:
    lines = tuning_figures(tuning())["parallel"]["data"]
    best = lines[-1]
    assert best["line"]["color"] == "#e07b39"
    assert best["y"] == pytest.approx([1 / 3, 0.0, None, (0.9 - 0.8) / (0.95 - 0.8)])


def test_a_search_without_epochs_or_importances_has_fewer_plots() -> None:
    without = trial(0, "complete", 0.8, curve=[], losses=[], bytes=None, row_seconds=None)
    trials = [without.model_copy(update={"values": {RATE: 1.0}})]
    searched = [Searched(name=RATE, bounds=(0.001, 1.0), log=True)]
    made = tuning(trials=trials, best=0, front=[0], searched=searched)
    assert set(tuning_figures(made)) == {"trials", "parallel"}
    assert "Learning curves" not in tuning_html(made)


def test_the_document_is_read_back() -> None:
    made = tuning()
    assert Tuning.model_validate_json(json_text(made)) == made
