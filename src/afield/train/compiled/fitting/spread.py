"""Data parallelism: the rows of each batch on all devices, the state on each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import keras
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from afield.train.compiled.runs import Run


def devices() -> list[Any]:
    """The devices of the platform that JAX uses by default."""
    config: Any = jax.config
    chosen = config.jax_default_device
    platform = getattr(chosen, "platform", chosen)
    return jax.devices(platform) if platform else jax.devices()


class Spread:
    """Where arrays lie. Without a mesh all of it stays on the one device.

    Args:
        mesh: the devices, in one row named "batch"; None where there is one, or Keras was told itself.
    """

    def __init__(self, mesh: Mesh | None) -> None:
        self.mesh = mesh
        self._moved: tuple[Any, Any] = None, None

    @classmethod
    def over_devices(cls) -> Spread:
        """Over all devices of the platform that JAX uses by default."""
        found = devices()
        if len(found) == 1 or keras.distribution.distribution() is not None:
            return cls(None)
        return cls(Mesh(np.array(found), ("batch",)))

    def everywhere(self, tree: Any) -> Any:
        """The same on each device."""
        return tree if self.mesh is None else jax.device_put(tree, NamedSharding(self.mesh, PartitionSpec()))

    def here(self, tree: Any) -> Any:
        """What lies on each device, on the first alone, where Keras expects it."""
        return tree if self.mesh is None else jax.tree.map(lambda array: array.addressable_data(0), tree)

    def run(self, run: Run) -> Run:
        """Steps whose rows are divided among the devices; a batch that cannot be divided evenly is on each."""
        if self.mesh is None:
            return run
        if run.data is not self._moved[0]:
            self._moved = run.data, self.everywhere(run.data)
        divided = run.order.shape[1] % self.mesh.size == 0
        spec = PartitionSpec(None, "batch") if divided else PartitionSpec()
        return replace(run, data=self._moved[1], order=jax.device_put(run.order, NamedSharding(self.mesh, spec)))
