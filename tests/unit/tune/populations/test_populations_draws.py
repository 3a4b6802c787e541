"""The draws of a dropout are those of Keras's own, for any key, shape and width."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from afield.tune.populations.draws import uniform

KEYS = st.tuples(*2 * [st.integers(0, 2**32 - 1)])


@settings(max_examples=30)
@given(KEYS, st.sampled_from([(1, 1), (3, 7), (40, 5)]))
def test_draws_are_those_of_jax(key: tuple[int, int], shape: tuple[int, int]) -> None:
    seed = jnp.array(key, jnp.uint32)
    drawn = uniform(seed, jnp.arange(shape[0] * shape[1], dtype=jnp.uint32).reshape(shape))
    np.testing.assert_array_equal(drawn, jax.random.uniform(seed, shape))
