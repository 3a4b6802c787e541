"""Plots of a search: its scores, its learning curves, its values side by side, what mattered, and what scores cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from afield.report.figures.common import NETWORK, OTHER, QUIET, Figure, label
from afield.report.model import Searched, TrialRow, Tuning
from afield.report.searched import ranked, short_names, value_text
from afield.report.text import duration, figure, size

MOST_LINES = 200
"""Trials that are drawn as lines, the best ones."""


def tuning_figures(tuning: Tuning) -> dict[str, Figure]:
    """The plots by name, those that apply to the search."""
    scored = ranked(tuning)
    found = {"trials": _scores(tuning, scored)}
    if any(len(trial.curve) > 1 for trial in tuning.trials):
        found["curves"] = _curves(tuning, scored)
    found["parallel"] = _parallel(tuning, scored)
    if any(searched.importance is not None for searched in tuning.searched):
        found["importance"] = _importance(tuning)
    whole = [trial for trial in scored if trial.state == "complete"]
    if any(trial.bytes for trial in whole):
        found["front_size"] = _front(tuning, whole, [trial.bytes for trial in whole], "size in bytes")
    if any(trial.row_seconds for trial in whole):
        found["front_time"] = _front(tuning, whole, [trial.row_seconds for trial in whole], "seconds a row")
    return found


def _scores(tuning: Tuning, scored: Sequence[TrialRow]) -> Figure:
    """Each trial's score in the order of the trials, and the best one so far."""
    ordered = sorted(scored, key=lambda trial: trial.number)
    parts = [
        ("trained to their end", [trial for trial in ordered if trial.state == "complete"], NETWORK),
        ("left early", [trial for trial in ordered if trial.state == "pruned"], QUIET),
    ]
    data: list[Figure] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [trial.number for trial in trials],
            "y": [trial.score for trial in trials],
            "name": name,
            "marker": {"color": colour, "size": 8},
            "hovertext": [_said(trial, tuning) for trial in trials],
            "hoverinfo": "text",
        }
        for name, trials, colour in parts
        if trials
    ]
    better = max if tuning.higher_is_better else min
    whole = [trial for trial in ordered if trial.state == "complete"]
    best = [better(trial.score or 0.0 for trial in whole[: place + 1]) for place in range(len(whole))]
    data.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": [trial.number for trial in whole],
            "y": best,
            "name": "best so far",
            "line": {"color": OTHER, "shape": "hv"},
            "hoverinfo": "skip",
        }
    )
    axes = {"xaxis": {"title": {"text": "trial"}}, "yaxis": {"title": {"text": label(tuning.metric, 40)}}}
    return {"data": data, "layout": {"height": 340, **axes}}


def _curves(tuning: Tuning, scored: Sequence[TrialRow]) -> Figure:
    """What trials were compared by, epoch by epoch; the best trial on top."""
    drawn = [trial for trial in scored if trial.curve][:MOST_LINES]
    data = [
        _drawn(trial, tuning, "lines" if len(trial.curve) > 1 else "markers", 1, trial.curve)
        for trial in reversed(drawn)
    ]
    name = label(tuning.watched.replace("_", " "), 40)
    axes = {"xaxis": {"title": {"text": "epoch"}}, "yaxis": {"title": {"text": f"validation {name}"}}}
    return {"data": data, "layout": {"height": 360, "showlegend": False, **axes}}


def _parallel(tuning: Tuning, scored: Sequence[TrialRow]) -> Figure:
    """A line a trial through its values, each on an axis of its own, to its score."""
    drawn = scored[:MOST_LINES]
    names = short_names([searched.name for searched in tuning.searched])
    scores = [trial.score or 0.0 for trial in drawn]
    low, high = min(scores, default=0.0), max(scores, default=1.0)
    last = len(tuning.searched)

    def heights(trial: TrialRow) -> list[float | None]:
        score = (trial.score or 0.0) - low
        own = [_height(searched, trial.values.get(searched.name)) for searched in tuning.searched]
        return [*own, score if high == low else score / (high - low)]

    data = [_drawn(trial, tuning, "lines+markers", 0, heights(trial)) for trial in reversed(drawn)]
    marks = [_marks(searched) for searched in tuning.searched] + [[(0.0, figure(low)), (1.0, figure(high))]]
    axes = [label(name, 24) for name in names.values()] + [label(tuning.metric, 24)]
    return {
        "data": data,
        "layout": {
            "height": 420,
            "showlegend": False,
            "xaxis": {"tickvals": list(range(last + 1)), "ticktext": axes, "range": [-0.15, last + 0.4]},
            "yaxis": {"visible": False, "range": [-0.06, 1.06]},
            "annotations": [
                {"x": place, "y": height, "text": text, "showarrow": False, "xanchor": "left", "xshift": 4}
                for place, axis in enumerate(marks)
                for height, text in axis
            ],
        },
    }


def _importance(tuning: Tuning) -> Figure:
    """The share of each value in what set the best trials apart, the largest on top."""
    names = short_names([searched.name for searched in tuning.searched])
    known = [searched for searched in tuning.searched if searched.importance is not None]
    places = list(range(len(known)))
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [searched.importance for searched in known],
                "y": places,
                "width": 0.6,
                "marker": {"color": NETWORK},
                "hovertemplate": "%{x:.1%}<extra></extra>",
            }
        ],
        "layout": {
            "height": 110 + 36 * len(known),
            "showlegend": False,
            "xaxis": {"title": {"text": "importance"}, "range": [0, 1.02], "tickformat": ".0%"},
            "yaxis": {
                "tickvals": places,
                "ticktext": [label(names[searched.name], 32) for searched in known],
                "autorange": "reversed",
                "automargin": True,
                "showgrid": False,
                "zeroline": False,
            },
        },
    }


def _front(tuning: Tuning, whole: Sequence[TrialRow], costs: Sequence[float | None], name: str) -> Figure:
    """Score against what it costs; those that no other trial beats in everything in colour."""
    front = set(tuning.front)
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": list(costs),
                "y": [trial.score for trial in whole],
                "marker": {
                    "color": [OTHER if trial.number in front else QUIET for trial in whole],
                    "size": [11 if trial.number in front else 7 for trial in whole],
                },
                "hovertext": [_said(trial, tuning) for trial in whole],
                "hoverinfo": "text",
            }
        ],
        "layout": {
            "height": 340,
            "showlegend": False,
            "xaxis": {"title": {"text": name}, "type": "log"},
            "yaxis": {"title": {"text": label(tuning.metric, 40)}, "automargin": True},
        },
    }


def _drawn(trial: TrialRow, tuning: Tuning, mode: str, first: int, heights: Sequence[float | None]) -> dict[str, Any]:
    """The line of a trial through some heights, which stand one apart from `first` on."""
    colour, width, opacity = QUIET, 1.0, 0.35
    if trial.number == tuning.best:
        colour, width, opacity = OTHER, 3.0, 1.0
    elif trial.state == "complete":
        colour, width, opacity = NETWORK, 1.2, 0.6
    return {
        "type": "scatter",
        "mode": mode,
        "x": list(range(first, first + len(heights))),
        "y": list(heights),
        "line": {"color": colour, "width": width},
        "marker": {"color": colour, "size": 4},
        "opacity": opacity,
        "hovertext": _said(trial, tuning),
        "hoverinfo": "text",
    }


def _said(trial: TrialRow, tuning: Tuning) -> str:
    names = short_names([searched.name for searched in tuning.searched])
    lines = [f"trial {trial.number}: {label(tuning.metric, 40)} {figure(trial.score or 0.0)}"]
    lines += [f"{label(names[name], 40)} {label(value_text(value), 40)}" for name, value in trial.values.items()]
    lines += [text for text in (size(trial.bytes), f"{duration(trial.row_seconds)} a row") if trial.row_seconds]
    return "<br>".join(lines)


def _height(searched: Searched, value: Any) -> float | None:
    """Where a value stands on its axis, from 0 to 1; None of a trial that has none."""
    if value is None:
        return None
    if searched.bounds is None:
        return searched.choices.index(value) / (len(searched.choices) - 1)
    low, high = searched.bounds
    if searched.log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _marks(searched: Searched) -> list[tuple[float, str]]:
    """What is written along an axis: height and text."""
    ends: Sequence[Any] = searched.choices if searched.bounds is None else searched.bounds
    return [(_height(searched, value) or 0.0, label(value_text(value), 16)) for value in ends]
