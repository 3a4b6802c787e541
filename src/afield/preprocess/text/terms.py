"""A table from the bytes of a term to its number, exact: what a hash finds is compared byte for byte.

A slot is four words of a flat array: (first eight bytes, next eight, length and number, inverse document frequency), so
that looking a term up touches one cache line. Terms of more than 16 bytes have (hash, start in the arena) in front. The
third word of an empty slot is 0.
"""

from __future__ import annotations

import numpy as np

from afield.kernels import helper
from afield.preprocess.text.bits import KEEP, load, mix

U = np.uint64
INLINE = 16
SLOT = 4
PAD = 16
"""Bytes that must follow the last one of a buffer that is hashed."""

SEED = U(0x9E3779B97F4A7C15)
TWIST = U(0xD6E8FEB86659FD93)
NUMBER = U(0xFFFFFFFF)


@helper
def hash_long(text: np.ndarray, start: int, stop: int) -> np.uint64:
    """A hash of more than 16 bytes."""
    key = SEED ^ U(stop - start)
    while start + 8 < stop:
        key = mix(key ^ load(text, start), TWIST)
        start += 8
    return mix(key ^ load(text, start) & KEEP[stop - start, 0], TWIST)


@helper
def first_words(text: np.ndarray, start: int, stop: int) -> tuple[np.uint64, np.uint64, np.uint64]:
    """The hash of a term, and the two words its slot starts with (of a long one only the first)."""
    length = stop - start
    if length > INLINE:
        key = hash_long(text, start, stop)
        return key, key, U(0)
    left = load(text, start) & KEEP[length, 0]
    right = load(text, start + 8) & KEEP[length, 1]
    return mix(left ^ SEED ^ U(length), right ^ TWIST), left, right


@helper
def same(text: np.ndarray, start: int, arena: np.ndarray, at: int, length: int) -> bool:
    """Whether two runs of bytes are equal."""
    matching = 0
    while matching < length and text[start + matching] == arena[at + matching]:
        matching += 1
    return matching == length


@helper
def find(
    table: np.ndarray,
    arena: np.ndarray,
    text: np.ndarray,
    start: int,
    length: int,
    key: np.uint64,
    left: np.uint64,
    right: np.uint64,
) -> np.int64:
    """Where in the table a term starts, or would start: the third word there is 0 where the term is unknown."""
    last = len(table) - 1
    at = np.int64(key) * SLOT & last
    while True:
        entry = table[at + 2]
        if entry == U(0):
            return at
        if table[at] == left and entry >> U(32) == U(length):
            if length <= INLINE:
                if table[at + 1] == right:
                    return at
            elif same(text, start, arena, np.int64(table[at + 1]), length):
                return at
        at = at + SLOT & last


@helper
def insert(table: np.ndarray, at: int, left: np.uint64, right: np.uint64, start: int, length: int, number: int) -> None:
    """Fills an empty slot with a term whose bytes start at `start` in the arena."""
    table[at] = left
    table[at + 1] = right if length <= INLINE else U(start)
    table[at + 2] = U(length) << U(32) | U(number)


@helper
def fill(table: np.ndarray, arena: np.ndarray, offsets: np.ndarray, size: int) -> None:
    """Puts `size` terms, which stand one after the other in an arena, into an empty table."""
    for number in range(size):
        start = offsets[number]
        length = offsets[number + 1] - start
        key, left, right = first_words(arena, start, offsets[number + 1])
        insert(table, find(table, arena, arena, start, length, key, left, right), left, right, start, length, number)
