"""From the bytes of one record to the slices that are counted: lower-cased, masked, joined, in buffers used again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types

from afield.kernels import helper, maker
from afield.preprocess.text.letters import lower_ascii, lower_unicode
from afield.preprocess.text.masks import RESERVED, WRITTEN, mask_words
from afield.preprocess.text.terms import PAD
from afield.preprocess.text.units import edges, join_words, long_words, spell, spell_masked

GROWTH = 3
"""Bytes that one byte may become when lower-cased, or replaced for not being UTF-8."""
MASKED_GROWTH = 5
"""Bytes that one byte may become when masked: `1,` becomes `<number>` and a blank."""


class Reading(NamedTuple):
    """How records are read.

    Args:
        lowercase: 1 to lower-case.
        masks: bits of the masks, by their place in `masks.NAMES`.
        characters: 1 to count characters, 0 for words.
        shortest: least length of an n-gram.
        longest: greatest length of an n-gram.
    """

    lowercase: int
    masks: int
    characters: int
    shortest: int
    longest: int


class Buffers(NamedTuple):
    """Room for the longest record of a batch.

    Args:
        text: uint8; the written masks, then the record as it is read.
        joined: uint8; words with one blank between two, or characters.
        bits: uint64; one bit for each byte of the record that belongs to a word.
        found: int64; where words start and stop, in turn.
        starts: int64; start of each unit that is counted.
        stops: int64; end of each unit.
        spans: int64[n, 4]; what the masks read and wrote.
    """

    text: np.ndarray
    joined: np.ndarray
    bits: np.ndarray
    found: np.ndarray
    starts: np.ndarray
    stops: np.ndarray
    spans: np.ndarray


READING = types.NamedUniTuple(types.int64, 5, Reading)
BYTES = types.Array(types.uint8, 1, "C", readonly=True)
OFFSETS = types.Array(types.int64, 1, "C", readonly=True)
CODES = types.Array(types.int32, 1, "C", readonly=True)
FLOATS = types.Array(types.float64, 1, "C", readonly=True)


@maker
def buffers(offsets: np.ndarray, reading: Reading) -> Buffers:
    """Room for the longest of the records between the offsets."""
    length = 0
    for row in range(len(offsets) - 1):
        length = max(length, offsets[row + 1] - offsets[row])
    written = GROWTH * length
    units = length + 2
    if reading.masks:
        written *= MASKED_GROWTH
        units *= MASKED_GROWTH
    text = np.empty(RESERVED + GROWTH * length + PAD, np.uint8)
    for place in range(RESERVED):  # a slice would compile for a second more
        text[place] = WRITTEN[place]
    return Buffers(
        text,
        np.empty(written + 2 * PAD, np.uint8),
        np.empty(GROWTH * length // 64 + 2, np.uint64),
        np.empty(length + 2, np.int64),
        np.empty(units, np.int64),
        np.empty(units, np.int64),
        np.empty((length // 2 + 1 if reading.masks else 0, 4), np.int64),
    )


@helper
def read(
    data: np.ndarray,
    start: int,
    stop: int,
    reading: Reading,
    blocks: np.ndarray,
    records: np.ndarray,
    text: np.ndarray,
    joined: np.ndarray,
    bits: np.ndarray,
    found: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    spans: np.ndarray,
) -> int:
    """Reads one record into the buffers (see Buffers) and returns how many units it has.

    The units stand at starts and stops: in `text` where single words are counted, else in `joined`, where every n-gram
    is one slice.
    """
    length = stop - start
    if reading.characters or not lower_ascii(data, start, stop, reading.lowercase != 0, text, RESERVED, bits):
        lowercase = reading.lowercase != 0
        length = lower_unicode(data, start, stop, lowercase, blocks, records, text, RESERVED, bits)
    if reading.characters and not reading.masks:
        return spell(text, RESERVED, RESERVED + length, blocks, records, joined, starts, stops, 0)
    count = edges(bits, length, found)
    if reading.masks:
        count = mask_words(text, bits, RESERVED, length, found, count, reading.masks, spans)
        if reading.characters:
            return spell_masked(text, RESERVED, length, spans, count, blocks, records, joined, starts, stops)
        for word in range(count):
            starts[word] = spans[word, 2]
            stops[word] = spans[word, 3]
    else:
        count = long_words(text, RESERVED, found, count, starts, stops)
    if reading.longest > 1:
        join_words(text, starts, stops, count, joined)
    return count


@maker
def terms_in(room: Buffers, reading: Reading) -> np.ndarray:
    """The buffer that the units are slices of."""
    return room.joined if reading.characters or reading.longest > 1 else room.text
