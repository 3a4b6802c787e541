"""A model made ready for compiled steps: variables, metrics and optimizer built, programs kept with it."""

from __future__ import annotations

from typing import Any

import keras

from afield.train.compiled.steps import Draw, Steps

_KEPT = "_afield_steps"


def build(model: keras.Model, batch: Any) -> None:
    """Builds what `model.fit` builds before its first step; the metrics start anew.

    Args:
        model: compiled.
        batch: structure (x, y, weights) of arrays, or of their shapes.
    """
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
