"""Which callbacks look at single batches."""

from __future__ import annotations

from typing import Any

import keras

_AT_EPOCHS = (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore)
"""Callbacks that save at batches only where their `save_freq` is a number of them."""
_ANY_SPAN = (keras.callbacks.ProgbarLogger, keras.callbacks.TerminateOnNaN, keras.callbacks.History)
"""Callbacks of batches that do as well with several at a time."""


def looks_at_batches(callbacks: Any, kind: str) -> bool:
    """Whether a callback needs each batch.

    Args:
        callbacks: a Keras CallbackList.
        kind: "train" or "test".
    """
    return any(_looks(callback, kind) for callback in callbacks.callbacks)


def _looks(callback: Any, kind: str) -> bool:
    if isinstance(callback, _ANY_SPAN):
        return False
    if isinstance(callback, _AT_EPOCHS) and callback.save_freq == "epoch":
        return False
    names = [f"on_{kind}_batch_begin", f"on_{kind}_batch_end"]
    names += ["on_batch_begin", "on_batch_end"] if kind == "train" else []
    # Keras marks the methods of its base class, which do nothing.
    return not all(getattr(getattr(callback, name), "_is_default", False) for name in names)
