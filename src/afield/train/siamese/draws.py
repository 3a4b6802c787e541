"""Draws triplets: on the device, a step at a time, so that a hundred thousand of them are never stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


class States:
    """The rows of each state, to be drawn from.

    A state is as likely as the square root of its rows: the normal one, which has the most rows and the most faces, is
    seen more often than a rare fault, and a rare fault more often than its share.

    Args:
        targets: int32[N]; state of each row.
    """

    def __init__(self, targets: np.ndarray) -> None:
        self.order = np.argsort(targets, kind="stable").astype(np.int32)
        _, first = np.unique(targets[self.order], return_index=True)
        self.first = first.astype(np.int32)
        self.sizes = np.diff(np.append(first, len(targets))).astype(np.int32)

    def triplets(self, batch: int) -> Callable[[Any, Any], Any]:
        """Draws B triplets: (key, step) -> int32[3 B], anchors, then positives, then negatives.

        An anchor's positive is another row of its state (itself, where it is the only one), its negative a row of
        another state. There must be two states.
        """

        def draw(key: Any, _: Any) -> Any:
            keys = jax.random.split(key, 4)
            state = jax.random.categorical(keys[0], self._likely(), shape=(batch,))
            own = jnp.arange(len(self.sizes)) == state[:, None]
            other = jax.random.categorical(keys[1], jnp.where(own, -jnp.inf, self._likely()))
            return jnp.concatenate([*self._pair(keys[2], state), self._one(keys[3], other)])

        return draw

    def pairs(self, batch: int) -> Callable[[Any, Any], Any]:
        """Draws rows to make triplets of: (key, step) -> int32[B], each followed by another one of its state."""

        def draw(key: Any, _: Any) -> Any:
            keys = jax.random.split(key)
            state = jax.random.categorical(keys[0], self._likely(), shape=(-(-batch // 2),))
            return jnp.stack(self._pair(keys[1], state), axis=1).reshape(-1)[:batch]

        return draw

    def common(self, count: int) -> Callable[[Any, Any], Any]:
        """Draws rows of the state that has the most: (key, step) -> int32[count]."""
        most = int(self.sizes.argmax())

        def draw(key: Any, _: Any) -> Any:
            return self._one(key, jnp.full(count, most))

        return draw

    def _likely(self) -> Any:
        """Logarithm of how likely each state is, but for a constant."""
        return 0.5 * jnp.log(jnp.asarray(self.sizes, jnp.float32))

    def _one(self, key: Any, state: Any) -> Any:
        return self._rows(state, _below(key, jnp.asarray(self.sizes)[state]))

    def _pair(self, key: Any, state: Any) -> tuple[Any, Any]:
        keys = jax.random.split(key)
        sizes = jnp.asarray(self.sizes)[state]
        place = _below(keys[0], sizes)
        step = 1 + _below(keys[1], jnp.maximum(sizes - 1, 1))
        return self._rows(state, place), self._rows(state, (place + step) % sizes)

    def _rows(self, state: Any, place: Any) -> Any:
        return jnp.asarray(self.order)[jnp.asarray(self.first)[state] + place]


def both(first: Callable[[Any, Any], Any], second: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The rows of two draws, one after the other."""

    def draw(key: Any, step: Any) -> Any:
        keys = jax.random.split(key)
        return jnp.concatenate([first(keys[0], step), second(keys[1], step)])

    return draw


def _below(key: Any, sizes: Any) -> Any:
    """int32, each from 0 to below its size."""
    drawn = jnp.floor(jax.random.uniform(key, sizes.shape) * sizes).astype(jnp.int32)
    # A float32 just below 1 times a large size may round up to it.
    return jnp.minimum(drawn, sizes - 1)
