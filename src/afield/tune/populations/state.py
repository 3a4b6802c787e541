"""What training changes in a population: a few members at a time, side by side in arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from afield.train.compiled.steps import ModelState


@dataclass(frozen=True)
class Slice:
    """Members that train in one call.

    Args:
        members: their numbers; fewer than there is room for where the slice is the last one.
        state: variables, [K, ...] or the same for all; the room that is left over holds copies of the last member.
    """

    members: tuple[int, ...]
    state: ModelState


@dataclass(frozen=True)
class PopulationState:
    """The members that are left, and all that training has changed in them."""

    slices: tuple[Slice, ...]

    @property
    def members(self) -> tuple[int, ...]:
        """Their numbers, in the order of all results."""
        return tuple(member for part in self.slices for member in part.members)


def sliced(members: Sequence[int], values: ModelState, axes: ModelState, room: int) -> PopulationState:
    """Members laid out in slices.

    Args:
        members: their numbers (M).
        values: variables, [M, ...] or the same for all.
        axes: which of the two, as 0 or None.
        room: members in a slice (K).
    """
    slices: list[Slice] = []
    for start in range(0, len(members), room):
        rows = filled(start, room, len(members))
        state = each(lambda value, axis, rows=rows: jnp.array(value if axis is None else value[rows]), values, axes)
        slices.append(Slice(tuple(members[start : start + room]), state))
    return PopulationState(tuple(slices))


def kept(state: PopulationState, members: Sequence[int], axes: ModelState, room: int) -> PopulationState:
    """Some of the members that are left, laid out anew; as they are where all of them stay."""
    if tuple(members) == state.members:
        return state
    place = {member: row for row, member in enumerate(state.members)}
    rows = [place[member] for member in members]

    def gathered(axis: int | None, *parts: Any) -> np.ndarray:
        if axis is None:
            return np.asarray(parts[0])
        real = [np.asarray(part)[: len(one.members)] for part, one in zip(parts, state.slices, strict=True)]
        return np.concatenate(real)[rows]

    values = each(gathered, axes, *(part.state for part in state.slices))
    return sliced(members, values, axes, room)


def filled(start: int, room: int, members: int) -> np.ndarray:
    """Rows of the members of a slice, int64[K]; the last member's where there is room left over."""
    return np.minimum(np.arange(start, start + room), members - 1)


def each(function: Callable[..., Any], *states: ModelState) -> ModelState:
    """A function of each variable of one or more states."""
    return ModelState(*(tuple(map(function, *kinds)) for kinds in zip(*states, strict=True)))
