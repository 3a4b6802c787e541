"""The kernel that runs at a site: records to weighted rows, their keys, and how much of them is unknown."""

from __future__ import annotations

import numpy as np
from numba import types

from afield.kernels import helper, kernel, maker
from afield.preprocess.text.bits import mix
from afield.preprocess.text.reading import BYTES, CODES, FLOATS, OFFSETS, READING, Reading, buffers, read, terms_in
from afield.preprocess.text.terms import SEED, build, find, first_words

U = np.uint64
NORMS = ("none", "l1", "l2")
SHORT = 64
"""Different terms up to which comparing each with each is faster than sorting."""
TABLE = types.Array(types.uint64, 2, "C", readonly=True)


@kernel(BYTES, OFFSETS)
def tabulate(arena: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The look-up table of a vocabulary: uint64[slots, 4], at most half full.

    Args:
        arena: uint8; the terms, one after the other, and 16 bytes more.
        offsets: int64[V + 1].
    """
    slots = 16
    while slots < 2 * len(offsets):
        slots *= 2
    return build(arena, offsets, len(offsets) - 1, slots)


@maker
def grown(array: np.ndarray, size: int) -> np.ndarray:
    """The array with room for at least `size` entries."""
    if size <= len(array):
        return array
    larger = np.empty(max(size, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger


@helper
def count_row(
    text: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    units: int,
    reading: Reading,
    table: np.ndarray,
    arena: np.ndarray,
    places: np.ndarray,
    members: np.ndarray,
    counts: np.ndarray,
) -> tuple[np.uint64, int, int, int]:
    """Counts the terms of one record.

    A sparse set (Briggs and Torczon 1993) finds the terms already met: places[term] may hold anything, and is believed
    only where members[places[term]] is the term, so that a row costs nothing that grows with the vocabulary.

    Returns:
        The record's key, its number of terms, how many of them are known, and how many different ones of those there
        are, in members and counts.
    """
    key = SEED
    terms = 0
    known = 0
    size = 0
    for n in range(1, reading.longest + 1):
        for first in range(units - n + 1):
            start = starts[first]
            stop = stops[first + n - 1]
            mixed, left, right = first_words(text, start, stop)
            if n == 1:
                key = mix(key ^ mixed, SEED)
            if n < reading.shortest:
                continue
            terms += 1
            term = find(table, arena, text, start, stop - start, mixed, left, right)[0]
            if term < 0:
                continue
            known += 1
            place = places[term]
            if 0 <= place < size and members[place] == term:
                counts[place] += 1
            else:
                places[term] = size
                members[size] = term
                counts[size] = 1
                size += 1
    return key, terms, known, size


@helper
def sink(heap: np.ndarray, top: int, size: int) -> None:
    """Restores the order of a heap, its greatest entry first, below one entry."""
    entry = heap[top]
    while 2 * top + 1 < size:
        child = 2 * top + 1
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= entry:
            break
        heap[top] = heap[child]
        top = child
    heap[top] = entry


@helper
def rank_row(members: np.ndarray, size: int, ranks: np.ndarray, heap: np.ndarray) -> None:
    """Where each member goes when they stand in ascending order; short rows without a branch that depends on data."""
    if size <= SHORT:
        for place in range(size):
            ranks[place] = 0
        for place in range(size):
            member = members[place]
            for other in range(size):
                ranks[other] += member < members[other]
        return
    for place in range(size):
        heap[place] = np.int64(members[place]) << 32 | place
    for place in range(size // 2 - 1, -1, -1):
        sink(heap, place, size)
    for last in range(size - 1, -1, -1):
        ranks[heap[0] & 0xFFFFFFFF] = last
        heap[0] = heap[last]
        sink(heap, 0, last)


@helper
def weigh_row(
    members: np.ndarray,
    counts: np.ndarray,
    ranks: np.ndarray,
    size: int,
    idf: np.ndarray,
    sublinear: int,
    norm: int,
    values: np.ndarray,
    ids: np.ndarray,
    weights: np.ndarray,
    used: int,
) -> None:
    """Turns the counts of one record into weights: (1 + log) count times idf, normed in float64, stored as float32."""
    total = 0.0
    for place in range(size):
        count = np.float64(counts[place])
        if sublinear and count > 1:
            count = 1.0 + np.log(count)
        value = count * idf[members[place]]
        values[place] = value
        total += value * value if norm == 2 else value
    scale = 1.0
    if norm and total > 0:
        scale = 1.0 / (np.sqrt(total) if norm == 2 else total)
    for place in range(size):
        ids[used + ranks[place]] = members[place]
        weights[used + ranks[place]] = values[place] * scale


@kernel(BYTES, OFFSETS, READING, CODES, CODES, TABLE, BYTES, FLOATS, types.int64, types.int64)
def reduce_rows(
    data: np.ndarray,
    offsets: np.ndarray,
    reading: Reading,
    blocks: np.ndarray,
    records: np.ndarray,
    table: np.ndarray,
    arena: np.ndarray,
    idf: np.ndarray,
    sublinear: int,
    norm: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Reduces a batch of records.

    Args:
        data: uint8; UTF-8 of all records.
        offsets: int64[N + 1]; record i is data[offsets[i]:offsets[i + 1]].
        reading: how records are read.
        blocks: int32[4352]; Unicode table: block of records for each 256 code points.
        records: int32[blocks * 256]; Unicode table: flags and distance to the lower-case letter.
        table: uint64[slots, 4]; look-up table of the vocabulary.
        arena: uint8; terms of the vocabulary.
        idf: float64[V]; factor of each term.
        sublinear: 1 for 1 + log(count) in place of the count.
        norm: place in NORMS.

    Returns:
        indptr int64[N + 1], ids int32[nnz], weights float32[nnz], keys uint64[N], terms int32[N] and unknown int32[N].
    """
    rows = len(offsets) - 1
    size = len(idf)
    indptr = np.zeros(rows + 1, np.int64)
    ids = np.empty((offsets[rows] - offsets[0]) // 8 + 16, np.int32)
    weights = np.empty(len(ids), np.float32)
    keys = np.empty(rows, np.uint64)
    terms = np.empty(rows, np.int32)
    unknown = np.empty(rows, np.int32)
    room = buffers(offsets, reading)
    source = terms_in(room, reading)
    text, joined, bits, found, starts, stops, spans = room
    most = reading.longest * len(starts)
    places = np.empty(size, np.int32)
    members = np.empty(most, np.int32)
    counts = np.empty(most, np.int32)
    ranks = np.empty(most, np.int32)
    heap = np.empty(most, np.int64)
    values = np.empty(most, np.float64)
    used = 0
    for row in range(rows):
        units = read(
            data, offsets[row], offsets[row + 1], reading, blocks, records,
            text, joined, bits, found, starts, stops, spans,
        )
        keys[row], terms[row], known, distinct = count_row(
            source, starts, stops, units, reading, table, arena, places, members, counts
        )
        unknown[row] = terms[row] - known
        if used + distinct > len(ids):
            ids = grown(ids, used + distinct)
            weights = grown(weights, used + distinct)
        rank_row(members, distinct, ranks, heap)
        weigh_row(members, counts, ranks, distinct, idf, sublinear, norm, values, ids, weights, used)
        used += distinct
        indptr[row + 1] = used
    return indptr, ids[:used], weights[:used], keys, terms, unknown
