"""Training that was interrupted goes on: the state after an epoch in a folder, written in the background."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Checkpoint:
    """What a training needs to go on.

    Args:
        facts: JSON values: history, patience, learning rate.
        arrays: named arrays.
    """

    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]


class Checkpoints:
    """The latest checkpoint of one training, found again only by the same training.

    A checkpoint is a folder of .npy files; it counts once its `facts.json` stands, which is written last. One is
    written at a time: an epoch that ends while the last one is still being written is passed over.

    Args:
        folder: where; made when needed, removed by `clear`.
        identity: what must be equal for a training to go on: use case, data, versions.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._folder = folder
        self._identity = identity
        self._writer = ThreadPoolExecutor(1, "checkpoint")
        self._pending: Future[None] | None = None
        self.trouble: str | None = None

    def latest(self) -> Checkpoint | None:
        """The newest whole checkpoint of the same training."""
        for folder in sorted(self._folder.glob("epoch-*"), reverse=True):
            try:
                facts = json.loads((folder / "facts.json").read_text())
                if facts.pop("identity") != self._identity:
                    return None
                names = facts.pop("arrays")
                return Checkpoint(facts, {n: np.load(folder / f"{i}.npy") for i, n in enumerate(names)})
            except (OSError, ValueError, KeyError):
                continue  # half-written: an older one may be whole
        return None

    def write(self, epoch: int, facts: dict[str, Any], arrays: dict[str, Any]) -> None:
        """Starts writing a checkpoint; returns once the arrays are copied."""
        if self._pending and not self._pending.done():
            return
        copies = {name: np.array(array) for name, array in arrays.items()}
        self._pending = self._writer.submit(self._write, epoch, facts, copies)

    def flush(self) -> None:
        """Waits for the checkpoint being written."""
        if self._pending:
            self._pending.result()

    def forget(self) -> None:
        """Removes every checkpoint."""
        self.flush()
        shutil.rmtree(self._folder, ignore_errors=True)

    def clear(self) -> None:
        """The training is over."""
        self.forget()
        self._writer.shutdown()

    def _write(self, epoch: int, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        target = self._folder / f"epoch-{epoch:05d}"
        try:
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            for i, array in enumerate(arrays.values()):
                np.save(target / f"{i}.npy", array)
            text = json.dumps(facts | {"identity": self._identity, "arrays": list(arrays)})
            (target / "facts.part").write_text(text)
            (target / "facts.part").rename(target / "facts.json")
        except OSError as full:
            # A training that cannot be resumed is still worth finishing.
            self.trouble = f"{self._folder}: no checkpoint could be written ({full.strerror}); training goes on"
            shutil.rmtree(target, ignore_errors=True)
            return
        for older in self._folder.glob("epoch-*"):
            if older.name < target.name:
                shutil.rmtree(older, ignore_errors=True)
