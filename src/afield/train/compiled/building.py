"""A model made ready for compiled steps: variables, metrics and optimizer built, programs kept with it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import keras

from afield.train.compiled.placing import gather
from afield.train.compiled.steps import Draw, Steps

_KEPT = "_afield_steps"


def build(model: keras.Model, data: Any, draw: Draw | None = None) -> None:
    """Builds what `model.fit` builds before its first step, from the shapes of a batch; the metrics start anew.

    Args:
        model: compiled.
        data: structure (x, y, weights) as `place` gave it.
        draw: see `Steps`.
    """
    rows = jnp.zeros(2, jnp.int32) if draw is None else jax.eval_shape(draw, jax.random.key(0), 0)
    batch: Any = jax.eval_shape(gather, data, rows)
    # Keras has no public way to build the metrics without a fit.
    model._symbolic_build(data_batch=batch)  # pyright: ignore[reportPrivateUsage]
    model.reset_metrics()


def steps_of(model: keras.Model, draw: Draw | None = None) -> Steps:
    """The model's compiled steps: those of an earlier fit, unless it was compiled or frozen otherwise since."""
    compiled = [
        draw,
        model.optimizer,
        model._compile_loss,  # pyright: ignore[reportPrivateUsage]
        model._compile_metrics,  # pyright: ignore[reportPrivateUsage]
        *model.trainable_variables,
    ]
    kept: tuple[list[Any], Steps] | None = getattr(model, _KEPT, None)
    if kept is None or len(kept[0]) != len(compiled) or any(a is not b for a, b in zip(kept[0], compiled, strict=True)):
        kept = compiled, Steps(model, draw)
        # Past Keras, which would track the attribute as a part of the model.
        object.__setattr__(model, _KEPT, kept)
    return kept[1]
