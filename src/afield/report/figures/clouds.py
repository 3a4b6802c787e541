"""Plots of rows as points: groups in a plane or in space, and an embedding that plays through the epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from afield.report.figures.common import PALETTE, QUIET, Figure, label
from afield.report.model import Embedding, Picture

NO_GROUP = "no group"
INSTANT = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
EYE = {"x": 1.15, "y": 1.15, "z": 0.7}
"""Nearer than plotly stands by itself: the points fill the picture."""
PLAY = {
    "mode": "immediate",
    "fromcurrent": True,
    "frame": {"duration": 350, "redraw": True},
    "transition": {"duration": 0},
}


def groups(picture: Picture) -> Figure:
    """The rows in the colour of their group."""
    space = bool(picture.points) and len(picture.points[0]) == 3
    traces: list[Figure] = []
    for number, name in enumerate(picture.names):
        inside = [row for row, member in enumerate(picture.members) if member == number]
        colour = QUIET if name == NO_GROUP else PALETTE[number % len(PALETTE)]
        trace = _points([picture.points[row] for row in inside], name, colour, 3 if space else 6)
        if picture.texts:
            trace["text"] = [label(picture.texts[row], 80) for row in inside]
            trace["hovertemplate"] = f"{label(name, 40)}<br>%{{text}}<extra></extra>"
        traces.append(trace)
    layout: Figure = {"height": 560, "legend": {"itemsizing": "constant"}}
    if space:
        return {"data": traces, "layout": layout | {"scene": _scene([])}}
    axis = {"zeroline": False, "showticklabels": False}
    return {"data": traces, "layout": layout | {"xaxis": axis, "yaxis": axis}}


def embedding(found: Embedding) -> Figure:
    """The vectors in space, with a slider over the epochs and a button that plays them."""
    last = found.frames[-1]
    rows = [[row for row, member in enumerate(found.members) if member == number] for number in range(len(found.names))]
    steps = [
        {"label": str(frame.epoch), "method": "animate", "args": [[str(frame.epoch)], INSTANT]}
        for frame in found.frames
    ]
    buttons = [
        {"label": "Play", "method": "animate", "args": [None, PLAY]},
        {"label": "Stop", "method": "animate", "args": [[None], INSTANT]},
    ]
    return {
        "data": [
            _points([last.points[row] for row in inside], name, PALETTE[number % len(PALETTE)], 4)
            for number, (name, inside) in enumerate(zip(found.names, rows, strict=True))
        ],
        "layout": {
            "height": 660,
            "legend": {"itemsizing": "constant"},
            "margin": {"l": 10, "r": 10, "t": 12, "b": 110},
            # The axes stand still while the points move.
            "scene": _scene([point for frame in found.frames for point in frame.points]),
            "sliders": [
                {
                    "active": len(steps) - 1,
                    "currentvalue": {"prefix": "epoch "},
                    "x": 0.16,
                    "len": 0.82,
                    "y": 0,
                    "pad": {"t": 20},
                    "steps": steps,
                }
            ],
            "updatemenus": [
                {
                    "type": "buttons",
                    "direction": "left",
                    "showactive": False,
                    "x": 0,
                    "xanchor": "left",
                    "y": 0,
                    "yanchor": "top",
                    "pad": {"t": 30},
                    "buttons": buttons,
                }
            ],
        },
        "frames": [
            {
                "name": str(frame.epoch),
                "traces": list(range(len(found.names))),
                "data": [
                    {"type": "scatter3d", **_coordinates([frame.points[row] for row in inside])} for inside in rows
                ],
            }
            for frame in found.frames
        ],
    }


def _points(points: Sequence[Sequence[float]], name: str, colour: str, size: int) -> Figure:
    coordinates = _coordinates(points)
    return {
        "type": "scatter3d" if "z" in coordinates else "scatter",
        "mode": "markers",
        **coordinates,
        "name": label(name, 30),
        "marker": {"color": colour, "size": size, "opacity": 0.75},
        "hovertemplate": f"{label(name, 40)}<extra></extra>",
    }


def _coordinates(points: Sequence[Sequence[float]]) -> Figure:
    x, y = [point[0] for point in points], [point[1] for point in points]
    if points and len(points[0]) == 2:
        return {"x": x, "y": y}
    return {"x": x, "y": y, "z": [point[2] for point in points]}


def _scene(points: Sequence[Sequence[float]]) -> dict[str, Any]:
    axes: dict[str, Any] = {"aspectmode": "cube", "dragmode": "orbit", "camera": {"eye": EYE}}
    for place, axis in enumerate(("xaxis", "yaxis", "zaxis")):
        axes[axis] = {"title": {"text": ""}, "showticklabels": False, "showspikes": False}
        if points:
            low, high = (side(point[place] for point in points) for side in (min, max))
            room = 0.05 * (high - low) or 1.0
            axes[axis]["range"] = [low - room, high + room]
    return axes
