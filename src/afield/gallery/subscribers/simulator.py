"""Simulates twelve days of 208 features of each subscriber, of which humans and machines have the same on every day.

Only the rhythm over the days tells a human from a machine, see `rhythm.py`. Its levels become counts: the expected
count of a counter in an hour is its daily rate, times the share of that hour, times exp(0.55 level - 0.15); the ninth
level moves all shares by so many half hours. Counts are drawn by Poisson's law, whoever the subscriber is.

Every subscriber is a human or a machine with the same chance. A part `UNKNOWABLE` of them has no rhythm, so that the
best rule is right on half of them. The rhythms of the others hardly overlap: by their true likelihood, a part `OVERLAP`
is taken for the other. So the best rule is right in

    (1 - UNKNOWABLE) * (1 - OVERLAP) + UNKNOWABLE / 2

of all subscribers. That is an expectation, as for any sample, and knows the levels exactly; the counts show them well
enough that a rule of the counts comes within 0.001 of it.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from afield.gallery.simulated import Simulated
from afield.gallery.subscribers import rhythm
from afield.gallery.subscribers.rhythm import DAYS, FIRST_DAY

SUBSCRIBERS: Final = 9735
"""As many as leave 1,947 when a fifth is held out."""

UNKNOWABLE: Final = 0.08
OVERLAP: Final = 0.00001

RATES: Final = {
    "calls_out": 40,
    "calls_in": 40,
    "texts_out": 60,
    "texts_in": 60,
    "data_sessions": 160,
    "data_megabytes": 400,
    "cell_changes": 90,
    "location_updates": 50,
}
"""Counter -> its mean count a day, where its level is 0."""

_DAY_PARTS: Final = {
    "night_share": (0, 6),
    "morning_share": (6, 12),
    "afternoon_share": (12, 18),
    "evening_share": (18, 24),
}
FEATURES: Final = (
    *(f"{counter}_{hour:02}" for counter in RATES for hour in range(24)),
    *(f"{counter}_busiest_hour" for counter in RATES),
    *_DAY_PARTS,
    "active_hours",
    "busiest_hour",
    "mean_hour",
    "hour_deviation",
)
"""The 208 features of a day: eight counters in 24 hours, the busiest hour of each, and eight figures of the
whole day; the sums are left to be found."""

_AT_ONCE: Final = 1000


def best_accuracy() -> float:
    """The expected accuracy of the best possible classifier, from the distribution the subscribers are drawn from."""
    return (1 - UNKNOWABLE) * (1 - OVERLAP) + UNKNOWABLE / 2


def simulate(folder: Path, *, seed: int, subscribers: int = SUBSCRIBERS) -> Simulated:
    """Writes `subscribers.parquet`, a row a subscriber and day, and beside the folder `FOLDER.json`.

    Args:
        folder: where to; made if it is not there.
        seed: start of the random numbers; the same seed writes the same rows.
        subscribers: how many.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    file = folder / "subscribers.parquet"
    with pq.ParquetWriter(file, _schema(), compression="zstd") as writer:
        for first in range(0, subscribers, _AT_ONCE):
            writer.write_table(_table(first, min(_AT_ONCE, subscribers - first), rng))
    facts = {
        "best_accuracy": best_accuracy(),
        "subscribers": subscribers,
        "seed": seed,
        "unknowable": UNKNOWABLE,
        "overlap": OVERLAP,
    }
    folder.with_name(f"{folder.name}.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    note = (
        f"{DAYS} days of each of {subscribers:,} simulated subscribers; the best possible accuracy is "
        f"{best_accuracy():.4f}, as {UNKNOWABLE:.0%} of them have no rhythm that tells a human from a machine"
    )
    return Simulated(note, best_accuracy(), (file,))


def _schema() -> pa.Schema:
    return pa.schema(
        [
            pa.field("subscriber", pa.int32()),
            pa.field("day", pa.date32()),
            *(pa.field(name, pa.float32()) for name in FEATURES),
            pa.field("label", pa.string()),
        ]
    )


def _table(first: int, number: int, rng: np.random.Generator) -> pa.Table:
    machine = rng.random(number) < 0.5
    levels = rhythm.draw(machine, rng.random(number) >= UNKNOWABLE, rng)
    counts = _counts(levels, rng).reshape(number * DAYS, len(RATES), 24)
    features = _features(counts)
    days = [FIRST_DAY + timedelta(days=day) for day in range(DAYS)]
    columns = [
        pa.array(np.repeat(np.arange(first, first + number, dtype=np.int32), DAYS)),
        pa.array(days * number, pa.date32()),
        *(pa.array(column) for column in features.T),
        pa.array(np.repeat(np.where(machine, "machine", "human"), DAYS).tolist()),
    ]
    return pa.table(columns, schema=_schema())


def _counts(levels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Levels [subscriber, day, channel] to counts [subscriber, day, counter, hour]."""
    counters = len(RATES)
    scale = np.array(list(RATES.values())) * np.exp(0.55 * levels[..., :counters] - 0.15)
    return rng.poisson(scale[..., None] * _shares(0.5 * levels[..., counters])[..., None, :])


def _shares(late: np.ndarray) -> np.ndarray:
    """The share of each hour in a day whose peaks, at noon and in the evening, come so many hours late."""
    angle = 2 * np.pi * (np.arange(24) - late[..., None]) / 24
    height = 0.15 + np.exp(2 * (np.cos(angle - np.pi) - 1)) + 1.3 * np.exp(5 * (np.cos(angle - np.pi * 19.5 / 12) - 1))
    return height / height.sum(axis=-1, keepdims=True)


def _features(counts: np.ndarray) -> np.ndarray:
    """Counts [row, counter, hour] to features float32[row, 208]."""
    hours = np.arange(24)
    total = counts.sum(axis=1)
    share = total / np.maximum(total.sum(axis=1, keepdims=True), 1)
    mean = share @ hours
    figures = [
        *(share[:, start:end].sum(axis=1) for start, end in _DAY_PARTS.values()),
        (total > 0).sum(axis=1),
        total.argmax(axis=1),
        mean,
        np.sqrt(np.maximum(share @ hours**2 - mean**2, 0)),
    ]
    whole = [counts.reshape(len(counts), -1), counts.argmax(axis=2), np.stack(figures, axis=1)]
    return np.concatenate(whole, axis=1).astype(np.float32)
