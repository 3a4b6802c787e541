"""Draws triplets: on the device, a step at a time, so that a hundred thousand of them are never stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


class States:
    """The rows of each state.

    Args:
        targets: int32[N]; state of each row. States without two rows are never anchors.
    """

    def __init__(self, targets: np.ndarray) -> None:
        self.order = np.argsort(targets, kind="stable").astype(np.int32)
        names, first = np.unique(targets[self.order], return_index=True)
        self.first = first.astype(np.int32)
        self.sizes = np.diff(np.append(first, len(targets))).astype(np.int32)
        self.count = len(names)

    def triplets(self, batch: int) -> Callable[[Any, Any], Any]:
        """Draws B triplets: (key, step) -> int32[3 B], anchors, then positives, then negatives.

        States are equally likely; an anchor's positive is another row of its state, its negative one of another state.
        """

        def draw(key: Any, _: Any) -> Any:
            keys = jax.random.split(key, 5)
            state = jax.random.randint(keys[0], (batch,), 0, self.count)
            other = (state + jax.random.randint(keys[1], (batch,), 1, max(self.count, 2))) % self.count
            sizes = jnp.asarray(self.sizes)
            anchor = _below(keys[2], sizes[state])
            step = 1 + _below(keys[3], jnp.maximum(sizes[state] - 1, 1))
            positive = (anchor + step) % sizes[state]
            negative = _below(keys[4], sizes[other])
            return jnp.concatenate(
                [self._rows(state, anchor), self._rows(state, positive), self._rows(other, negative)]
            )

        return draw

    def balanced(self, batch: int) -> Callable[[Any, Any], Any]:
        """Draws rows of which each state has as many: (key, step) -> int32[B]."""

        def draw(key: Any, _: Any) -> Any:
            state = jnp.arange(batch, dtype=jnp.int32) % self.count
            return self._rows(state, _below(key, jnp.asarray(self.sizes)[state]))

        return draw

    def _rows(self, state: Any, place: Any) -> Any:
        return jnp.asarray(self.order)[jnp.asarray(self.first)[state] + place]


def _below(key: Any, sizes: Any) -> Any:
    """int32, each from 0 to below its size."""
    drawn = jnp.floor(jax.random.uniform(key, sizes.shape) * sizes).astype(jnp.int32)
    # A float32 just below 1 times a large size may round up to it.
    return jnp.minimum(drawn, sizes - 1)
