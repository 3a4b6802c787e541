"""A table from the bytes of a term to its number, exact: what a hash finds is compared byte for byte.

A slot is four words. Terms of up to 16 bytes stand in the slot itself, so that a look-up touches one cache line:
(first eight bytes, next eight, length and number, unused); longer ones as (hash, start in the arena, length and number,
unused). The third word of an empty slot is 0.
"""

from __future__ import annotations

import numpy as np

from afield.kernels import helper, maker
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
    for offset in range(length):
        if text[start + offset] != arena[at + offset]:
            return False
    return True


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
) -> tuple[int, int]:
    """The number of a term (-1 where it is unknown) and the slot where it stands or would stand."""
    last = len(table) - 1
    slot = np.int64(key) & last
    while True:
        entry = table[slot, 2]
        if entry == U(0):
            return np.int64(-1), slot
        if table[slot, 0] == left and entry >> U(32) == U(length):
            if length <= INLINE:
                if table[slot, 1] == right:
                    return np.int64(entry & NUMBER), slot
            elif same(text, start, arena, np.int64(table[slot, 1]), length):
                return np.int64(entry & NUMBER), slot
        slot = slot + 1 & last


@helper
def insert(
    table: np.ndarray, slot: int, left: np.uint64, right: np.uint64, at: int, length: int, number: int
) -> None:
    """Fills an empty slot with a term whose bytes stand at `at` in the arena."""
    table[slot, 0] = left
    table[slot, 1] = right if length <= INLINE else U(at)
    table[slot, 2] = U(length) << U(32) | U(number)


@maker
def build(arena: np.ndarray, offsets: np.ndarray, size: int, slots: int) -> np.ndarray:
    """The table of the `size` terms that stand one after the other in an arena; `slots` is a power of two above size."""
    table = np.zeros((slots, SLOT), np.uint64)
    for number in range(size):
        start = offsets[number]
        length = offsets[number + 1] - start
        key, left, right = first_words(arena, start, offsets[number + 1])
        slot = find(table, arena, arena, start, length, key, left, right)[1]
        insert(table, slot, left, right, start, length, number)
    return table
