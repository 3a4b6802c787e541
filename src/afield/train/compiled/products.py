"""Narrow dense layers: a gradient that XLA's CPU backend is slow at, as the same product in another layout.

The gradient of a kernel [M, N] is the product of the transposed inputs [B, M] and the gradient of the outputs [B, N].
Where N is small (the last layer of a classifier), XLA computes it many times slower than the forward product of the
same size. Here its transpose is computed, from the transposed gradient of the outputs, which is small.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
from keras.src import backend as keras_backend  # the layers look their product up here; no public name leads here

WIDEST = 64
"""Units of a layer that counts as narrow."""
SMALLEST = 1 << 15
"""Numbers in the inputs of a product that is worth it; with fewer the products are as good as free."""

_lock = threading.RLock()


@contextmanager
def narrow_products() -> Generator[None]:
    """Traces Keras's layers with `product` in place of `keras.ops.matmul` where that is faster, while it is open."""
    if jax.default_backend() != "cpu":
        yield
        return
    with _lock:
        theirs = keras_backend.numpy.matmul

        def matmul(x1: Any, x2: Any) -> Any:
            if not _narrow(x1, x2):
                return theirs(x1, x2)
            return product(x1, keras_backend.convert_to_tensor(x2))

        keras_backend.numpy.matmul = matmul
        try:
            yield
        finally:
            keras_backend.numpy.matmul = theirs


@jax.custom_vjp
def product(inputs: Any, kernel: Any) -> Any:
    """The product of [B, M] and [M, N], whose gradient is taken in reverse mode only."""
    return jnp.matmul(inputs, kernel)


def _forward(inputs: Any, kernel: Any) -> tuple[Any, Any]:
    return jnp.matmul(inputs, kernel), (inputs, kernel)


def _backward(saved: Any, gradient: Any) -> tuple[Any, Any]:
    inputs, kernel = saved
    # Without the barriers XLA would turn it back into the product that it is slow at.
    turned = jax.lax.optimization_barrier(gradient.T)
    of_kernel = jax.lax.optimization_barrier(jnp.matmul(turned, inputs)).T
    return jnp.matmul(gradient, kernel.T), of_kernel


product.defvjp(_forward, _backward)


def _narrow(inputs: Any, kernel: Any) -> bool:
    if not isinstance(inputs, jax.Array) or inputs.ndim != 2 or len(kernel.shape) != 2:
        return False
    plain = inputs.dtype == jnp.float32 and kernel.dtype == "float32"
    return plain and kernel.shape[1] <= WIDEST and inputs.size >= SMALLEST
