"""Which networks train in one program."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import keras

from afield.tune.populations.agreement import Agreement, OpaqueNetworkError, agreement, graph
from afield.tune.populations.widths import layout


@dataclass(frozen=True)
class Group:
    """Networks that share a program.

    Args:
        places: of its networks in what was grouped.
        models: the networks.
    """

    places: tuple[int, ...]
    models: tuple[keras.Model, ...]


def grouped(models: Sequence[keras.Model]) -> list[Group]:
    """Puts networks together that can train in one program, in the order of the first of each group.

    Networks may differ in learning rate, weight decay, dropout rates, weights, seeds, and in widths of layers where the
    narrow ones can be padded with exactly their own numerics. One with a part that is not Keras's own is a group of its
    own.

    Args:
        models: compiled networks.
    """
    agreeing: dict[Hashable, list[int]] = {}
    found: dict[int, Agreement] = {}
    for place, model in enumerate(models):
        try:
            found[place] = agreement(model)
            agreeing.setdefault(found[place].form, []).append(place)
        except OpaqueNetworkError:
            agreeing[place] = [place]
    groups: list[list[int]] = []
    for places in agreeing.values():
        if _pads([models[place] for place in places]):
            groups.append(places)
            continue
        by_width: dict[tuple[int, ...], list[int]] = {}
        for place in places:
            by_width.setdefault(found[place].widths, []).append(place)
        groups.extend(by_width.values())
    return [Group(tuple(places), tuple(models[place] for place in places)) for places in sorted(groups)]


def _pads(models: list[keras.Model]) -> bool:
    """Whether the narrow ones can be padded to the widest."""
    if len(models) == 1:
        return True
    try:
        layout([graph(model) for model in models], models[0].optimizer)
    except OpaqueNetworkError:
        return False
    return True
