"""The kernels of windows: which row goes on which run, and what a window is called by its rows' answers."""

from __future__ import annotations

import numpy as np
from numba import types

from afield.kernels import kernel

LATE = -1
"""Place of a row that is older than the one before it."""
UNDATED = -2
"""Place of a row without a time."""

_CODES = types.Array(types.int64, 1, "C", readonly=True)
_TIMES = types.Array(types.float64, 1, "C", readonly=True)
_LABELS = types.Array(types.int32, 1, "C", readonly=True)


@kernel(
    _CODES,
    _TIMES,
    types.float64,
    types.int64,
    types.int64,
    types.float64[::1],
    types.int64[::1],
    types.int64[::1],
    types.int64[::1],
)
def follow(
    codes: np.ndarray,
    times: np.ndarray,
    gap: float,
    forget: int,
    count: int,
    latest: np.ndarray,
    rows: np.ndarray,
    seen: np.ndarray,
    places: np.ndarray,
) -> None:
    """Follows the sequences through rows in the order of their arrival.

    Args:
        codes: int64[N]; number of each row's sequence.
        times: float64[N]; seconds, NaN where a row has none.
        gap: longest time between two rows of a run.
        forget: a sequence begins anew when more rows than this came since its last one.
        count: number of rows of all sequences before these.
        latest: float64[K]; time of the last row of each sequence, -inf before its first; changed.
        rows: int64[K]; rows in the present run of each sequence; changed.
        seen: int64[K]; number of the last row of each sequence among all rows; changed.
        places: int64[N]; written: the place of each row in its run, from 0, or `LATE` or `UNDATED`.
    """
    for row in range(len(codes)):
        code, time = codes[row], times[row]
        if time != time:
            places[row] = UNDATED
            continue
        if rows[code] and count + row - seen[code] > forget:
            rows[code] = 0
            latest[code] = -np.inf
        if time < latest[code]:
            places[row] = LATE
            continue
        if time - latest[code] > gap:
            rows[code] = 0
        places[row] = rows[code]
        rows[code] += 1
        latest[code] = time
        seen[code] = count + row


@kernel(_LABELS, _CODES, types.int64, types.int64, types.int64, types.int32[::1])
def prevailing(
    labels: np.ndarray, starts: np.ndarray, length: int, normal: int, classes: int, found: np.ndarray
) -> None:
    """The most frequent answer of each window other than the normal one, the latest of equals; normal without any.

    Args:
        labels: int32[T]; answer of each row, -1 where it has none.
        starts: int64[M]; first row of each window.
        length: rows of a window.
        normal: the answer of a row where nothing is wrong.
        classes: number of answers.
        found: int32[M]; written: the answer of each window, -1 where none of its rows has one.
    """
    counts = np.zeros(classes, np.int64)
    for window in range(len(starts)):
        start = starts[window]
        answer = -1
        for row in range(start, start + length):
            label = labels[row]
            if label == normal:
                answer = normal
            elif label >= 0:
                counts[label] += 1
        best = 0
        # From the end: of equally frequent answers, the latest is met first.
        for row in range(start + length - 1, start - 1, -1):
            label = labels[row]
            if label >= 0 and label != normal:
                if counts[label] > best:
                    best = counts[label]
                    answer = label
                counts[label] = 0
        found[window] = answer
