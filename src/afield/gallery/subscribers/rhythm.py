"""The rhythms over days that tell a human from a machine, and the true likelihood of each.

The level of one channel (a counter, or the hour of the daily peak) on the days t = 1..12 is

    level(t) = own + swing * beat(t) + rest(t)

with `own`, `swing` and `rest(t)` normal, of mean 0 and of the same variances for everyone. Only the beat differs: a
human's is +1 on working days and -1 at the weekend, a machine's is +1 and -1 by turns in a period of its own, which
knows no week. As the swing is as often negative as positive, every day's levels have one and the same normal
distribution for humans and machines, all channels of that day together: a single day says nothing of the class.
A subscriber without a rhythm has noise of the swing's variance in its place, whatever its class is.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np

DAYS: Final = 12
CHANNELS: Final = 9
FIRST_DAY: Final = date(2025, 3, 1)
"""A Saturday, so that the twelve days hold two weekends."""

OWN, SWING, REST = 0.35, 0.45, 0.20
"""Shares of the variance of a channel's level, which is 1."""

ALIKE: Final = 0.6
"""Correlation of the channels of one subscriber: who calls more also sends more."""


def human_beats() -> np.ndarray:
    """The one beat of humans: [1, day]."""
    weekdays = (np.arange(DAYS) + FIRST_DAY.weekday()) % 7
    return np.where(weekdays < 5, 1.0, -1.0)[None]


def machine_beats() -> np.ndarray:
    """The beats of machines, all as likely: [beat, day]; a swing's sign makes a beat and its opposite one."""
    days = np.arange(DAYS)
    beats: list[np.ndarray] = []
    for half in (1, 2, 3):
        beats.extend(np.where((days + shift) // half % 2 == 0, 1.0, -1.0) for shift in range(half))
    return np.stack(beats)


def draw(machine: np.ndarray, rhythmic: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws the levels of subscribers.

    Args:
        machine: which subscribers are machines, bool[subscriber].
        rhythmic: which have a rhythm, bool[subscriber].
        rng: the random numbers.

    Returns:
        float64[subscriber, day, channel], each of mean 0 and variance 1.
    """
    number = len(machine)
    machines = machine_beats()
    beat = np.where(machine[:, None], machines[rng.integers(len(machines), size=number)], human_beats())
    own = _alike((number, 1), rng)
    swing = np.where(rhythmic[:, None, None], _alike((number, 1), rng) * beat[..., None], _alike((number, DAYS), rng))
    return np.sqrt(OWN) * own + np.sqrt(SWING) * swing + np.sqrt(REST) * _alike((number, DAYS), rng)


def log_likelihoods(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The true log likelihood, up to one constant, of each subscriber's levels, were it a human or a machine with a
    rhythm.

    Args:
        levels: float64[subscriber, day, channel].

    Returns:
        (human, machine), each float64[subscriber].
    """
    between = np.full((CHANNELS, CHANNELS), ALIKE) + (1 - ALIKE) * np.eye(CHANNELS)
    white = levels @ np.linalg.inv(np.linalg.cholesky(between)).T
    return _mixture(white, human_beats()), _mixture(white, machine_beats())


def _mixture(white: np.ndarray, beats: np.ndarray) -> np.ndarray:
    each: list[np.ndarray] = []
    for beat in beats:
        covariance = OWN + SWING * np.outer(beat, beat) + REST * np.eye(DAYS)
        squares = np.einsum("ntc,ts,nsc->n", white, np.linalg.inv(covariance), white, optimize=True)
        each.append(-0.5 * squares - 0.5 * CHANNELS * np.linalg.slogdet(covariance).logabsdet)
    return np.logaddexp.reduce(np.stack(each), axis=0) - np.log(len(beats))


def _alike(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Normal numbers [subscriber, day, channel] that agree over the channels as far as ALIKE says."""
    shared = rng.standard_normal((*shape, 1))
    return np.sqrt(ALIKE) * shared + np.sqrt(1 - ALIKE) * rng.standard_normal((*shape, CHANNELS))
