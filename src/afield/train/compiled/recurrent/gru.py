"""The recurrence of a GRU, with a gradient that keeps products of weights out of the loop over time."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from afield.train.compiled.recurrent.gates import before, sigmoid, weight_gradient


@jax.custom_vjp
def gru(projected: Any, h: Any, kernel: Any, bias: Any) -> tuple[Any, Any]:
    """Runs a GRU whose reset gate acts after the recurrent product (Keras's `reset_after`, cuDNN's formulation).

    Args:
        projected: float[T, B, 3H], inputs times the input kernel, plus input bias; gates in Keras's order (update,
            reset, candidate).
        h: float[B, H], state before the first step.
        kernel: float[H, 3H], the recurrent kernel.
        bias: float[3H], the recurrent bias.

    Returns:
        The state after each step, float[T, B, H], and the last state, float[B, H].

    Source: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014, with the reset of cuDNN.
    """
    return _forward(projected, h, kernel, bias)[0]


def _forward(projected: Any, h0: Any, kernel: Any, bias: Any) -> tuple[Any, Any]:
    def step(h: Any, x: Any) -> Any:
        x_z, x_r, x_n = jnp.split(x, 3, axis=-1)
        h_z, h_r, h_n = jnp.split(h @ kernel + bias, 3, axis=-1)
        z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
        n = jnp.tanh(x_n + r * h_n)
        h = z * h + (1 - z) * n
        return h, (h, z, r, n, h_n)

    h, (outputs, *gates) = lax.scan(step, h0, projected)
    return (outputs, h), (h0, kernel, outputs, gates)


def _backward(kept: Any, cotangents: Any) -> tuple[Any, Any, Any, Any]:
    h0, kernel, outputs, gates = kept
    d_outputs, d_h = cotangents
    transposed = kernel.T
    states = before(h0, outputs)

    def step(d_h: Any, now: Any) -> Any:
        d_output, h, (z, r, n, h_n) = now
        d_h = d_h + d_output
        d_n = d_h * (1 - z) * (1 - n * n)
        d_z = d_h * (h - n) * z * (1 - z)
        d_r = d_n * h_n * r * (1 - r)
        d_recurrent = jnp.concatenate([d_z, d_r, d_n * r], axis=-1)
        return d_h * z + d_recurrent @ transposed, (d_recurrent, d_n)

    d_h, (d_recurrent, d_n) = lax.scan(step, d_h, (d_outputs, states, gates), reverse=True)
    units = h0.shape[-1]
    d_projected = jnp.concatenate([d_recurrent[..., : 2 * units], d_n], axis=-1)
    return d_projected, d_h, weight_gradient(states, d_recurrent), d_recurrent.sum((0, 1))


gru.defvjp(_forward, _backward)
