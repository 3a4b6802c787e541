"""Plots of an exploration: simple models side by side, and the learning curve of the best one."""

from __future__ import annotations

from afield.report.figures.common import NETWORK, OTHER, Figure, label, scores
from afield.report.model.exploration import CurvePoint, Exploration


def exploration_figures(found: Exploration) -> dict[str, Figure]:
    """The plots by name; none where no model was tried."""
    if found.signal is None:
        return {}
    best = sorted(found.signal.contenders, key=lambda one: one.score, reverse=True)
    return {
        "scores": scores(best, found.signal.metric),
        "learning": _learning(found.signal.curve, found.signal.metric),
    }


def _learning(curve: list[CurvePoint], metric: str) -> Figure:
    bounds = [point.interval or (point.score, point.score) for point in curve]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [point.rows for point in curve],
                "y": [point.score for point in curve],
                "line": {"color": NETWORK},
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [max(high - point.score, 0) for point, (_, high) in zip(curve, bounds, strict=True)],
                    "arrayminus": [max(point.score - low, 0) for point, (low, _) in zip(curve, bounds, strict=True)],
                    "color": OTHER,
                },
                "hovertemplate": f"%{{x:,}} rows<br>{label(metric, 40)} %{{y:.4f}}<extra></extra>",
            }
        ],
        "layout": {
            "height": 320,
            "showlegend": False,
            "xaxis": {"title": {"text": "rows of training"}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": label(metric, 40)}},
        },
    }
