"""The plots of a report, as plain data for plotly.js: traces and layout, nothing drawn yet.

Axes are numeric and bear the classes' names as tick labels: plotly would read a class named "1" or "2020-01-01" as a
number or a date. Every name is escaped, for plotly renders a part of HTML in any text.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import isfinite
from typing import Any

import numpy as np

from afield.report.confusion import confused_classes, normalised
from afield.report.model import Report, Scores
from afield.report.text import shortened, visible

Figure = dict[str, Any]

NETWORK = "#3b7dd8"
OTHER = "#e07b39"
QUIET = "#8a8f98"
HEAT_CLASSES = 30
"""More classes than this make cells that nobody can read."""
TEXT_CLASSES = 16
"""Up to this many classes, the cells bear their figures."""


def figures(report: Report) -> dict[str, Figure]:
    """The plots by name: confusion, loss, accuracy, calibration, baselines."""
    epochs = [epoch.epoch for epoch in report.history]
    return {
        "confusion": confusion(report.test, report.classes),
        "loss": _curves(
            epochs,
            [epoch.loss for epoch in report.history],
            [epoch.validation_loss for epoch in report.history],
            "loss",
        ),
        "accuracy": _curves(
            epochs,
            [epoch.accuracy for epoch in report.history],
            [epoch.validation_accuracy for epoch in report.history],
            "accuracy",
        ),
        "calibration": calibration(report.test),
        "baselines": baselines(report),
    }


def confusion(scores: Scores, classes: Sequence[str]) -> Figure:
    """Heat maps of the most confused classes: counts (shown first) and shares of each true class.

    Right answers and mistakes have a colour scale each, so that a few mistakes stand out beside thousands of right
    answers.
    """
    matrix = scores.confusion.matrix()
    chosen = confused_classes(matrix, HEAT_CLASSES)
    counts = matrix[np.ix_(chosen, chosen)].astype(np.float64)
    shares = normalised(matrix)[np.ix_(chosen, chosen)]
    names = [label(classes[index], 24) for index in chosen]
    full = [label(classes[index], 200) for index in chosen]
    hover = [
        [
            f"true: {truth}<br>predicted: {prediction}<br>{_hover(counts[i, j], shares[i, j])}"
            for j, prediction in enumerate(full)
        ]
        for i, truth in enumerate(full)
    ]
    ticks = {
        "tickvals": list(range(len(names))),
        "ticktext": names,
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
    }
    return {
        "data": [*_heat(counts, ",d", hover, shown=True), *_heat(shares, ".1%", hover, shown=False)],
        "layout": {
            "height": max(320, 24 * len(names) + 160),
            "xaxis": {**ticks, "title": {"text": "predicted class", "standoff": 10}, "tickangle": -45},
            "yaxis": {**ticks, "title": {"text": "true class", "standoff": 16}, "autorange": "reversed"},
        },
    }


def calibration(scores: Scores) -> Figure:
    """Accuracy against confidence; the area of a point is its share of the rows."""
    filled = [row for row in scores.calibration if row.count]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "x": [0, 1],
                "y": [0, 1],
                "name": "perfectly calibrated",
                "line": {"color": QUIET, "dash": "dash"},
                "hoverinfo": "skip",
            },
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [row.confidence for row in filled],
                "y": [row.accuracy for row in filled],
                "name": "network",
                "line": {"color": NETWORK, "width": 1},
                "marker": {
                    "color": NETWORK,
                    "size": [6 + 24 * (row.count / scores.rows) ** 0.5 for row in filled],
                    "opacity": 0.8,
                },
                "text": [f"{row.count:,} rows" for row in filled],
                "hovertemplate": "confidence %{x:.3f}<br>accuracy %{y:.3f}<br>%{text}<extra></extra>",
            },
        ],
        "layout": {
            "height": 340,
            "xaxis": {"title": {"text": "confidence"}, "range": [-0.03, 1.05]},
            "yaxis": {"title": {"text": "accuracy"}, "range": [-0.03, 1.08]},
        },
    }


def baselines(report: Report) -> Figure:
    """Accuracy of the network and the baselines with their 95 % intervals, the network on top."""
    rows = [("network", report.test.accuracy, report.test.interval)]
    rows += [(row.name, row.score, row.interval or (0, 1)) for row in report.baselines]
    places = list(range(len(rows)))
    figure: Figure = {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [accuracy for _, accuracy, _ in rows],
                "y": places,
                "width": 0.6,
                "marker": {"color": [NETWORK] + [QUIET] * len(report.baselines)},
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [interval[1] - accuracy for _, accuracy, interval in rows],
                    "arrayminus": [accuracy - interval[0] for _, accuracy, interval in rows],
                    "color": OTHER,
                },
                "hovertext": [
                    f"{label(name, 200)}: {accuracy:.4f} ({interval[0]:.4f} to {interval[1]:.4f})"
                    for name, accuracy, interval in rows
                ],
                "hoverinfo": "text",
            }
        ],
        "layout": {
            "height": 120 + 42 * len(rows),
            "showlegend": False,
            "xaxis": {"title": {"text": "accuracy"}, "range": [0, 1.02]},
            "yaxis": {
                "tickvals": places,
                "ticktext": [label(name, 24) for name, _, _ in rows],
                "autorange": "reversed",
                "automargin": True,
                "showgrid": False,
                "zeroline": False,
            },
        },
    }
    if report.best_possible is not None:
        figure["layout"]["shapes"] = [
            {
                "type": "line",
                "x0": report.best_possible,
                "x1": report.best_possible,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": OTHER, "dash": "dot"},
            }
        ]
    return figure


def label(name: str, longest: int) -> str:
    """A name for a plot: control characters written out, cut to `longest` characters, HTML escaped.

    Quotes stay as they are: they mean nothing to plotly, which would show their entities.
    """
    return escape(shortened(visible(name), longest), quote=False)


def _heat(values: np.ndarray, form: str, hover: list[list[str]], *, shown: bool) -> list[Figure]:
    diagonal = np.eye(len(values), dtype=bool)
    parts = [
        (np.where(diagonal, values, np.nan), NETWORK),
        (np.where(diagonal | (values == 0), np.nan, values), OTHER),
    ]
    return [
        {
            "type": "heatmap",
            "z": _finite(part),
            "zmin": 0,
            # A matrix without mistakes has no largest one; any positive bound does.
            "zmax": max(float(np.nanmax(part, initial=0)), 1e-9),
            "colorscale": [[0, f"{colour}10"], [1, f"{colour}c0"]],
            "showscale": False,
            "xgap": 1,
            "ygap": 1,
            "text": hover,
            "hovertemplate": "%{text}<extra></extra>",
            "texttemplate": f"%{{z:{form}}}" if len(values) <= TEXT_CLASSES else "",
            "visible": shown,
        }
        for part, colour in parts
    ]


def _hover(count: float, share: float) -> str:
    return f"{count:,.0f} rows, {share:.1%} of the true class" if isfinite(share) else "no rows of this class"


def _curves(
    epochs: list[int], training: Sequence[float | None], validation: Sequence[float | None], name: str
) -> Figure:
    lines = [("training", training, NETWORK, "solid"), ("validation", validation, OTHER, "dash")]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": epochs,
                "y": [value if value is not None and isfinite(value) else None for value in values],
                "name": part,
                "line": {"color": colour, "dash": dash},
                "hovertemplate": f"epoch %{{x}}<br>{part} {name} %{{y:.4f}}<extra></extra>",
            }
            for part, values, colour, dash in lines
            if any(value is not None for value in values)
        ],
        "layout": {
            "height": 320,
            "xaxis": {"title": {"text": "epoch"}, "dtick": max(1, len(epochs) // 10)},
            "yaxis": {"title": {"text": name}},
        },
    }


def _finite(values: np.ndarray) -> list[list[float | None]]:
    return [[value if isfinite(value) else None for value in row] for row in values.tolist()]
