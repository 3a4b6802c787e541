"""Successive halving: which trials go on at which epochs, whatever order they come in."""

from __future__ import annotations

import math
from collections.abc import Mapping

FACTOR = 3
"""Of the trials that reach a rung, one in so many goes on."""


class Halving:
    """The rungs of a search and what was measured at each of them.

    A trial goes on past a rung where it is among the best third of all trials that reached this rung so far, in this
    population or an earlier one. A population is compared as a whole, so that its order means nothing.

    Source: L. Li et al., Hyperband: a novel bandit-based approach to hyperparameter optimization, JMLR 18 (2018), with
    the most eager of its brackets; the comparison across populations is that of L. Li et al., A system for massively
    parallel hyperparameter tuning, MLSys (2020).

    Args:
        epochs: the most that a trial trains.
        higher_is_better: whether more of the measured value is better.
    """

    def __init__(self, epochs: int, higher_is_better: bool) -> None:
        self.rungs = rungs(epochs)
        self._sign = 1.0 if higher_is_better else -1.0
        self._measured: dict[int, dict[int, float]] = {rung: {} for rung in self.rungs}

    def losers(self, epoch: int, values: Mapping[int, float]) -> set[int]:
        """The trials that leave after an epoch.

        Args:
            epoch: just over, from 1.
            values: number of the trial -> what was measured, of all trials that train together.
        """
        if epoch not in self._measured:
            return set()
        for number, value in values.items():
            self.recall(number, epoch, value)
        measured = self._measured[epoch]
        kept = math.ceil(len(measured) / FACTOR)
        edge = sorted(measured.values(), reverse=True)[kept - 1]
        # Of equal values at the edge the first trials go on: a rung lets no more through than its share.
        room = kept - sum(value > edge for value in measured.values())
        tied = sorted(number for number in values if measured[number] == edge)
        return {number for number in values if measured[number] < edge} | set(tied[room:])

    def recall(self, number: int, epoch: int, value: float) -> None:
        """Notes what was measured of a trial; before an interruption, or just now."""
        if epoch in self._measured:
            self._measured[epoch][number] = self._sign * value


class NoHalving:
    """Every trial trains to its last epoch."""

    rungs: tuple[int, ...] = ()

    def losers(self, epoch: int, values: Mapping[int, float]) -> set[int]:
        """None."""
        return set()

    def recall(self, number: int, epoch: int, value: float) -> None:
        """Nothing to note."""


def rungs(epochs: int) -> tuple[int, ...]:
    """The epochs after which trials leave, ascending: of 10 epochs, 1 and 3.

    Args:
        epochs: the most that a trial trains.
    """
    shares = (epochs // FACTOR**power for power in range(1, epochs.bit_length()))
    return tuple(sorted({rung for rung in shares if rung}))
