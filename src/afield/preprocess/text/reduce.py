"""The kernel that runs at a site: records to weighted rows, their keys, and how much of them is unknown."""

from __future__ import annotations

import numpy as np
from numba import types

from afield.kernels import helper, kernel
from afield.preprocess.text.bits import mix, prefetch
from afield.preprocess.text.reading import BYTES, CODES, FLOATS, OFFSETS, READING, Reading, buffers, read, terms_in
from afield.preprocess.text.terms import NUMBER, SEED, SLOT, fill, find, first_words

U = np.uint64
NORMS = ("none", "l1", "l2")
LANES = 16
SHORT = 512
"""Different terms up to which comparing each with each is faster than sorting."""
WORDS = types.uint64[::1]
FIXED_WORDS = types.Array(types.uint64, 1, "C", readonly=True)
INTEGERS = types.int32[::1]


@kernel(BYTES, OFFSETS, FLOATS, WORDS)
def tabulate(arena: np.ndarray, offsets: np.ndarray, idf: np.ndarray, table: np.ndarray) -> None:
    """Fills the look-up table of a vocabulary.

    Args:
        arena: uint8; the terms, one after the other, and 16 bytes more.
        offsets: int64[V + 1].
        idf: float64[V].
        table: uint64[4 * slots], zero, more slots than terms; slots is a power of two.
    """
    fill(table, arena, offsets, len(idf))
    factors = table.view(np.float64)
    for at in range(0, len(table), SLOT):
        if table[at + 2]:
            factors[at + 3] = idf[table[at + 2] & NUMBER]


@helper
def count_row(
    text: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    units: int,
    reading: Reading,
    table: np.ndarray,
    factors: np.ndarray,
    arena: np.ndarray,
    hashes: np.ndarray,
    members: np.ndarray,
    values: np.ndarray,
) -> tuple[np.uint64, int, int]:
    """Looks up the terms of one record.

    Returns:
        The record's key, its number of terms, and how many of them are known: those are in members, with their inverse
        document frequency in values.
    """
    key = SEED
    terms = 0
    known = 0
    last = len(table) - 1
    for n in range(1, reading.longest + 1):
        # All slots are asked for before the first one is read: the waits for memory fall together.
        for first in range(units - n + 1):
            mixed, left, right = first_words(text, starts[first], stops[first + n - 1])
            hashes[3 * first] = mixed
            hashes[3 * first + 1] = left
            hashes[3 * first + 2] = right
            prefetch(table, np.int64(mixed) * SLOT & last)
            if n == 1:
                key = mix(key ^ mixed, SEED)
        if n < reading.shortest:
            continue
        for first in range(units - n + 1):
            start = starts[first]
            length = stops[first + n - 1] - start
            at = find(
                table, arena, text, start, length, hashes[3 * first], hashes[3 * first + 1], hashes[3 * first + 2]
            )
            terms += 1
            members[known] = table[at + 2] & NUMBER
            values[known] = factors[at + 3]
            known += table[at + 2] != U(0)
    return key, terms, known


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
    """For each member, how many are smaller: by comparing each with each, in registers, or by sorting long rows."""
    if size <= SHORT:
        padded = (size + LANES - 1) // LANES * LANES
        for place in range(padded):
            ranks[place] = 0
        for place in range(size):
            member = members[place]
            for other in range(padded):
                ranks[other] += member < members[other]
        return
    for place in range(size):
        heap[place] = np.int64(members[place]) << 32 | place
    for place in range(size // 2 - 1, -1, -1):
        sink(heap, place, size)
    for last in range(size - 1, 0, -1):
        heap[0], heap[last] = heap[last], heap[0]
        sink(heap, 0, last)
    smaller = 0
    for place in range(size):
        if heap[place] >> 32 != heap[smaller] >> 32:
            smaller = place
        ranks[heap[place] & 0xFFFFFFFF] = smaller


@helper
def weigh_row(
    members: np.ndarray,
    factors: np.ndarray,
    ranks: np.ndarray,
    size: int,
    sublinear: int,
    norm: int,
    counts: np.ndarray,
    order: np.ndarray,
    values: np.ndarray,
    ids: np.ndarray,
    weights: np.ndarray,
    used: int,
) -> int:
    """Turns the terms of one record into entries: (1 + log) count times idf, normed in float64, stored as float32.

    Equal terms have equal ranks, so that counting by rank leaves gaps, and no second look at the terms is needed.
    """
    for place in range(size):
        counts[place] = 0
    for place in range(size):
        order[ranks[place]] = place
        counts[ranks[place]] += 1
    total = 0.0
    end = 0
    for rank in range(size):
        count = np.float64(counts[rank])
        if count == 0:
            continue
        if sublinear and count > 1:
            count = 1.0 + np.log(count)
        value = count * factors[order[rank]]
        total += value * value if norm == 2 else value
        values[end] = value
        ids[used + end] = members[order[rank]]
        end += 1
    scale = 1.0
    if norm and total > 0:
        scale = 1.0 / (np.sqrt(total) if norm == 2 else total)
    for place in range(end):
        weights[used + place] = values[place] * scale
    return used + end


@kernel(
    BYTES,
    OFFSETS,
    types.int64,
    READING,
    CODES,
    CODES,
    FIXED_WORDS,
    FLOATS,
    BYTES,
    types.int64,
    types.int64,
    INTEGERS,
    types.float32[::1],
    types.int64[::1],
    WORDS,
    INTEGERS,
    INTEGERS,
)
def reduce_rows(
    data: np.ndarray,
    offsets: np.ndarray,
    begin: int,
    reading: Reading,
    blocks: np.ndarray,
    records: np.ndarray,
    table: np.ndarray,
    factors: np.ndarray,
    arena: np.ndarray,
    sublinear: int,
    norm: int,
    ids: np.ndarray,
    weights: np.ndarray,
    indptr: np.ndarray,
    keys: np.ndarray,
    terms: np.ndarray,
    unknown: np.ndarray,
) -> int:
    """Reduces a batch of records, from one row on, until there is no room for the entries of the next.

    Args:
        data: uint8; UTF-8 of all records.
        offsets: int64[N + 1]; record i is data[offsets[i]:offsets[i + 1]].
        begin: row to begin with.
        reading: how records are read.
        blocks: int32[4352]; Unicode table: block of records for each 256 code points.
        records: int32[blocks * 256]; Unicode table: flags and distance to the lower-case letter.
        table: uint64[4 * slots]; look-up table of the vocabulary.
        factors: float64[4 * slots]; the same memory.
        arena: uint8; terms of the vocabulary.
        sublinear: 1 for 1 + log(count) in place of the count.
        norm: place in NORMS.
        ids: int32[capacity]; filled.
        weights: float32[capacity]; filled.
        indptr: int64[N + 1]; indptr[begin] stands, the rest is filled.
        keys: uint64[N]; filled.
        terms: int32[N]; filled with the number of terms.
        unknown: int32[N]; filled with how many of them the vocabulary does not have.

    Returns:
        The row that found no room, or N.
    """
    room = buffers(offsets, reading)
    source = terms_in(room, reading)
    text, joined, bits, found, starts, stops, spans = room
    most = reading.longest * len(starts) + LANES
    hashes = np.empty(3 * len(starts), np.uint64)
    members = np.empty(most, np.int32)
    inverse = np.empty(most, np.float64)
    ranks = np.empty(most, np.int32)
    heap = np.empty(most, np.int64)
    counts = np.empty(most, np.int32)
    order = np.empty(most, np.int32)
    values = np.empty(most, np.float64)
    for row in range(begin, len(offsets) - 1):
        units = read(
            data,
            offsets[row],
            offsets[row + 1],
            reading,
            blocks,
            records,
            text,
            joined,
            bits,
            found,
            starts,
            stops,
            spans,
        )
        keys[row], terms[row], known = count_row(
            source, starts, stops, units, reading, table, factors, arena, hashes, members, inverse
        )
        if indptr[row] + known > len(ids):
            return row
        unknown[row] = terms[row] - known
        rank_row(members, known, ranks, heap)
        indptr[row + 1] = weigh_row(
            members, inverse, ranks, known, sublinear, norm, counts, order, values, ids, weights, indptr[row]
        )
    return len(offsets) - 1
