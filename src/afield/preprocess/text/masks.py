"""What varies without meaning - numbers, addresses, identifiers - is recognised where a word starts, and named."""

from __future__ import annotations

import numpy as np

from afield.kernels import helper
from afield.preprocess.text.letters import width

U = np.uint64

NAMES = ("email", "uuid", "ip", "hex", "number", "digits")
"""The masks in the order in which they are tried; the place of a name is its bit in the kernels."""

EMAIL, UUID, IP, HEX, NUMBER, DIGITS = (1 << place for place in range(len(NAMES)))
SLOT = 16
RESERVED = SLOT * len(NAMES)
"""Bytes at the head of the text buffer that hold the written masks, so that a mask is a slice like any word."""

DIGIT, LETTER, HEX_LETTER, LOCAL = 1, 2, 4, 8
LONGEST_LOCAL = 64
LONGEST_GROUP = 4
GROUPS = 8
SHORTEST_HEX = 8
UUID_LENGTH = 36


def _written() -> np.ndarray:
    text = np.zeros(RESERVED, np.uint8)
    for place, name in enumerate(NAMES[:-1]):
        word = f"<{name}>".encode()
        text[place * SLOT : place * SLOT + len(word)] = list(word)
    return text


def _kinds() -> np.ndarray:
    kinds = np.zeros(256, np.uint8)
    for code in range(128):
        letter = chr(code)
        kinds[code] |= DIGIT * letter.isdigit() | LETTER * letter.isalpha()
        kinds[code] |= HEX_LETTER * (letter in "abcdefABCDEF") | LOCAL * (letter.isalnum() or letter in "._%+-")
    return kinds


WRITTEN = _written()
KINDS = _kinds()
LENGTHS = np.array([len(name) + 2 for name in NAMES], np.int64)

AT, DOT, COMMA, COLON, HYPHEN, ZERO, SMALL_X = (ord(letter) for letter in "@.,:-0x")


@helper
def run(text: np.ndarray, at: int, stop: int, kinds: int) -> int:
    """Where the bytes of these kinds that start at a position end."""
    while at < stop and KINDS[text[at]] & kinds:
        at += 1
    return at


@helper
def closes(bits: np.ndarray, base: int, at: int) -> bool:
    """Whether no word goes on at this position."""
    return bits[at - base >> 6] >> U(at - base & 63) & U(1) == U(0)


@helper
def continues(text: np.ndarray, bits: np.ndarray, base: int, start: int, separator: int, longest: int) -> bool:
    """Whether a separator stands before a word, and a group of at most so many hex digits before that."""
    if start - base < 2 or text[start - 1] != separator:
        return False
    at = start - 2
    while at >= base and start - 1 - at <= longest and KINDS[text[at]] & (DIGIT | HEX_LETTER):
        at -= 1
    return at < start - 2 and (at < base or closes(bits, base, at))


@helper
def email(text: np.ndarray, bits: np.ndarray, base: int, start: int, stop: int, sign: int) -> int:
    """Where an e-mail address ends whose `@` is the next one, at `sign`; -1 where there is none."""
    if sign - start > LONGEST_LOCAL or run(text, start, sign, LOCAL) != sign:
        return -1
    end = -1
    at = sign + 1
    dotted = False
    while True:
        label = at
        while at < stop and (KINDS[text[at]] & (DIGIT | LETTER) or (at > label and text[at] == HYPHEN)):
            at += 1
        if at == label:
            return end
        if dotted and at - label >= 2 and run(text, label, at, LETTER) == at and closes(bits, base, at):
            end = at
        if at == stop or text[at] != DOT:
            return end
        dotted = True
        at += 1


@helper
def uuid(text: np.ndarray, bits: np.ndarray, base: int, start: int, stop: int) -> int:
    """Where a UUID (8-4-4-4-12 hex digits) ends; -1 where there is none."""
    end = start + UUID_LENGTH
    if end > stop or not closes(bits, base, end):
        return -1
    for offset in range(UUID_LENGTH):
        if offset in (8, 13, 18, 23):
            if text[start + offset] != HYPHEN:
                return -1
        elif not KINDS[text[start + offset]] & (DIGIT | HEX_LETTER):
            return -1
    return end


@helper
def ipv4(text: np.ndarray, bits: np.ndarray, base: int, start: int, stop: int) -> int:
    """Where four octets with dots between end; -1 where there are none, or where more numbers stand around them."""
    if start - base >= 2 and text[start - 1] == DOT and KINDS[text[start - 2]] & DIGIT:
        return -1
    at = start
    for octet in range(4):
        end = run(text, at, min(stop, at + 4), DIGIT)
        value = 0
        for position in range(at, end):
            value = 10 * value + text[position] - ZERO
        if end == at or end - at > 3 or value > 255:
            return -1
        at = end
        if octet < 3:
            if at == stop or text[at] != DOT:
                return -1
            at += 1
    more = at + 1 < stop and text[at] == DOT and KINDS[text[at + 1]] & DIGIT
    return -1 if more or not closes(bits, base, at) else at


@helper
def ipv6(text: np.ndarray, bits: np.ndarray, base: int, start: int, stop: int) -> int:
    """Where an IPv6 address ends: eight groups, or fewer around one `::` with a digit among them; -1 for none."""
    led = start - base >= 2 and text[start - 1] == COLON and text[start - 2] == COLON
    if continues(text, bits, base, start, COLON, LONGEST_GROUP):
        return -1
    if led and start - base >= 3 and not closes(bits, base, start - 3):
        return -1
    gap = led
    groups = 0
    digits = False
    at = start
    while True:
        end = run(text, at, stop, DIGIT | HEX_LETTER)
        if end == at and closes(bits, base, at):
            break
        if gap and groups and end < stop and text[end] == DOT:
            return ipv4(text, bits, base, at, stop)
        if end - at > LONGEST_GROUP or not closes(bits, base, end):
            return -1
        groups += 1
        digits = digits or run(text, at, end, HEX_LETTER) != end
        at = end
        if at + 1 >= stop or text[at] != COLON:
            break
        if text[at + 1] == COLON:
            if gap:
                return -1
            gap = True
            at += 2
        elif KINDS[text[at + 1]] & (DIGIT | HEX_LETTER):
            at += 1
        else:
            break
    if gap:
        return at if digits and groups < GROUPS and (led or groups >= 2) else -1
    return at if groups == GROUPS else -1


@helper
def mac(text: np.ndarray, bits: np.ndarray, base: int, start: int, stop: int) -> int:
    """Where six pairs of hex digits with `:` or `-` between end; -1 where there are none."""
    end = start + 17
    if end > stop or not closes(bits, base, end) or continues(text, bits, base, start, text[start + 2], 2):
        return -1
    for offset in range(17):
        if offset % 3 == 2:
            if text[start + offset] != text[start + 2]:
                return -1
        elif not KINDS[text[start + offset]] & (DIGIT | HEX_LETTER):
            return -1
    more = end + 1 < stop and text[end] == text[start + 2] and KINDS[text[end + 1]] & (DIGIT | HEX_LETTER)
    return -1 if more else end


@helper
def hexadecimal(text: np.ndarray, bits: np.ndarray, base: int, start: int, word: int, stop: int) -> int:
    """Where `0x...`, a long word of hex digits, or a MAC address ends; -1 where there is none."""
    if word - start == 2 and word < stop and (text[word] == COLON or text[word] == HYPHEN):
        return mac(text, bits, base, start, stop)
    if word - start > 2 and text[start] == ZERO and text[start + 1] | 0x20 == SMALL_X:
        return word if run(text, start + 2, word, DIGIT | HEX_LETTER) == word else -1
    if word - start < SHORTEST_HEX or run(text, start, word, DIGIT | HEX_LETTER) != word:
        return -1
    mixed = run(text, start, word, DIGIT) != word and run(text, start, word, HEX_LETTER) != word
    return word if mixed else -1


@helper
def number(text: np.ndarray, bits: np.ndarray, base: int, start: int, word: int, stop: int) -> int:
    """Where digits, with single `.` or `,` between, end; -1 where the word is not of digits alone."""
    if run(text, start, word, DIGIT) != word:
        return -1
    end = word
    while end + 1 < stop and (text[end] == DOT or text[end] == COMMA):
        following = run(text, end + 1, stop, DIGIT)
        if following == end + 1 or not closes(bits, base, following):
            break
        end = following
    return end


@helper
def recognise(
    text: np.ndarray, bits: np.ndarray, base: int, start: int, word: int, stop: int, sign: int, masks: int
) -> tuple[int, int]:
    """The place in NAMES of the mask that fits at a word, and where what it covers ends; -1 and -1 for none.

    Args:
        text: bytes; the record stands at text[base:stop].
        bits: uint64; word bits of the record.
        base: start of the record.
        start: start of the word.
        word: end of the word.
        stop: end of the record.
        sign: next `@` from start on, or stop.
        masks: bits of the masks asked for.
    """
    if masks & EMAIL and sign < stop:
        end = email(text, bits, base, start, stop, sign)
        if end >= 0:
            return 0, end
    kind = KINDS[text[start]]
    if not kind & (DIGIT | HEX_LETTER):
        return -1, -1
    after = np.int64(text[word]) if word < stop else np.int64(0)
    if masks & UUID and word - start == 8 and after == HYPHEN:
        end = uuid(text, bits, base, start, stop)
        if end >= 0:
            return 1, end
    if masks & IP and word - start <= LONGEST_GROUP:
        end = -1
        if after == DOT and kind & DIGIT:
            end = ipv4(text, bits, base, start, stop)
        elif after == COLON or (start > base and text[start - 1] == COLON):
            end = ipv6(text, bits, base, start, stop)
        if end >= 0:
            return 2, end
    if masks & HEX:
        end = hexadecimal(text, bits, base, start, word, stop)
        if end >= 0:
            return 3, end
    if masks & NUMBER and kind & DIGIT:
        end = number(text, bits, base, start, word, stop)
        if end >= 0:
            return 4, end
    return -1, -1


@helper
def level_digits(text: np.ndarray, start: int, stop: int) -> int:
    """Writes every run of digits in a word as one 0, in place, and returns where the word ends now."""
    at = start
    for position in range(start, stop):
        digit = KINDS[text[position]] & DIGIT
        if digit and position > start and KINDS[text[position - 1]] & DIGIT:
            continue
        text[at] = ZERO if digit else text[position]
        at += 1
    return at


@helper
def mask_words(
    text: np.ndarray,
    bits: np.ndarray,
    base: int,
    length: int,
    found: np.ndarray,
    count: int,
    masks: int,
    spans: np.ndarray,
) -> int:
    """Applies the masks to the words of one record.

    Args:
        text: bytes, with WRITTEN at their head; the record stands at text[base : base + length].
        bits: uint64; word bits of the record.
        base: start of the record.
        length: bytes of the record.
        found: int64; start and stop of each word, in turn, counted from base.
        count: number of words.
        masks: bits of the masks asked for.
        spans: int64[count, 4]; filled with start and stop of what was read, and of what is written in its place.

    Returns:
        The number of spans: masks, and words of two characters and more.
    """
    stop = base + length
    kept = 0
    passed = base
    sign = base - 1
    for place in range(count):
        start = base + found[2 * place]
        end = base + found[2 * place + 1]
        if start < passed:
            continue
        if masks & EMAIL and sign < start:
            sign = start
            while sign < stop and text[sign] != AT:
                sign += 1
        mask, passed = recognise(text, bits, base, start, end, stop, sign, masks)
        spans[kept, 0] = start
        if mask >= 0:
            spans[kept, 1] = passed
            spans[kept, 2] = mask * SLOT
            spans[kept, 3] = mask * SLOT + LENGTHS[mask]
            kept += 1
            continue
        spans[kept, 1] = end
        spans[kept, 2] = start
        spans[kept, 3] = level_digits(text, start, end) if masks & DIGITS else end
        kept += spans[kept, 3] - start > width(text[start]) or (masks & DIGITS and text[start] == ZERO)
    return kept
