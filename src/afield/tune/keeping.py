"""A population that was interrupted goes on: its state after an epoch, in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from afield.train.compiled.checkpoint import Checkpoints
from afield.tune.member import Member, Progress
from afield.tune.populations import Population, PopulationState
from afield.tune.populations.state import Slice


class Keeping:
    """Keeps one population.

    Args:
        folder: where; made when needed, removed by `clear`.
        identity: what must be equal for it to go on.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._checkpoints = Checkpoints(folder, identity)

    def write(self, epoch: int, state: PopulationState, progress: Sequence[Progress]) -> None:
        """Starts writing the state after an epoch; returns once it is copied.

        Args:
            epoch: that is over.
            state: of the members that are left.
            progress: of all members.
        """
        best = {place: one.weights for place, one in enumerate(progress) if one.weights is not None}
        facts: dict[str, Any] = {
            "epoch": epoch,
            "left": list(state.members),
            "progress": [vars(one) | {"weights": None} for one in progress],
            "best": list(best),
        }
        # Two files: a population of many members has hundreds of small arrays.
        arrays = {"state": _packed(_leaves(state)), "best": _packed([w for weights in best.values() for w in weights])}
        self._checkpoints.write(epoch, facts, arrays)

    def latest(
        self, population: Population, members: Sequence[Member]
    ) -> tuple[PopulationState, list[Progress], int] | None:
        """The newest state, the progress of all members, and the epoch that was over; None where there is none.

        Args:
            population: of the same members.
            members: the members.
        """
        saved = self._checkpoints.latest()
        if saved is None:
            return None
        state = _filled(population.kept(population.start(), saved.facts["left"]), saved.arrays["state"])
        progress = [Progress(**one) for one in saved.facts["progress"]]
        content = saved.arrays["best"]
        for place in saved.facts["best"]:
            like = members[place].model.get_weights()
            progress[place] = replace(progress[place], weights=_unpacked(content, like))
            content = content[sum(array.nbytes for array in like) :]
        return state, progress, saved.facts["epoch"]

    def flush(self) -> None:
        """Waits for what is being written."""
        self._checkpoints.flush()

    def clear(self) -> None:
        """The population is over."""
        self._checkpoints.clear()


def _filled(state: PopulationState, content: np.ndarray) -> PopulationState:
    leaves = _unpacked(content, _leaves(state))
    slices: list[Slice] = []
    for part in state.slices:
        count = len(jax.tree.leaves(part.state))
        own, leaves = leaves[:count], leaves[count:]
        # Copied into JAX's own memory: the training program takes the state over.
        values = jax.tree.unflatten(jax.tree.structure(part.state), [jax.numpy.array(leaf) for leaf in own])
        slices.append(Slice(part.members, values))
    return PopulationState(tuple(slices))


def _leaves(state: PopulationState) -> list[Any]:
    return [leaf for part in state.slices for leaf in jax.tree.leaves(part.state)]


def _packed(arrays: Sequence[Any]) -> np.ndarray:
    return np.frombuffer(b"".join(np.asarray(array).tobytes() for array in arrays), np.uint8)


def _unpacked(content: np.ndarray, like: Sequence[Any]) -> list[np.ndarray]:
    ends = np.cumsum([array.nbytes for array in like])
    parts = zip(ends, like, strict=True)
    return [content[end - one.nbytes : end].view(one.dtype).reshape(one.shape) for end, one in parts]
