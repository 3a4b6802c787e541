"""The rhythms over days that tell a human from a machine, and the true likelihood of each.

The level of one channel (a counter, or how late the daily peaks come) on the days t = 1..12 is

    level(t) = own + sign * swing * beat(t) + rest(t)

with `own` and `rest(t)` normal, of mean 0 and of the same variances for everyone, drawn for each channel alone, and one
`sign` a subscriber, +1 or -1 with the same chance. Only the beat differs: a human's is +1 on working days and -1 at the
weekend, a machine's is +1 and -1 by turns in a period of its own that knows no week. Because of the sign, the levels of
a day, all channels together, have one and the same distribution for humans and machines: a single day says nothing of
the class, whatever is computed from it. A subscriber without a rhythm has a sign drawn anew each day, whatever its
class is.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np

DAYS: Final = 12
CHANNELS: Final = 9
FIRST_DAY: Final = date(2025, 3, 1)
"""A Saturday, so that the twelve days hold two weekends."""

OWN, SWING, REST = 0.40, 0.30, 0.30
"""Shares of the variance of a channel's level, which is 1."""


def human_beats() -> np.ndarray:
    """The one beat of humans: [1, day]."""
    weekdays = (np.arange(DAYS) + FIRST_DAY.weekday()) % 7
    return np.where(weekdays < 5, 1.0, -1.0)[None]


def machine_beats() -> np.ndarray:
    """The beats of machines, all as likely: [beat, day]; a beat's opposite is the same beat with the other sign."""
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
    sign = np.where(rhythmic[:, None], rng.choice([-1.0, 1.0], size=(number, 1)) * beat, 0)
    coins = rng.choice([-1.0, 1.0], size=(number, DAYS))
    swing = np.where(rhythmic[:, None], sign, coins)[..., None]
    own = rng.standard_normal((number, 1, CHANNELS))
    rest = rng.standard_normal((number, DAYS, CHANNELS))
    return np.sqrt(OWN) * own + np.sqrt(SWING) * swing + np.sqrt(REST) * rest


def log_likelihoods(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The true log likelihood of each subscriber's levels, were it a human or a machine with a rhythm.

    Args:
        levels: float64[subscriber, day, channel].

    Returns:
        (human, machine), each float64[subscriber], up to one constant.
    """
    return _mixture(levels, human_beats()), _mixture(levels, machine_beats())


def _mixture(levels: np.ndarray, beats: np.ndarray) -> np.ndarray:
    # In white co-ordinates of the days, |level - beat|^2 of all channels and beats is one matrix product.
    whiten = np.linalg.inv(np.linalg.cholesky(OWN + REST * np.eye(DAYS)))
    white = np.einsum("st,ntc->nsc", whiten, levels, optimize=True)
    means = np.sqrt(SWING) * np.concatenate([beats, -beats]) @ whiten.T
    squares = (white**2).sum(axis=(1, 2))[:, None] - 2 * white.sum(axis=2) @ means.T
    squares += CHANNELS * (means**2).sum(axis=1)
    return np.logaddexp.reduce(-0.5 * squares, axis=1) - np.log(len(means))
