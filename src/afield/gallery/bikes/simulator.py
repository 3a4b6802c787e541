"""Simulates the hourly rentals of a bike sharing system with the columns of the UCI set "Bike Sharing"."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from afield.gallery.simulated import Simulated

_FIRST: Final = date(2025, 1, 1)


def simulate(folder: Path, *, seed: int, days: int = 730) -> Simulated:
    """Writes `bike_sharing_hour.csv`.

    Args:
        folder: where to; made if it is not there.
        seed: start of the random numbers; the same seed writes the same bytes.
        days: to simulate, 24 rows each.
    """
    rng = np.random.default_rng(seed)
    dates = [_FIRST + timedelta(days=day) for day in range(days)]
    day, hour = np.repeat(np.arange(days), 24), np.tile(np.arange(24), days)
    month = np.array([one.month for one in dates])[day]
    weekday = np.array([one.isoweekday() % 7 for one in dates])[day]
    holiday = (rng.random(days) < 0.03)[day]
    working = (weekday % 6 != 0) & ~holiday
    warm = 0.5 - 0.27 * np.cos(2 * np.pi * (day - 15) / 365) + rng.normal(0, 0.06, days)[day]
    temperature = np.clip(warm + 0.07 * np.sin(2 * np.pi * (hour - 9) / 24), 0.02, 1)
    sky = rng.choice([1, 2, 3], size=days, p=[0.66, 0.26, 0.08])[day]
    humidity = np.clip(rng.normal(0.5 + 0.12 * (sky - 1), 0.12), 0.1, 1)
    commuters = np.exp(-((hour - 8) ** 2) / 2.5) + 1.2 * np.exp(-((hour - 17.5) ** 2) / 5)
    strollers = np.exp(-((hour - 14) ** 2) / 18)
    weather = np.clip(temperature - 0.05, 0, 0.7) * np.array([1, 0.85, 0.45])[sky - 1] * (1.3 - 0.6 * humidity)
    registered = rng.poisson(weather * (900 * np.where(working, commuters, 0.5 * strollers) + 60 * (hour > 5) + 8))
    casual = rng.poisson(weather * strollers * np.where(working, 90, 320) + 0.3)
    columns = {
        "instant": np.arange(1, len(day) + 1),
        "dteday": pa.array([dates[one] for one in day], pa.date32()),
        "season": month % 12 // 3 + 1,
        "yr": np.array([one.year - _FIRST.year for one in dates])[day],
        "mnth": month,
        "hr": hour,
        "holiday": holiday.astype(int),
        "weekday": weekday,
        "workingday": working.astype(int),
        "weathersit": sky,
        "temp": np.round(temperature, 2),
        "atemp": np.round(np.clip(temperature - 0.02 + rng.normal(0, 0.02, len(day)), 0, 1), 4),
        "hum": np.round(humidity, 2),
        "windspeed": np.round(np.clip(rng.gamma(2.4, 0.08, len(day)), 0, 1), 4),
        "casual": casual,
        "registered": registered,
        "cnt": casual + registered,
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "bike_sharing_hour.csv"
    pacsv.write_csv(pa.table(columns), file, pacsv.WriteOptions(quoting_style="none"))
    return Simulated(f"{days} simulated days of rentals, an hour a row", files=(file,))
