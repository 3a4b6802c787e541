"""What a node counts each minute, and how the traffic of two operators differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

OPERATIONS: Final = (
    "register",
    "reregister",
    "deregister",
    "invite_originating",
    "invite_terminating",
    "update",
    "bye",
    "cancel",
    "subscribe",
    "notify",
    "message",
    "options",
)
"""The SIP operations that pass the node."""

OUTCOMES: Final = ("2xx", "3xx", "4xx", "5xx", "6xx", "timeout")
"""How an operation ends: by the class of its return code, or not at all."""

MEASURES: Final = ("attempts", *OUTCOMES, "resent", "open", "time_mean", "time_deviation")
FEATURES: Final = tuple(f"{operation}_{measure}" for operation in OPERATIONS for measure in MEASURES)
"""The 132 counters of a minute: eleven measures of twelve operations; times in milliseconds."""

MINUTES_A_DAY: Final = 1440


@dataclass(frozen=True)
class Operator:
    """The traffic of one operator.

    Args:
        rates: operations a minute of one node at the daily mean, as OPERATIONS.
        peaks: hours of the daily peaks, and the height of each.
        weekend: traffic of a Saturday or Sunday, as a part of a working day's.
        outcomes: percent of the operations that end as each of OUTCOMES, where nothing is wrong: a row for
            registrations, sessions and the rest.
        times: mean milliseconds of an operation, as OPERATIONS.
    """

    rates: tuple[float, ...]
    peaks: tuple[tuple[float, float], ...]
    weekend: float
    outcomes: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]
    times: tuple[float, ...]

    def profile(self, minutes: np.ndarray) -> np.ndarray:
        """The traffic of each minute, counted from a Monday's midnight, as a multiple of the daily mean."""
        hour = minutes % MINUTES_A_DAY / 60
        around = [height * np.exp(4 * (np.cos((hour - peak) * np.pi / 12) - 1)) for peak, height in self.peaks]
        shape = 0.25 + np.sum(around, axis=0)
        weekend = minutes // MINUTES_A_DAY % 7 >= 5
        return shape / 0.75 * np.where(weekend, self.weekend, 1.0)

    def mix(self) -> np.ndarray:
        """The probability of each outcome: float64[operation, outcome]."""
        rows = np.array([self.outcomes[_ROW[operation]] for operation in OPERATIONS])
        return rows / rows.sum(axis=1, keepdims=True)


_ROW: Final = {
    operation: 0 if "register" in operation else 1 if operation.startswith("invite") else 2 for operation in OPERATIONS
}

OPERATORS: Final = {
    "a": Operator(
        rates=(90, 420, 60, 260, 250, 210, 300, 70, 160, 320, 240, 120),
        peaks=((11.0, 1.0), (19.0, 1.3)),
        weekend=0.8,
        outcomes=((76, 0.4, 22, 0.9, 0.1, 0.6), (71, 1.2, 24, 1.4, 1.6, 0.8), (96, 0.2, 2.6, 0.6, 0.1, 0.5)),
        times=(95, 60, 45, 340, 390, 70, 35, 30, 80, 40, 110, 12),
    ),
    "b": Operator(
        rates=(260, 600, 210, 330, 480, 240, 560, 190, 520, 800, 900, 60),
        peaks=((8.5, 1.4), (16.5, 1.6)),
        weekend=0.45,
        outcomes=((58, 0.8, 39, 1.4, 0.1, 0.7), (64, 2.5, 28, 1.8, 2.7, 1.0), (93, 0.5, 4.6, 1.2, 0.1, 0.6)),
        times=(140, 75, 60, 450, 520, 110, 45, 40, 130, 65, 70, 18),
    ),
}
"""A consumers' operator, and one of business lines: earlier peaks, empty weekends, more messages and challenges."""
