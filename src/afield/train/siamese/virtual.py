"""Virtual states: records of the most frequent state in which something is made to happen, learned as states too.

A network that only ever tells a few states apart learns what these few differ in, and is blind to the next one. With
states that are new in each step it learns to keep whatever is unusual, so that a state can be taught to it afterwards.
"""

from __future__ import annotations

from math import log
from typing import Any

import keras
from keras import ops as _ops

# Keras's own annotations say that its operations may give None.
ops: Any = _ops

EACH = 3
"""Records of a virtual state in a step."""
FEATURES = (0.03, 0.3)
"""Share of the features that a virtual state moves, from and to, the logarithm drawn evenly."""
SIZE = (0.5, 4.0)
"""Standard deviation of by how much it moves them, in the unit of the features, from and to, the logarithm drawn
evenly: a network that knows only loud states is deaf to the quiet ones."""
LASTING = (1 / 6, 2.0)
"""How long it lasts, in lengths of a window, from and to, the logarithm drawn evenly."""
STRENGTH = (0.6, 1.0)
"""How strong it is in one record."""
SLOPE = 0.1
"""Longest time of its rise and of its fall, in lengths of a window."""
MARK = 1 << 20
"""Number of the first virtual state, above those of all known ones."""


class Virtual(keras.layers.Layer):
    """Makes virtual states of the last records of a training batch; anything else passes as it is.

    A virtual state moves some features by some amounts. In a window it does so for a while, of which at least one row
    lies in the window; a record without rows is moved as a whole.

    Args:
        real: records at the head of a training batch that stay as they are.
        states: virtual states, of `EACH` records each, at its end.
        seed: of the draw.
    """

    def __init__(self, real: int, states: int, seed: int) -> None:
        super().__init__(name="virtual")
        self.real = real
        self.states = states
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, records: Any, training: bool = False) -> Any:
        if not training or records.shape[0] != self.real + EACH * self.states:
            return records
        kept, moved = records[: self.real], records[self.real :]
        direction = ops.repeat(self._directions(records.shape[-1]), EACH, axis=0)
        if len(records.shape) == 2:
            strength = self._uniform((len(moved), 1), *STRENGTH)
            return ops.concatenate([kept, moved + strength * direction])
        course = self._courses(len(moved), records.shape[1])
        return ops.concatenate([kept, moved + course[:, :, None] * direction[:, None, :]])

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def _directions(self, features: int) -> Any:
        """float[states, features]: what each virtual state does."""
        share = ops.exp(self._uniform((self.states, 1), *map(log, FEATURES)))
        chosen = ops.cast(self._uniform((self.states, features), 0, 1) < share, "float32")
        size = ops.exp(self._uniform((self.states, 1), *map(log, SIZE)))
        return chosen * size * keras.random.normal((self.states, features), seed=self.generator)

    def _courses(self, records: int, length: int) -> Any:
        """float[records, length]: how strong it is in each row: it rises, holds and falls."""
        lasts = ops.exp(self._uniform((records, 1), *map(log, LASTING))) * length
        begin = self._uniform((records, 1), 0, 1) * (length + lasts - 1) - (lasts - 1)
        rise, fall = (1 + self._uniform((records, 1), 0, SLOPE * length) for _ in range(2))
        row = ops.arange(length, dtype="float32")[None, :]
        course = ops.minimum((row - begin + 1) / rise, (begin + lasts - row) / fall)
        return ops.clip(course, 0, 1) * self._uniform((records, 1), *STRENGTH)

    def _uniform(self, shape: tuple[int, ...], low: float, high: float) -> Any:
        return keras.random.uniform(shape, low, high, seed=self.generator)


def numbered(states: Any, real: int, count: int) -> Any:
    """The state of each record of a batch; of a training batch, the last ones are of virtual states.

    Args:
        states: [B]; the known state of each record.
        real: as in `Virtual`.
        count: virtual states.
    """
    if len(states) != real + EACH * count:
        return states
    made = ops.repeat(MARK + ops.arange(count), EACH)
    return ops.concatenate([states[:real], ops.cast(made, states.dtype)])
