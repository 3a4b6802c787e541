"""What the loop over epochs asks of whatever trains an epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

Told = Callable[[int], None]
"""Is told how many more records have been trained on."""


class Engine(Protocol):
    """Trains epochs of one network. A state is a structure of arrays; what is in it is the engine's own matter."""

    @property
    def rows(self) -> int:
        """Records in an epoch."""
        ...

    def start(self) -> Any:
        """The state before the first epoch."""
        ...

    def epoch(self, state: Any, number: int, told: Told) -> tuple[Any, dict[str, float]]:
        """Trains one epoch, the first is 1; the given state must not be used afterwards.

        Returns:
            The new state, and `loss` and the metrics on the training part.
        """
        ...

    def validate(self, state: Any) -> dict[str, float]:
        """`loss` and the metrics on the validation part; nothing where it has no records."""
        ...

    def learning_rate(self, state: Any) -> float:
        """The rate that the next step will use."""
        ...

    def set_learning_rate(self, state: Any, value: float) -> Any:
        """The state with another learning rate."""
        ...

    def weights(self, state: Any) -> list[np.ndarray]:
        """Trained weights in the order of the network's layers."""
        ...

    def predict(self, state: Any, features: Any) -> np.ndarray:
        """What the network answers to records of the same kind: [N, ...]."""
        ...
