"""Simulates a month of the customers of a telephone company, of five kinds that overlap."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from afield.gallery.simulated import Simulated

_PLANS: Final = ("flat", "basic", "prepaid", "machine")
_AMOUNTS: Final = {
    "calls_a_week": 0.5,
    "minutes_a_call": 0.4,
    "messages_a_week": 0.7,
    "gigabytes": 0.7,
    "days_abroad": 0.8,
    "people_called": 0.4,
    "months": 0.6,
}
"""Amounts -> the standard deviation of their logarithm among customers of one kind."""


@dataclass(frozen=True)
class Kind:
    """Customers of one kind.

    Args:
        part: of all customers.
        amounts: medians, as _AMOUNTS.
        night: usual part of the traffic between 22 and 6 o'clock.
        weekend: usual part of the traffic of a weekend.
        plans: probability of each of _PLANS.
    """

    part: float
    amounts: tuple[float, ...]
    night: float
    weekend: float
    plans: tuple[float, ...]


KINDS: Final = {
    "business": Kind(0.2, (70, 4.0, 20, 6, 4.0, 45, 60), 0.05, 0.08, (0.8, 0.2, 0, 0)),
    "student": Kind(0.25, (8, 2.0, 160, 25, 0.8, 15, 14), 0.35, 0.36, (0.4, 0.1, 0.5, 0)),
    "family": Kind(0.3, (28, 5.0, 45, 8, 0.6, 14, 50), 0.10, 0.33, (0.5, 0.4, 0.1, 0)),
    "pensioner": Kind(0.15, (10, 11.0, 3, 0.3, 0.2, 7, 110), 0.03, 0.28, (0.05, 0.65, 0.3, 0)),
    "meter": Kind(0.1, (0.1, 0.3, 28, 0.02, 0.05, 1, 40), 0.33, 0.28, (0, 0.1, 0, 0.9)),
}
"""What the data does not say: which kind of customer each one is."""


def simulate(folder: Path, *, seed: int, customers: int = 4000) -> Simulated:
    """Writes `customers.csv`.

    Args:
        folder: where to; made if it is not there.
        seed: start of the random numbers; the same seed writes the same bytes.
        customers: how many.
    """
    rng = np.random.default_rng(seed)
    names = list(KINDS)
    kinds = rng.choice(len(names), size=customers, p=[kind.part for kind in KINDS.values()])
    medians = np.array([kind.amounts for kind in KINDS.values()])[kinds]
    spread = np.array(list(_AMOUNTS.values()))
    amounts = medians * np.exp(rng.standard_normal(medians.shape) * spread)
    plans = np.array([kind.plans for kind in KINDS.values()])[kinds].cumsum(axis=1)
    plan = (rng.random((customers, 1)) > plans).sum(axis=1).clip(max=len(_PLANS) - 1)
    columns = {
        "customer": np.arange(1, customers + 1),
        "plan": np.array(_PLANS)[plan],
        **{name: np.round(amounts[:, place], 2) for place, name in enumerate(_AMOUNTS)},
        "night": _part([kind.night for kind in KINDS.values()], kinds, rng),
        "weekend": _part([kind.weekend for kind in KINDS.values()], kinds, rng),
        "kind": np.array(names)[kinds],
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "customers.csv"
    pacsv.write_csv(pa.table(columns), file, pacsv.WriteOptions(quoting_style="none"))
    return Simulated(f"{customers:,} simulated customers of {len(names)} kinds", files=(file,))


def _part(usual: list[float], kinds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A part of the traffic around what is usual for each customer's kind."""
    mean = np.array(usual)[kinds]
    return np.round(rng.beta(30 * mean, 30 * (1 - mean)), 3)
