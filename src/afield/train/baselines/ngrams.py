"""The simple models of a text: how often each character stands in it, and what stood after the last few."""

from __future__ import annotations

import numpy as np

from afield.train.judging.base import Raw
from afield.train.texts import Text

LONGEST = 8
"""Characters that are looked back, at most."""
USUAL = 5
"""Characters that are looked back where nothing says how many are best."""
MOST_CODES = 2**62


def by_frequency(text: Text) -> Raw:
    """Every character by its share of the training part: float32[N, 2] as of a network."""
    counts = np.bincount(text.training, minlength=len(text.characters)) + 1.0
    nats = -np.log(counts / counts.sum())
    best = int(counts.argmax())

    def told(ids: np.ndarray) -> np.ndarray:
        return np.stack([nats[ids[1:]], ids[1:] == best], axis=1).astype(np.float32)

    return Raw(told(text.validation), told(text.test))


def by_context(text: Text) -> Raw:
    """Each character by those before it: float32[N, 1], its nats alone.

    The shares after longer contexts are mixed with those after shorter ones. How far it looks back is chosen on the
    validation part; without one, 5 characters.

    Source: I. H. Witten, T. C. Bell, The zero-frequency problem, IEEE Transactions on Information Theory 37 (1991),
    method C, interpolated.
    """
    size = len(text.characters)
    longest = min(LONGEST, int(np.log(MOST_CODES) / np.log(size)) - 1)
    parts = (text.validation, text.test)
    # Before any count, every character is as probable as the next one.
    mixed = [np.full(max(len(ids) - 1, 0), 1 / size) for ids in parts]
    found = [mixed]
    for back in range(longest + 1):
        seen = _codes(text.training, back, size)
        mixed = [_mixed(before, seen, _codes(ids, back, size), size) for before, ids in zip(mixed, parts, strict=True)]
        found.append(mixed)
    watched = [-np.log(pair[0]).mean() for pair in found] if len(text.validation) > 1 else []
    best = found[int(np.argmin(watched))] if watched else found[min(USUAL, longest) + 1]
    validation, test = (-np.log(values)[:, None].astype(np.float32) for values in best)
    return Raw(validation, test)


def _mixed(before: np.ndarray, seen: np.ndarray, asked: np.ndarray, size: int) -> np.ndarray:
    """The probability of each character after a context, from that after the context one character shorter.

    Args:
        before: float64[N]; after the shorter context.
        seen: int64[A]; context and character of the training part as one number, -1 where the context is too short.
        asked: int64[N + 1]; the same of the part in question.
        size: number of characters.
    """
    asked = asked[1:]
    pairs, times = np.unique(seen[seen >= 0], return_counts=True)
    contexts, first, kinds = np.unique(pairs // size, return_index=True, return_counts=True)
    totals = np.add.reduceat(times, first) if len(first) else times
    after, known = _found(contexts, asked // size, asked >= 0)
    there, met = _found(pairs, asked, asked >= 0)
    if not len(contexts):
        return before
    count = np.where(met, times[there], 0)
    weight = kinds[after]
    return np.where(known, (count + weight * before) / (totals[after] + weight), before)


def _found(values: np.ndarray, wanted: np.ndarray, able: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place of each number in ascending ones, and whether it stands there."""
    place = np.minimum(np.searchsorted(values, wanted), max(len(values) - 1, 0))
    return place, able & (values[place] == wanted) if len(values) else np.zeros(len(wanted), bool)


def _codes(ids: np.ndarray, back: int, size: int) -> np.ndarray:
    """int64[T]: each character and the `back` ones before it as one number; -1 where there are fewer before it."""
    codes = np.full(len(ids), -1, np.int64)
    if len(ids) > back:
        code = np.zeros(len(ids) - back, np.int64)
        for place in range(back + 1):
            code = code * size + ids[place : len(ids) - back + place]
        codes[back:] = code
    return codes
