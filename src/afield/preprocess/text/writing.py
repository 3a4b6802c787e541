"""Text as a report or a bundle may show it: what a mask covers stands there by name, or as a neutral value."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from afield.preprocess.text.masks import DIGITS, NAMES
from afield.preprocess.text.reading import Reading

Writer = Callable[[str, str], str]
"""What is written for the name of a mask and what it covers; `digits` covers each run of digits left in a word."""

STAND_INS = {
    "email": "a@b.cc",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "ip": "0.0.0.0",
    "hex": "0x0",
    "number": "0",
    "digits": "0",
}
DIGIT, DIGITS_IN_A_ROW = re.compile("[0-9]"), re.compile("[0-9]+")
DOTTED_I, DOT_ABOVE = "\u0130", "\u0307"


def named(name: str, _: str) -> str:
    """The name, for people."""
    return "0" if name == "digits" else f"<{name}>"


def neutral(name: str, text: str) -> str:
    """A short value of the same kind, for kernels."""
    return STAND_INS[name] + _after(text)


def levelled(name: str, text: str) -> str:
    """A value that reads as the text does wherever it stands: every letter and digit gives way to one of its kind.

    Where a mask fits depends, beyond the value itself, on which of the characters around it are digits, hex digits and
    other letters. Of values, only octets of an IPv4 address are compared: 0 always is one, 999 never.
    """
    kept = 2 if name == "hex" and text[:2].lower() == "0x" else 0
    octets = text.rfind(":") + 1 if name == "ip" and "." in text else len(text)
    groups = "".join(_levelled(letter, "9") for letter in text[kept:octets])
    return text[:kept].lower() + groups + DIGIT.sub("0", text[octets:]) + _after(text)


def texts(data: np.ndarray, offsets: np.ndarray) -> list[str]:
    """The N records between the offsets, bytes that are not UTF-8 replaced.

    Args:
        data: uint8; UTF-8 of all records.
        offsets: int64[N + 1].
    """
    return [data[start:stop].tobytes().decode(errors="replace") for start, stop in pairwise(offsets.tolist())]


def covered_in(
    data: np.ndarray, offsets: np.ndarray, reading: Reading, blocks: np.ndarray, records: np.ndarray
) -> list[np.ndarray]:
    """What the masks cover in each of the N records between the offsets, see `covered.covered`."""
    # Compiled when it is imported: not before there is text to write.
    from afield.preprocess.text.covered import covered

    return [covered(data, offsets[row : row + 2], reading, blocks, records) for row in range(len(offsets) - 1)]


def write(texts: Sequence[str], found: Sequence[np.ndarray], masks: int, writer: Writer) -> list[str]:
    """Writes N records anew.

    Args:
        texts: the records.
        found: what the masks cover in each of them, see `covered.covered`.
        masks: bits of the masks.
        writer: of what is covered.
    """
    pairs = zip(texts, found, strict=True)
    return [_written(text.encode(), spans.tolist(), bool(masks & DIGITS), writer) for text, spans in pairs]


def _written(text: bytes, spans: Sequence[Sequence[int]], digits: bool, writer: Writer) -> str:
    parts: list[str] = []
    at = 0
    for start, stop, place in [*spans, (len(text), len(text), -1)]:
        between = text[at:start].decode()
        parts.append(DIGITS_IN_A_ROW.sub(lambda run: writer("digits", run.group()), between) if digits else between)
        if place >= 0:
            parts.append(writer(NAMES[place], text[start:stop].decode()))
        at = stop
    return "".join(parts)


def _levelled(letter: str, digit: str) -> str:
    if DIGIT.match(letter):
        return digit
    if letter in "abcdefABCDEF":
        return "f"
    return "x" if letter.isalpha() else letter


def _after(text: str) -> str:
    """Lower-cased, a dotted I is an i and a dot above: a mask ends between the two."""
    return DOT_ABOVE if text.endswith(DOTTED_I) else ""
