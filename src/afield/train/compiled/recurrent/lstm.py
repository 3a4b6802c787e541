"""The recurrence of an LSTM, with a gradient that keeps products of weights out of the loop over time."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from afield.train.compiled.recurrent.gates import before, sigmoid, weight_gradient


@jax.custom_vjp
def lstm(projected: Any, h: Any, c: Any, kernel: Any) -> tuple[Any, Any, Any]:
    """Runs an LSTM over inputs that were already multiplied with their weights.

    Args:
        projected: float[T, B, 4H], inputs times the input kernel, plus bias; gates in Keras's order (input, forget,
            cell, output).
        h: float[B, H], state before the first step.
        c: float[B, H], carry before the first step.
        kernel: float[H, 4H], the recurrent kernel.

    Returns:
        The state after each step, float[T, B, H], and the last state and carry, float[B, H] each.

    Source: Hochreiter and Schmidhuber, Long Short-Term Memory, 1997; Gers et al., Learning to Forget, 2000. The weight
    gradient as one product over all steps: Appleyard et al., Optimizing Performance of Recurrent Neural Networks on
    GPUs, 2016.
    """
    return _forward(projected, h, c, kernel)[0]


def _forward(projected: Any, h0: Any, c0: Any, kernel: Any) -> tuple[Any, Any]:
    def step(state: Any, x: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(x + h @ kernel, 4, axis=-1)
        i, f, g, o = sigmoid(i), sigmoid(f), jnp.tanh(g), sigmoid(o)
        c = f * c + i * g
        h = o * jnp.tanh(c)
        # One array a gate: XLA on the CPU cuts a slice of a joint array by a copy.
        return (h, c), (h, c, i, f, g, o)

    (h, c), (outputs, carries, *gates) = lax.scan(step, (h0, c0), projected)
    return (outputs, h, c), (h0, c0, kernel, outputs, carries, gates)


def _backward(kept: Any, cotangents: Any) -> tuple[Any, Any, Any, Any]:
    h0, c0, kernel, outputs, carries, gates = kept
    d_outputs, d_h, d_c = cotangents
    transposed = kernel.T

    def step(state: Any, now: Any) -> Any:
        d_h, d_c = state
        d_output, c, c_before, (i, f, g, o) = now
        d_h = d_h + d_output
        squashed = jnp.tanh(c)
        d_c = d_c + d_h * o * (1 - squashed * squashed)
        d_gates = jnp.concatenate(
            [
                d_c * g * i * (1 - i),
                d_c * c_before * f * (1 - f),
                d_c * i * (1 - g * g),
                d_h * squashed * o * (1 - o),
            ],
            axis=-1,
        )
        return (d_gates @ transposed, d_c * f), d_gates

    steps = (d_outputs, carries, before(c0, carries), gates)
    (d_h, d_c), d_gates = lax.scan(step, (d_h, d_c), steps, reverse=True)
    return d_gates, d_h, d_c, weight_gradient(before(h0, outputs), d_gates)


lstm.defvjp(_forward, _backward)
