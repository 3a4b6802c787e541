"""Afield: train at home, run afield."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from afield.case import Case, Version, load
    from afield.train.compiled.fitting import fit
    from afield.train.compiled.fitting.chunks import Chunks
    from afield.tune import tune
    from afield.tune.builds import Range

# Keras reads it once, when it is imported, which is mostly after this.
os.environ.setdefault("KERAS_BACKEND", "jax")

__version__ = "0.1.0"
__all__ = ["Case", "Chunks", "Range", "Version", "__version__", "fit", "load", "tune"]

_HOMES = {
    "Case": "afield.case",
    "Chunks": "afield.train.compiled.fitting.chunks",
    "Range": "afield.tune.builds",
    "Version": "afield.case",
    "fit": "afield.train.compiled.fitting",
    "load": "afield.case",
    "tune": "afield.tune.builds",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'afield' has no attribute {name!r}")
