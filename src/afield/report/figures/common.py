"""What all plots share: colours, labels, lines and bars."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from math import isfinite
from typing import Any

from afield.report.model import Contender, Histogram
from afield.report.text import figure, shortened, visible, within

Figure = dict[str, Any]

NETWORK = "#3b7dd8"
OTHER = "#e07b39"
QUIET = "#8a8f98"
PALETTE = ("#3b7dd8", "#e07b39", "#2f9e73", "#a05fc4", "#c9a227", "#d1495b", "#3aa5b5", "#7a6a53", "#8fb339", "#5f6caf")
"""Colours of groups, classes and states; beyond them they begin anew."""


def label(name: str, longest: int) -> str:
    """A name for a plot: control characters written out, cut to `longest` characters, HTML escaped.

    Quotes stay as they are: they mean nothing to plotly, which would show their entities.
    """
    return escape(shortened(visible(name), longest), quote=False)


def finite(values: Sequence[float | None]) -> list[float | None]:
    """The values, None for what JSON has no number for: a gap in the plot."""
    return [value if value is not None and isfinite(value) else None for value in values]


def curves(
    epochs: list[int], training: Sequence[float | None], validation: Sequence[float | None], name: str
) -> Figure:
    """A line of the training part and one of the validation part, epoch by epoch."""
    lines = [("training", training, NETWORK, "solid"), ("validation", validation, OTHER, "dash")]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": epochs,
                "y": finite(values),
                "name": part,
                "line": {"color": colour, "dash": dash},
                "hovertemplate": f"epoch %{{x}}<br>{part} {label(name, 40)} %{{y:.4f}}<extra></extra>",
            }
            for part, values, colour, dash in lines
            if any(value is not None for value in values)
        ],
        "layout": {
            "height": 320,
            "xaxis": {"title": {"text": "epoch"}, "dtick": max(1, len(epochs) // 10)},
            "yaxis": {"title": {"text": label(name, 40)}},
        },
    }


def scores(contenders: Sequence[Contender], metric: str, best_possible: float | None = None) -> Figure:
    """The scores of models with their 95 % intervals, the first one on top and in colour."""
    places = list(range(len(contenders)))
    bounds = [row.interval or (row.score, row.score) for row in contenders]
    said = [
        f"{figure(row.score)} ({within(row.interval)})" if row.interval else figure(row.score) for row in contenders
    ]
    top = max([row.score for row in contenders] + [high for _, high in bounds], default=1)
    axis: Figure = {"title": {"text": label(metric, 40)}}
    if all(low >= 0 for low, _ in bounds):
        axis["range"] = [0, 1.02 if top <= 1 else 1.05 * top]
    made: Figure = {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [row.score for row in contenders],
                "y": places,
                "width": 0.6,
                "marker": {"color": [QUIET if place else NETWORK for place in places]},
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [max(high - row.score, 0) for row, (_, high) in zip(contenders, bounds, strict=True)],
                    "arrayminus": [max(row.score - low, 0) for row, (low, _) in zip(contenders, bounds, strict=True)],
                    "color": OTHER,
                },
                "hovertext": [f"{label(row.name, 200)}: {text}" for row, text in zip(contenders, said, strict=True)],
                "hoverinfo": "text",
            }
        ],
        "layout": {
            "height": 120 + 42 * len(contenders),
            "showlegend": False,
            "xaxis": axis,
            "yaxis": {
                "tickvals": places,
                "ticktext": [label(row.name, 24) for row in contenders],
                "autorange": "reversed",
                "automargin": True,
                "showgrid": False,
                "zeroline": False,
            },
        },
    }
    if best_possible is not None:
        made["layout"]["shapes"] = [upright(best_possible)]
    return made


def upright(place: float) -> Figure:
    """A dotted line from bottom to top."""
    ends = {"x0": place, "x1": place, "y0": 0, "y1": 1, "yref": "paper"}
    return {"type": "line", **ends, "line": {"color": OTHER, "dash": "dot"}}


def bars(histogram: Histogram, name: str, colour: str) -> Figure:
    """A histogram as one trace of bars."""
    edges = histogram.edges
    return {
        "type": "bar",
        "x": [(low + high) / 2 for low, high in pairwise(edges)],
        "width": [high - low for low, high in pairwise(edges)],
        "y": histogram.counts,
        "name": name,
        "marker": {"color": colour, "opacity": 0.8},
        "hovertemplate": f"%{{x:.4g}}<br>%{{y:,}} rows<extra>{name}</extra>",
    }
