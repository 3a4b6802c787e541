"""What a node does: trains the trials of a part, and asks and tells the relay."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray

from afield.train.backend import prepare
from afield.train.dataset import Dataset
from afield.usecase.model import UseCase


class _Given:
    """The one dataset of a part."""

    def __init__(self, data: Dataset) -> None:
        self._data = data

    def of(self, case: UseCase) -> Dataset:
        return self._data


class _Asking:
    """The search's referee, far away."""

    def __init__(self, relay: Any, part: int, rungs: Sequence[int]) -> None:
        self._relay = relay
        self._part = part
        self.rungs = tuple(rungs)

    def leave(self, epoch: int, values: Mapping[int, float]) -> set[int]:
        if epoch not in self.rungs:
            return set()
        return ray.get(self._relay.leave.remote(self._part, epoch, dict(values)))

    @property
    def over(self) -> bool:
        return ray.get(self._relay.over.remote())


def train(
    relay: Any,
    part: int,
    trials: Sequence[Any],
    data: Dataset,
    rungs: Sequence[int],
    folder: Path,
    identity: str,
    device: str,
) -> None:
    """Trains the trials of a part; what becomes of them is told to the relay.

    Args:
        relay: the actor.
        part: name of the part.
        trials: of the part.
        data: their dataset.
        rungs: epochs after which trials may leave.
        folder: of the search: interrupted trainings go on from there, where this node sees it too.
        identity: names the search.
        device: as in the use case.
    """
    prepare(device, side_by_side=True)
    from afield.tune.alone import Alone  # imported once the backend is prepared
    from afield.tune.together import Together

    ended = ray.get(relay.ended.remote())
    with _place(folder) as here:
        runner = Together(_Given(data), here, identity, Alone(_Given(data), here, workers=0))
        for outcome in runner.run(trials, _Asking(relay, part, rungs), ended):
            ray.get(relay.tell.remote(outcome))


@contextmanager
def _place(folder: Path) -> Generator[Path]:
    """The folder of the search, or one that goes with the task where the node does not see it."""
    if folder.is_dir():
        yield folder
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)
