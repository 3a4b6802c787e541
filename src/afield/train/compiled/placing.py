"""Examples on the device: whole arrays and windows, of which a step gathers its rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from afield.preprocess.windows import Windows


@partial(jax.tree_util.register_dataclass, data_fields=["values", "starts"], meta_fields=["length"])
@dataclass(frozen=True)
class PlacedWindows:
    """Windows whose rows lie on the device once, however many windows they are part of.

    Args:
        values: [T, ...]; the rows.
        starts: int32[N]; the first row of each example.
        length: rows of an example (L).
    """

    values: Any
    starts: Any
    length: int

    def take(self, rows: Any) -> Any:
        """The examples of the given numbers (int32[B]), written out: [B, L, ...]."""
        starts = _rows(self.starts, rows)
        return _rows(self.values, starts[:, None] + jnp.arange(self.length, dtype=starts.dtype))


def place(data: Any) -> Any:
    """Moves a structure of arrays and windows to the device.

    Numbers with a fraction become Keras's float type, as in `model.fit`; all others keep their type.
    """
    return jax.tree.map(_placed, data, is_leaf=_is_windows)


def gather(data: Any, rows: Any) -> Any:
    """The given rows (int32[B]) of what `place` gave, in the same structure."""
    return jax.tree.map(
        lambda leaf: leaf.take(rows) if isinstance(leaf, PlacedWindows) else _rows(leaf, rows),
        data,
        is_leaf=lambda leaf: isinstance(leaf, PlacedWindows),
    )


def as_fed(array: Any) -> np.ndarray:
    """The array as Keras would feed it: numbers with a fraction in Keras's float type."""
    array = np.asarray(array)
    if array.dtype.kind == "f" and array.dtype.name != keras.config.floatx():
        return array.astype(keras.config.floatx())
    return array


def _placed(leaf: Any) -> Any:
    if isinstance(leaf, Windows):
        return PlacedWindows(jnp.asarray(as_fed(leaf.values)), jnp.asarray(leaf.starts.astype(np.int32)), leaf.length)
    return leaf if isinstance(leaf, jax.Array) else jnp.asarray(as_fed(leaf))


def _is_windows(leaf: Any) -> bool:
    return isinstance(leaf, Windows)


def _rows(array: Any, rows: Any) -> Any:
    # The rows are ours and known to be there; the checks that JAX adds otherwise cost as much as the gather.
    return array.at[rows].get(mode="promise_in_bounds", wrap_negative_indices=False)
