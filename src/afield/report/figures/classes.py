"""Plots of a classifier: the confusion of its classes, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np

from afield.report.confusion import confused_classes, normalised
from afield.report.figures.common import NETWORK, OTHER, QUIET, Figure, finite, label
from afield.report.model import Scores

HEAT_CLASSES = 30
"""More classes than this make cells that nobody can read."""
TEXT_CLASSES = 16
"""Up to this many classes, the cells bear their figures."""


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


def _heat(values: np.ndarray, form: str, hover: list[list[str]], *, shown: bool) -> list[Figure]:
    diagonal = np.eye(len(values), dtype=bool)
    parts = [
        (np.where(diagonal, values, np.nan), NETWORK),
        (np.where(diagonal | (values == 0), np.nan, values), OTHER),
    ]
    return [
        {
            "type": "heatmap",
            "z": [finite(row) for row in part.tolist()],
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
