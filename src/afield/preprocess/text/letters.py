"""One record's bytes, lower-cased, with a bit for each that belongs to a word: by eights for ASCII, by tables else."""

from __future__ import annotations

import numpy as np

from afield.kernels import helper
from afield.preprocess.text.bits import KEEP, load, store

WORD, SPACE, CASED, IGNORABLE = 1, 2, 4, 8
FLAG_BITS = 4
SIGMA, SMALL_SIGMA, FINAL_SIGMA = 0x3A3, 0x3C3, 0x3C2
DOTTED_I, DOT_ABOVE = 0x130, 0x307
REPLACEMENT = np.int64(0xFFFD)

U = np.uint64
EVERY = U(0x0101010101010101)
HIGH = U(0x8080808080808080)
GATHER = U(0x0102040810204080)


@helper
def within(word: np.uint64, low: int, high: int) -> np.uint64:
    """The high bit of each of eight ASCII bytes that lies between two characters, both included."""
    return (word + EVERY * U(0x80 - low)) & ~(word + EVERY * U(0x7F - high)) & HIGH


@helper
def eight(data: np.ndarray, at: int, stop: int) -> np.uint64:
    """The bytes from at on as one word, those from stop on as 0; reads nothing outside the array."""
    if at + 8 <= stop:
        return load(data, at)
    if at + 8 <= len(data):
        return load(data, at) & KEEP[stop - at, 0]
    word = U(0)
    for position in range(stop - 1, at - 1, -1):
        word = word << U(8) | U(data[position])
    return word


@helper
def lower_ascii(
    data: np.ndarray, start: int, stop: int, lowercase: bool, text: np.ndarray, base: int, bits: np.ndarray
) -> bool:
    """Writes one record to text[base:], and its word bits; False where a byte is not ASCII."""
    beyond = U(0)
    for block in range((stop - start) // 64 + 1):
        first = start + 64 * block
        found = U(0)
        for offset in range(0, min(64, stop - first), 8):
            word = eight(data, first + offset, stop)
            beyond |= word
            if lowercase:
                word |= within(word, 0x41, 0x5A) >> U(2)
            letters = within(word | EVERY * U(0x20), 0x61, 0x7A)
            others = within(word, 0x30, 0x39) | within(word, 0x5F, 0x5F)
            found |= ((letters | others) >> U(7)) * GATHER >> U(56) << U(offset)
            store(text, base + first - start + offset, word)
        bits[block] = found
    return beyond & HIGH == U(0)


@helper
def width(first: int) -> int:
    """Bytes of the character that starts with this byte."""
    return 1 + (first >= 0xC0) + (first >= 0xE0) + (first >= 0xF0)


@helper
def decode(data: np.ndarray, at: int, stop: int) -> tuple[np.int64, int]:
    """The code point at a position and its bytes; a byte that starts none is the replacement character."""
    first = np.int64(data[at])
    size = width(first)
    if first < 0x80:
        return first, 1
    if first < 0xC0 or at + size > stop:
        return REPLACEMENT, 1
    code = first & 0xFF >> size + 1
    for position in range(at + 1, at + size):
        code = code << 6 | np.int64(data[position]) & 0x3F
    return (code if code <= 0x10FFFF else REPLACEMENT), size


@helper
def encode(code: int, text: np.ndarray, at: int) -> int:
    """Writes one code point as UTF-8 and returns where the next one goes."""
    if code < 0x80:
        text[at] = code
        return at + 1
    if code < 0x800:
        text[at] = 0xC0 | code >> 6
    else:
        if code < 0x10000:
            text[at] = 0xE0 | code >> 12
        else:
            text[at] = 0xF0 | code >> 18
            at += 1
            text[at] = 0x80 | code >> 12 & 0x3F
        at += 1
        text[at] = 0x80 | code >> 6 & 0x3F
    text[at + 1] = 0x80 | code & 0x3F
    return at + 2


@helper
def properties(code: int, blocks: np.ndarray, records: np.ndarray) -> np.int64:
    """Flags of a code point, and above them the distance to its lower-case letter."""
    return np.int64(records[np.int64(blocks[code >> 8]) << 8 | code & 0xFF])


@helper
def ends_word(data: np.ndarray, at: int, stop: int, blocks: np.ndarray, records: np.ndarray) -> bool:
    """Whether no cased letter follows, those that case ignores left out: the second half of the final-sigma rule."""
    while at < stop:
        code, size = decode(data, at, stop)
        flags = properties(code, blocks, records)
        if not flags & IGNORABLE:
            return not flags & CASED
        at += size
    return True


@helper
def lower_unicode(
    data: np.ndarray,
    start: int,
    stop: int,
    lowercase: bool,
    blocks: np.ndarray,
    records: np.ndarray,
    text: np.ndarray,
    base: int,
    bits: np.ndarray,
) -> int:
    """Writes one record to text[base:], and its word bits; returns its length, at most three times the input's.

    Lower-casing follows the Unicode Standard, section 3.13, with the context of the final sigma (SpecialCasing.txt).
    """
    for block in range(3 * (stop - start) // 64 + 1):
        bits[block] = U(0)
    at = start
    end = base
    after_cased = False
    while at < stop:
        code, size = decode(data, at, stop)
        at += size
        found = properties(code, blocks, records)
        if lowercase:
            if code == SIGMA:
                final = after_cased and ends_word(data, at, stop, blocks, records)
                code = FINAL_SIGMA if final else SMALL_SIGMA
            elif code == DOTTED_I:
                bits[end - base >> 6] |= U(1) << U(end - base & 63)
                end = encode(0x69, text, end)
                code = DOT_ABOVE
            else:
                code += found >> FLAG_BITS
            if not found & IGNORABLE:
                after_cased = found & CASED != 0
            found = properties(code, blocks, records)
        following = encode(code, text, end)
        if found & WORD:
            for position in range(end - base, following - base):
                bits[position >> 6] |= U(1) << U(position & 63)
        end = following
    return end - base
