"""Where Keras's LSTM and GRU layers are led to the kernels, while they are traced."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

import jax
import jax.numpy as jnp
import keras
from keras.src import backend as keras_backend  # the layers look their fused kernels up here; no public name leads here

from afield.train.compiled.recurrent.gates import project
from afield.train.compiled.recurrent.gru import gru
from afield.train.compiled.recurrent.lstm import lstm

_TANH = (keras.activations.tanh, keras.ops.tanh, jnp.tanh)
_SIGMOID = (keras.activations.sigmoid, keras.ops.sigmoid)

_lock = threading.Lock()
_users = 0
_keras_own: dict[str, Callable[..., Any]] = {}
_thread = threading.local()


@contextmanager
def fast_recurrence() -> Generator[None]:
    """Traces `keras.layers.LSTM` and `keras.layers.GRU` with Afield's kernels, in this thread, while it is open.

    What the kernels do not cover stays on Keras's own path: masks, `unroll`, `recurrent_dropout`, activations other
    than tanh and sigmoid, `reset_after=False`, `use_cudnn=False`. A float32 LSTM on a GPU takes cuDNN's kernel, by
    Keras's own call of it. Gradients are taken in reverse mode only. A function that JAX has traced before keeps what
    it was traced with.
    """
    global _users
    with _lock:
        if _users == 0:
            _keras_own.update(lstm=keras_backend.lstm, gru=keras_backend.gru)
            keras_backend.lstm, keras_backend.gru = _lstm_layer, _gru_layer
        _users += 1
    _thread.depth = _depth() + 1
    try:
        yield
    finally:
        _thread.depth -= 1
        with _lock:
            _users -= 1
            if _users == 0:
                keras_backend.lstm, keras_backend.gru = _keras_own["lstm"], _keras_own["gru"]


def _depth() -> int:
    return getattr(_thread, "depth", 0)


def _lstm_layer(inputs: Any, h: Any, c: Any, mask: Any, **options: Any) -> Any:
    theirs = _keras_own["lstm"]
    if not _covered(inputs, h, mask, options):
        return theirs(inputs, h, c, mask, **options)
    inputs, options = _forwards(inputs, options)
    if inputs.dtype == jnp.float32 and _platform() == "gpu":
        with suppress(NotImplementedError):
            return theirs(inputs, h, c, mask, **options)
    projected = _projected(inputs, options["kernel"], options["bias"])
    outputs, h, c = lstm(projected, h, c, jnp.asarray(options["recurrent_kernel"]))
    return h, jnp.swapaxes(outputs, 0, 1), [h, c]


def _gru_layer(inputs: Any, h: Any, mask: Any, **options: Any) -> Any:
    if not _covered(inputs, h, mask, options) or not options["reset_after"]:
        return _keras_own["gru"](inputs, h, mask, **options)
    inputs, options = _forwards(inputs, options)
    kernel = jnp.asarray(options["recurrent_kernel"])
    input_bias, recurrent_bias = None, jnp.zeros(kernel.shape[1], kernel.dtype)
    if options["bias"] is not None:
        input_bias, recurrent_bias = jnp.asarray(options["bias"])
    outputs, h = gru(_projected(inputs, options["kernel"], input_bias), h, kernel, recurrent_bias)
    return h, jnp.swapaxes(outputs, 0, 1), [h]


def _covered(inputs: Any, h: Any, mask: Any, options: dict[str, Any]) -> bool:
    dtypes = {jnp.asarray(array).dtype for array in (inputs, h, options["kernel"], options["recurrent_kernel"])}
    return (
        _depth() > 0
        and mask is None
        and not options["unroll"]
        and options["activation"] in _TANH
        and options["recurrent_activation"] in _SIGMOID
        and len(dtypes) == 1
    )


def _forwards(inputs: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Turns the inputs instead of the loop, which gives the outputs in the order in which they were made."""
    if options["go_backwards"]:
        inputs = jnp.flip(inputs, axis=1)
    return inputs, options | {"go_backwards": False}


def _platform() -> str:
    """Where the program will run: the device that was picked, which need not be JAX's first."""
    settings: Any = jax.config
    picked = settings.jax_default_device
    return getattr(picked, "platform", picked) or jax.default_backend()


def _projected(inputs: Any, kernel: Any, bias: Any) -> Any:
    projected = project(jnp.swapaxes(inputs, 0, 1), jnp.asarray(kernel))
    return projected if bias is None else projected + jnp.asarray(bias)
