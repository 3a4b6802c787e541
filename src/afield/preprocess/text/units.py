"""What is counted: the words of a record, or its characters, laid side by side so that a run of them is one slice."""

from __future__ import annotations

import numpy as np

from afield.kernels import helper
from afield.preprocess.text.bits import load, lowest, store
from afield.preprocess.text.letters import SPACE, decode, properties, width

U = np.uint64
BLANK = 0x20


@helper
def edges(bits: np.ndarray, length: int, found: np.ndarray) -> int:
    """Writes where words start and stop, in turn, and returns how many words there are."""
    count = 0
    before = U(0)
    for block in range(length // 64 + 1):
        changes = bits[block] ^ (bits[block] << U(1) | before)
        before = bits[block] >> U(63)
        while changes != U(0):
            found[count] = 64 * block + lowest(changes)
            changes &= changes - U(1)
            count += 1
    return count // 2


@helper
def long_words(
    text: np.ndarray, base: int, found: np.ndarray, count: int, starts: np.ndarray, stops: np.ndarray
) -> int:
    """Keeps the words of two characters and more, and returns how many those are."""
    kept = 0
    for word in range(count):
        start = base + found[2 * word]
        stop = base + found[2 * word + 1]
        starts[kept] = start
        stops[kept] = stop
        kept += stop - start > width(text[start])
    return kept


@helper
def copy(source: np.ndarray, start: int, stop: int, target: np.ndarray, at: int) -> int:
    """Copies bytes by eights (up to seven too many on either side) and returns where the next one goes."""
    for offset in range(0, stop - start, 8):
        store(target, at + offset, load(source, start + offset))
    return at + stop - start


@helper
def join_words(text: np.ndarray, starts: np.ndarray, stops: np.ndarray, count: int, joined: np.ndarray) -> None:
    """Copies the words to `joined` with one blank between two, and moves starts and stops there."""
    at = 0
    for word in range(count):
        following = copy(text, starts[word], stops[word], joined, at)
        joined[following] = BLANK
        starts[word] = at
        stops[word] = following
        at = following + 1


@helper
def spell(
    text: np.ndarray,
    start: int,
    stop: int,
    blocks: np.ndarray,
    records: np.ndarray,
    joined: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    count: int,
) -> int:
    """Adds the characters of text[start:stop] to the `count` before them; white space in a row becomes one blank."""
    end = stops[count - 1] if count else 0
    while start < stop:
        code, size = decode(text, start, stop)
        white = properties(code, blocks, records) & SPACE != 0
        last = starts[count - 1] if count else 0
        if white and count and properties(decode(joined, last, end)[0], blocks, records) & SPACE:
            joined[last] = BLANK
            end = last + 1
            stops[count - 1] = end
        else:
            starts[count] = end
            end = copy(text, start, start + size, joined, end)
            stops[count] = end
            count += 1
        start += size
    return count


@helper
def spell_masked(
    text: np.ndarray,
    base: int,
    length: int,
    spans: np.ndarray,
    words: int,
    blocks: np.ndarray,
    records: np.ndarray,
    joined: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
) -> int:
    """The characters of a record, each word that stood at spans[:, 0:2] written as what stands at spans[:, 2:4]."""
    count = 0
    at = base
    for word in range(words):
        count = spell(text, at, spans[word, 0], blocks, records, joined, starts, stops, count)
        count = spell(text, spans[word, 2], spans[word, 3], blocks, records, joined, starts, stops, count)
        at = spans[word, 1]
    return spell(text, at, base + length, blocks, records, joined, starts, stops, count)
