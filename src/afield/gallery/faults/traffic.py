"""The minute counters of one node: seasonal traffic, its outcomes and times, and what faults make of them.

Attempts are Poisson counts around a rate that follows the day and the week, times noise that lasts for a while and is
partly common to all operations. Outcomes are multinomial. The mean and deviation of the times have the noise that so
many measured operations leave, on top of a load that slows the node down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from afield.gallery.faults.operators import MEASURES, OPERATIONS, OUTCOMES, Operator
from afield.gallery.faults.states import EVERY, FAULTS, Effect, Fault

_VARIATION: Final = 0.6
"""Standard deviation of an operation's time, as a part of its mean, where nothing is wrong."""

_TIMEOUT: Final = OUTCOMES.index("timeout")


@dataclass(frozen=True)
class Episode:
    """A fault while it lasts.

    Args:
        fault: its name.
        start: its first minute.
        strength: of each of its minutes, above 0 and at most 1.
    """

    fault: str
    start: int
    strength: np.ndarray


@dataclass
class _Load:
    """What is asked of the node each minute; arrays [minute, operation] unless said otherwise."""

    rate: np.ndarray
    mix: np.ndarray  # [minute, operation, outcome]
    time: np.ndarray
    spread: np.ndarray
    resent: np.ndarray


def counters(
    operator: Operator, minutes: np.ndarray, episodes: Sequence[Episode], rng: np.random.Generator
) -> np.ndarray:
    """Draws the counters of one node.

    Args:
        operator: whose node it is.
        minutes: int64[minute], counted from a Monday's midnight.
        episodes: the faults; no two at once.
        rng: the random numbers.

    Returns:
        float32[minute, 132].
    """
    load = _normal(operator, minutes, rng)
    for episode in episodes:
        _disturb(load, FAULTS[episode.fault], episode)
    attempts = rng.poisson(load.rate)
    ended = rng.multinomial(attempts, load.mix)
    timeouts = ended[..., _TIMEOUT]
    timed = attempts - timeouts
    measured = np.maximum(timed, 1)
    mean = load.time * (1 + _VARIATION * load.spread / np.sqrt(measured) * rng.standard_normal(timed.shape))
    deviation = _VARIATION * load.spread * load.time * (1 + rng.standard_normal(timed.shape) / np.sqrt(2 * measured))
    columns = {
        "attempts": attempts,
        **{outcome: ended[..., place] for place, outcome in enumerate(OUTCOMES)},
        "resent": rng.poisson(attempts * load.resent + 1.5 * timeouts),
        "open": rng.poisson(attempts * load.time / 60_000 + 0.5 * timeouts),
        "time_mean": np.where(timed > 0, np.maximum(mean, 0.2 * load.time), 0),
        "time_deviation": np.where(timed > 1, np.maximum(deviation, 0), 0),
    }
    return np.stack([columns[measure] for measure in MEASURES], axis=-1).reshape(len(minutes), -1).astype(np.float32)


def _normal(operator: Operator, minutes: np.ndarray, rng: np.random.Generator) -> _Load:
    number, operations = len(minutes), len(OPERATIONS)
    share = rng.uniform(0.7, 1.3)
    profile = operator.profile(minutes) * np.exp(_lasting(number, 1, 0.06, 90, rng)[:, 0])
    rates = np.array(operator.rates) * share * np.exp(0.1 * rng.standard_normal(operations))
    rate = profile[:, None] * rates * np.exp(_lasting(number, operations, 0.05, 20, rng))
    odds = np.log(operator.mix()) + 0.1 * rng.standard_normal((operations, len(OUTCOMES)))
    wander = _lasting(number, operations * len(OUTCOMES), 0.12, 30, rng).reshape(number, operations, -1)
    mix = np.exp(odds + wander)
    busy = np.exp(_lasting(number, 1, 0.05, 30, rng)) * (1 + 0.15 * profile[:, None] ** 2)
    times = np.array(operator.times) * np.exp(0.1 * rng.standard_normal(operations))
    time = times * busy * np.exp(_lasting(number, operations, 0.04, 10, rng))
    return _Load(
        rate, mix / mix.sum(axis=2, keepdims=True), time, np.ones_like(rate), np.full((number, operations), 0.02)
    )


def _disturb(load: _Load, fault: Fault, episode: Episode) -> None:
    """Lets a fault act on the minutes of its episode."""
    span = slice(episode.start, episode.start + len(episode.strength))
    strength = episode.strength[:, None]
    if fault.ceiling is not None:
        total = load.rate[span].sum(axis=1, keepdims=True)
        load.rate[span] *= np.minimum(1, fault.ceiling * total[0] / total) ** strength
    failures = np.array([fault.failures.get(outcome, 0.0) for outcome in OUTCOMES])
    for place, operation in enumerate(OPERATIONS):
        effect = fault.effects.get(operation, fault.effects.get(EVERY, Effect()))
        of = (span, place)
        load.rate[of] *= effect.traffic**episode.strength
        load.mix[of] += (failures - load.mix[of]) * effect.failing * strength
        load.time[of] *= effect.slower**episode.strength
        load.spread[of] *= effect.spread**episode.strength
        load.resent[of] += effect.resent * episode.strength


def _lasting(number: int, series: int, deviation: float, minutes: float, rng: np.random.Generator) -> np.ndarray:
    """Normal noise [minute, series] whose correlation falls to 1/e after so many minutes."""
    keep = np.exp(-1 / minutes)
    noise = rng.standard_normal((number, series)) * deviation
    noise[1:] *= np.sqrt(1 - keep**2)
    # Doubling the reach each round sums the whole recursion x[t] = keep * x[t - 1] + noise[t] in a few operations.
    reach = 1
    while reach < number and keep**reach > 1e-9:
        noise[reach:] += keep**reach * noise[:-reach].copy()
        reach *= 2
    return noise
