"""Parts of a date: numbers that grow, and places in a cycle."""

from __future__ import annotations

import numpy as np

DAY = 86400.0
"""Seconds of a day."""
PERIODS = {"month": 12.0, "day": 31.0, "weekday": 7.0, "hour": 24.0}
"""Part -> length of its cycle."""


def year(moments: np.ndarray) -> np.ndarray:
    """float64 like the seconds since 1970 that are given: the year, NaN where there is none."""
    found = _whole(moments, "datetime64[Y]") + 1970
    return np.where(np.isnan(moments), np.nan, found)


def place(part: str, moments: np.ndarray) -> np.ndarray:
    """float64 like the seconds since 1970 that are given: the place in the cycle, from 0, NaN where there is none.

    Args:
        part: a key of `PERIODS`; weekdays start on Monday, hours have their minutes as a fraction.
        moments: seconds since 1970.
    """
    if part == "hour":
        return np.mod(moments, DAY) / 3600
    if part == "weekday":
        # The first of January 1970 was a Thursday.
        return np.mod(np.floor(moments / DAY) + 3, 7)
    months = _whole(moments, "datetime64[M]")
    if part == "month":
        return np.where(np.isnan(moments), np.nan, np.mod(months, 12))
    first = months.astype("datetime64[M]").astype("datetime64[s]").astype(np.int64)
    return np.floor((moments - first) / DAY)


def circle(part: str, moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sine and cosine of the place in the cycle, both 0 where there is none."""
    angle = place(part, moments) * (2 * np.pi / PERIODS[part])
    absent = np.isnan(angle)
    return np.where(absent, 0.0, np.sin(angle)), np.where(absent, 0.0, np.cos(angle))


def _whole(moments: np.ndarray, unit: str) -> np.ndarray:
    seconds = np.floor(np.where(np.isnan(moments), 0.0, moments)).astype(np.int64)
    return seconds.astype("datetime64[s]").astype(unit).astype(np.int64)
