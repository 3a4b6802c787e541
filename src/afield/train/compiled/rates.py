"""The learning rate among the values of an optimizer's variables."""

from __future__ import annotations

from typing import Any

import jax


def rate_of(optimizer: Any, variables: list[Any], values: Any) -> float:
    """The learning rate that the next step will use.

    Args:
        optimizer: a Keras optimizer.
        variables: its variables, or those of them that have a value.
        values: their values.
    """
    place = _place(variables, "learning_rate")
    if place is not None:
        return float(values[place])
    iteration = _place(variables, "iteration")
    assert iteration is not None
    return float(optimizer._learning_rate(values[iteration]))  # a schedule has no public name


def with_rate(variables: list[Any], values: Any, rate: float) -> tuple[Any, ...]:
    """The values with another learning rate."""
    place = _place(variables, "learning_rate")
    assert place is not None, "a schedule sets its own rate"
    changed = list(values)
    changed[place] = jax.numpy.asarray(rate, changed[place].dtype)
    return tuple(changed)


def _place(variables: list[Any], name: str) -> int | None:
    return next((i for i, v in enumerate(variables) if v.path.endswith("/" + name)), None)
