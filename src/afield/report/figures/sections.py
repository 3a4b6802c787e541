"""Plots of ranked rows, of predicted values and of scores of abnormality."""

from __future__ import annotations

from afield.report.figures.common import NETWORK, OTHER, QUIET, Figure, bars, finite, label, upright
from afield.report.model import Abnormal, Curve, Regression, Tags

SHARE_RANGE = [-0.03, 1.03]


def roc(curve: Curve, auc: float) -> Figure:
    """The ROC curve beside the line of guessing."""
    guessing: Figure = {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 1],
        "y": [0, 1],
        "name": "guessing",
        "line": {"color": QUIET, "dash": "dash"},
        "hoverinfo": "skip",
    }
    hover = "cut %{text}<br>false alarms %{x:.3f}<br>found %{y:.3f}<extra></extra>"
    return {
        "data": [guessing, _line(curve, f"AUC {auc:.4f}", hover)],
        "layout": {
            "height": 360,
            "xaxis": {"title": {"text": "share of negative rows taken for positive"}, "range": SHARE_RANGE},
            "yaxis": {"title": {"text": "share of positive rows found"}, "range": SHARE_RANGE},
        },
    }


def precision_recall(curve: Curve, average: float, share: float, at: tuple[float, float]) -> Figure:
    """The precision-recall curve, the share of positive rows that guessing reaches, and the chosen cut.

    Args:
        curve: recall against precision.
        average: average precision.
        share: of positive rows.
        at: recall and precision at the cut.
    """
    guessing: Figure = {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 1],
        "y": [share, share],
        "name": "guessing",
        "line": {"color": QUIET, "dash": "dash"},
        "hoverinfo": "skip",
    }
    chosen: Figure = {
        "type": "scatter",
        "mode": "markers",
        "x": [at[0]],
        "y": [at[1]],
        "name": "the chosen cut",
        "marker": {"color": OTHER, "size": 11},
        "hovertemplate": "the chosen cut<br>recall %{x:.3f}<br>precision %{y:.3f}<extra></extra>",
    }
    hover = "cut %{text}<br>recall %{x:.3f}<br>precision %{y:.3f}<extra></extra>"
    return {
        "data": [guessing, _line(curve, f"average precision {average:.4f}", hover), chosen],
        "layout": {
            "height": 360,
            "xaxis": {"title": {"text": "recall"}, "range": SHARE_RANGE},
            "yaxis": {"title": {"text": "precision"}, "range": SHARE_RANGE},
        },
    }


def tag_scores(tags: Tags) -> Figure:
    """Precision, recall and F1 of each tag, the first on top."""
    places = list(range(len(tags.per_tag)))
    columns = (("precision", NETWORK), ("recall", OTHER), ("f1", QUIET))
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [getattr(tag, column) for tag in tags.per_tag],
                "y": places,
                "name": "F1" if column == "f1" else column,
                "marker": {"color": colour},
                "hovertext": [f"{label(tag.name, 200)}: {getattr(tag, column):.4f}" for tag in tags.per_tag],
                "hoverinfo": "text",
            }
            for column, colour in columns
        ],
        "layout": {
            "height": 120 + 52 * len(places),
            "xaxis": {"range": [0, 1.02]},
            "yaxis": {
                "tickvals": places,
                "ticktext": [label(tag.name, 24) for tag in tags.per_tag],
                "autorange": "reversed",
                "automargin": True,
                "showgrid": False,
                "zeroline": False,
            },
        },
    }


def predicted(found: Regression) -> Figure:
    """Predicted against true values beside the line of perfect answers."""
    truth = [point[0] for point in found.points]
    both = [value for point in found.points for value in point]
    ends = [min(both, default=0), max(both, default=1)]
    return {
        "data": [
            _cloud(truth, [point[1] for point in found.points], "true %{x:.4g}<br>predicted %{y:.4g}"),
            {
                "type": "scatter",
                "mode": "lines",
                "x": ends,
                "y": ends,
                "line": {"color": QUIET, "dash": "dash"},
                "hoverinfo": "skip",
            },
        ],
        "layout": {
            "height": 400,
            "showlegend": False,
            "xaxis": {"title": {"text": _with_unit("true value", found)}},
            "yaxis": {"title": {"text": _with_unit("predicted value", found)}},
        },
    }


def residuals(found: Regression) -> Figure:
    """Errors against predicted values: a pattern in them is something left to learn."""
    errors = [predicted - truth for truth, predicted in found.points]
    return {
        "data": [_cloud([point[1] for point in found.points], errors, "predicted %{x:.4g}<br>error %{y:.4g}")],
        "layout": {
            "height": 400,
            "showlegend": False,
            "xaxis": {"title": {"text": _with_unit("predicted value", found)}},
            "yaxis": {"title": {"text": _with_unit("predicted minus true", found)}, "zeroline": True},
        },
    }


def residual_histogram(found: Regression) -> Figure:
    """How often an error has which size."""
    return {
        "data": [bars(found.residuals, "all test rows", NETWORK)],
        "layout": {
            "height": 320,
            "showlegend": False,
            "xaxis": {"title": {"text": _with_unit("predicted minus true", found)}},
            "yaxis": {"title": {"text": "rows"}},
            "shapes": [upright(0)],
        },
    }


def score_histogram(found: Abnormal) -> Figure:
    """How often a row has which score, and the cut."""
    traces = [bars(found.histogram, "normal" if found.known else "all test rows", NETWORK)]
    if found.known is not None:
        traces.append(bars(found.known.histogram, "labelled abnormal", OTHER))
    return {
        "data": traces,
        "layout": {
            "height": 340,
            "barmode": "stack",
            "showlegend": found.known is not None,
            "xaxis": {"title": {"text": "score"}},
            # Rows labelled abnormal are few: they would not be seen beside the others on an even scale.
            "yaxis": {"title": {"text": "rows"}, "type": "log", "dtick": 1},
            "shapes": [upright(found.cut)],
        },
    }


def ranked(found: Abnormal) -> Figure:
    """Precision and recall among the k highest scores."""
    at = found.known.at if found.known else []
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [row.k for row in at],
                "y": values,
                "name": name,
                "line": {"color": colour},
                "hovertemplate": f"the %{{x:,}} highest scores<br>{name} %{{y:.4f}}<extra></extra>",
            }
            for name, values, colour in (
                ("precision", [row.precision for row in at], NETWORK),
                ("recall", [row.recall for row in at], OTHER),
            )
        ],
        "layout": {
            "height": 340,
            "xaxis": {"title": {"text": "rows looked at, the highest scores first"}, "type": "log", "dtick": 1},
            "yaxis": {"range": SHARE_RANGE},
        },
    }


def _line(curve: Curve, name: str, hover: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": curve.x,
        "y": curve.y,
        "name": name,
        "line": {"color": NETWORK},
        "text": ["none" if cut is None else f"{cut:.4g}" for cut in finite(curve.cuts)],
        "hovertemplate": hover,
    }


def _cloud(x: list[float], y: list[float], hover: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "marker": {"color": NETWORK, "size": 5, "opacity": 0.45},
        "hovertemplate": f"{hover}<extra></extra>",
    }


def _with_unit(name: str, found: Regression) -> str:
    return f"{name}: {label(found.target, 40)}{f', {label(found.unit, 20)}' if found.unit else ''}"
