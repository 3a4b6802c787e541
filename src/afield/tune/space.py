"""Dimensions of a search as Optuna knows them: suggested, read back, and as a grid."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from optuna.trial import Trial

from afield.usecase.searches import Dimension

GRID_POINTS = 5
"""Values of a range in a grid, at most."""

Asked = Callable[[Mapping[str, Any]], Sequence[Dimension]]
"""Decisions so far -> the dimensions that stand in the space then; a search inside an alternative stands in it only
where that alternative was taken."""


def suggested(trial: Trial, asked: Asked) -> dict[str, Any]:
    """The decisions of a new trial: name -> number of the alternative, or value in the range."""
    decided: dict[str, Any] = {}
    while True:
        new = next((dimension for dimension in asked(decided) if dimension.name not in decided), None)
        if new is None:
            return decided
        decided[new.name] = _suggested(trial, new)


def decided(stored: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """The decisions of a trial that was asked for before.

    Args:
        stored: name -> value, as Optuna keeps it.
        asked: of the space.
    """
    found: dict[str, Any] = {}
    while True:
        new = next((dimension for dimension in asked(found) if dimension.name not in found), None)
        if new is None:
            return found
        value = stored[new.name]
        found[new.name] = value if new.bounds is not None else labels(new).index(value)


def values(decisions: Mapping[str, Any], dimensions: Sequence[Dimension]) -> dict[str, Any]:
    """Decisions as values for people: an alternative itself, as JSON text where it is no plain value."""
    return {
        one.name: decisions[one.name] if one.bounds is not None else labels(one)[decisions[one.name]]
        for one in dimensions
    }


def labels(dimension: Dimension) -> list[Any]:
    """What stands for each alternative in Optuna's storage, which holds plain values alone."""
    choices = dimension.choices
    plain = all(isinstance(choice, str | int | float | None) for choice in choices)
    # 1, 1.0 and true are one value to Optuna.
    if plain and len(set(choices)) == len(choices):
        return list(choices)
    return [json.dumps(choice) for choice in choices]


def grid(asked: Asked) -> Iterator[dict[str, Any]]:
    """Every combination of the alternatives and of a few values of each range, as Optuna stores them."""
    waiting: list[dict[str, Any]] = [{}]
    while waiting:
        combination = waiting.pop()
        there = asked(combination)
        new = next((dimension for dimension in there if dimension.name not in combination), None)
        if new is None:
            yield values(combination, there)
        else:
            waiting += [combination | {new.name: point} for point in reversed(_points(new))]


def _suggested(trial: Trial, dimension: Dimension) -> Any:
    if dimension.bounds is None:
        known = labels(dimension)
        return known.index(trial.suggest_categorical(dimension.name, known))
    low, high = dimension.bounds
    if dimension.whole:
        return trial.suggest_int(dimension.name, int(low), int(high), log=dimension.log)
    return trial.suggest_float(dimension.name, low, high, log=dimension.log)


def _points(dimension: Dimension) -> list[Any]:
    if dimension.bounds is None:
        return list(range(len(dimension.choices)))
    low, high = dimension.bounds
    count = min(GRID_POINTS, int(high - low) + 1) if dimension.whole else GRID_POINTS
    shares = [place / (count - 1) for place in range(count)]
    if dimension.log:
        points = [low * math.exp(share * math.log(high / low)) for share in shares]
    else:
        points = [low + share * (high - low) for share in shares]
    points = [low, *points[1:-1], high]
    return sorted({round(point) for point in points}) if dimension.whole else points
