"""How long a model takes to answer a row."""

from __future__ import annotations

import time

import numpy as np

from afield.preprocess.base import Features
from afield.preprocess.rows import taken
from afield.runtime.session import Session

TIMED_ROWS = 200
"""Rows that are answered one by one."""


def row_seconds(session: Session, features: Features) -> float:
    """Seconds to answer one row, the median over rows.

    Args:
        session: of the exported model.
        features: N records, of which the first ones are answered; again from the start where they are few.
    """
    rows = len(next(iter(features.values())))
    seconds: list[float] = []
    for row in np.arange(TIMED_ROWS) % rows:
        one = taken(features, np.array([row]))
        started = time.perf_counter()
        session.answer(one)
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))
