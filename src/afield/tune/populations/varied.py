"""What differs between the members of a population, and the layers that read it while a program is traced."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import keras

from afield.tune.populations.draws import uniform


class Settings:
    """The values of one member, by name, while a program is traced; outside of that there are none."""

    def __init__(self) -> None:
        self._now: Mapping[str, Any] = {}

    @contextmanager
    def of(self, values: Mapping[str, Any]) -> Generator[None]:
        """Lets the layers find these values while it is open."""
        self._now = values
        try:
            yield
        finally:
            self._now = {}

    def get(self, name: str) -> Any:
        """The value of that name; None where there is none."""
        return self._now.get(name)


class VariedDropout(keras.layers.Layer):
    """`keras.layers.Dropout` with a rate that the program is given, and with the draws of the same seed.

    A member narrower than its place draws what its own network would draw: each number is that of the element's place
    in the narrow array.

    Args:
        like: the layer in whose place it stands.
        settings: hold `keep/NAME`, float32 (1 - rate), and, where widths vary, `rank/NAME`, int32[W], and
            `length/NAME`, int32, of the last axis.
        key: NAME.
    """

    def __init__(self, like: keras.layers.Dropout, settings: Settings, key: str) -> None:
        super().__init__(name=like.name, dtype=like.dtype_policy)
        self.supports_masking = True
        self.noise_shape = like.noise_shape
        self.seed_generator = keras.random.SeedGenerator(0)
        self._settings = settings
        self._key = key
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        keep = self._settings.get(f"keep/{self._key}")
        if not training or keep is None:
            return inputs
        key = self.seed_generator.next()
        shape = [mine or theirs for mine, theirs in zip(self.noise_shape or inputs.shape, inputs.shape, strict=True)]
        rank = self._settings.get(f"rank/{self._key}")
        if rank is None:
            rank, length = jnp.arange(shape[-1]), shape[-1]
        else:
            length = self._settings.get(f"length/{self._key}")
        outer = jnp.arange(prod(shape[:-1]), dtype=jnp.uint32)[:, None]
        draws = uniform(key, outer * jnp.uint32(length) + rank.astype(jnp.uint32)).reshape(shape)
        # Drawn once: XLA would fuse the draws into each use of them, forward and backward.
        kept = jax.lax.optimization_barrier(jnp.broadcast_to(draws < keep, inputs.shape))
        return jnp.where(kept, inputs / keep.astype(inputs.dtype), jnp.zeros((), inputs.dtype))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class MaskedActivation:
    """An activation that is zero where a member has no unit.

    Args:
        theirs: the activation.
        settings: hold `mask/NAME`, float32[W], 1 where the member has a unit.
        key: NAME.
    """

    def __init__(self, theirs: Callable[[Any], Any], settings: Settings, key: str) -> None:
        self._theirs = theirs
        self._settings = settings
        self._key = key

    def __call__(self, inputs: Any) -> Any:
        outputs = self._theirs(inputs)
        mask = self._settings.get(f"mask/{self._key}")
        return outputs if mask is None else outputs * mask.astype(outputs.dtype)
