"""What `jax.random.uniform` draws, as plain arithmetic that XLA fuses into what uses it.

On a CPU JAX computes its random bits in a loop of their own, which takes as long as a small network's whole step; and
it numbers them by the shape of the array, where a member of a population needs those of a narrower one.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA


def uniform(key: Any, counts: Any) -> Any:
    """Float32 in [0, 1), as of `jax.random.uniform(key, shape)` at the given places of the flattened array.

    Args:
        key: uint32[2], of the threefry generator.
        counts: uint32 of any shape; the places.

    Source: Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011: Threefry-2x32 with 20 rounds. Counters and
    conversion are JAX's own, with `jax_threefry_partitionable`.
    """
    keys = key[0], key[1], key[0] ^ key[1] ^ jnp.uint32(PARITY)
    first, second = jnp.zeros_like(counts) + keys[0], counts + keys[1]
    for turn in range(5):
        for distance in ROTATIONS[turn % 2]:
            first = first + second
            second = first ^ (second << jnp.uint32(distance) | second >> jnp.uint32(32 - distance))
        first = first + keys[(turn + 1) % 3]
        second = second + keys[(turn + 2) % 3] + jnp.uint32(turn + 1)
    mantissa = (first ^ second) >> jnp.uint32(9) | jnp.uint32(0x3F800000)
    return jax.lax.bitcast_convert_type(mantissa, jnp.float32) - 1.0
