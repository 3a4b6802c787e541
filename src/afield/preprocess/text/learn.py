"""The kernel of the fit: every term that is met gets a number, and is counted by record and in all."""

from __future__ import annotations

import numpy as np
from numba import types

from afield.kernels import helper, kernel
from afield.preprocess.text.reading import BYTES, CODES, OFFSETS, READING, Reading, buffers, read, terms_in
from afield.preprocess.text.terms import NUMBER, PAD, find, first_words, insert
from afield.preprocess.text.units import copy

U = np.uint64


@helper
def needs(starts: np.ndarray, stops: np.ndarray, units: int, reading: Reading) -> tuple[int, int]:
    """Terms of one record, and their bytes, if all of them were new."""
    terms = 0
    size = 0
    for n in range(reading.shortest, reading.longest + 1):
        for first in range(units - n + 1):
            terms += 1
            size += stops[first + n - 1] - starts[first]
    return terms, size


@kernel(
    BYTES,
    OFFSETS,
    types.int64,
    READING,
    CODES,
    CODES,
    types.uint64[::1],
    types.uint8[::1],
    types.int64[::1],
    types.int64[::1],
    types.int64[::1],
    types.int64[::1],
    types.int64,
    types.int64,
)
def learn_rows(
    data: np.ndarray,
    offsets: np.ndarray,
    begin: int,
    reading: Reading,
    blocks: np.ndarray,
    records: np.ndarray,
    table: np.ndarray,
    arena: np.ndarray,
    bounds: np.ndarray,
    documents: np.ndarray,
    totals: np.ndarray,
    latest: np.ndarray,
    size: int,
    seen: int,
) -> tuple[int, int]:
    """Counts the terms of a batch of records, from one row on, until there is no room for those of the next.

    Args:
        data: uint8; UTF-8 of all records.
        offsets: int64[N + 1]; record i is data[offsets[i]:offsets[i + 1]].
        begin: row to begin with.
        reading: how records are read.
        blocks: int32; Unicode table, as in `reduce.reduce_rows`.
        records: int32; Unicode table, as in `reduce.reduce_rows`.
        table: uint64[4 * slots]; look-up table of the terms met.
        arena: uint8[capacity]; their bytes, one after the other.
        bounds: int64[slots / 2 + 1]; term i is arena[bounds[i]:bounds[i + 1]].
        documents: int64[slots / 2]; number of records that have the term.
        totals: int64[slots / 2]; number of times it was met.
        latest: int64[slots / 2]; the record in which it was met last.
        size: number of terms met.
        seen: records before this batch.

    Returns:
        The row that found no room, or N; and the number of terms met.
    """
    room = buffers(offsets, reading)
    source = terms_in(room, reading)
    text, joined, bits, found, starts, stops, spans = room
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
        terms, length = needs(starts, stops, units, reading)
        if size + terms > len(documents) or bounds[size] + length + PAD > len(arena):
            return row, size
        for n in range(reading.shortest, reading.longest + 1):
            for first in range(units - n + 1):
                start = starts[first]
                stop = stops[first + n - 1]
                key, left, right = first_words(source, start, stop)
                at = find(table, arena, source, start, stop - start, key, left, right)
                if table[at + 2] == U(0):
                    insert(table, at, left, right, bounds[size], stop - start, size)
                    bounds[size + 1] = copy(source, start, stop, arena, bounds[size])
                    documents[size] = 0
                    totals[size] = 0
                    latest[size] = -1
                    size += 1
                term = np.int64(table[at + 2] & NUMBER)
                totals[term] += 1
                documents[term] += latest[term] != seen + row
                latest[term] = seen + row
    return len(offsets) - 1, size
