"""Simulates seven kinds of log, two of which share whole lines, so that the best possible accuracy is known.

Every line of a kind is drawn alone: with the probability `SHARED_PART` of its kind it is a shared line, otherwise one
of the kind's own messages. The messages of the kinds differ in their words, so an own line tells its kind; a shared
line has the same distribution in both kinds (program, message, numbers, host, time), so it tells nothing, and the best
rule always names the kind that writes more of them. As every kind has as many lines, the rule is right in

    (sum of the kinds' own parts + the larger shared part) / number of kinds

of all lines. That is an expectation over the lines that could be drawn: on a test part of n lines, the share the rule
reaches varies around it by about sqrt(best * (1 - best) / n).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from afield.gallery.logs.messages import KINDS, SHARED, WORDS, Kind
from afield.gallery.simulated import Simulated

SHARED_PART: Mapping[str, float] = {"system": 0.08, "wifi": 0.05}
"""Kind -> the part of its lines that are shared ones."""

_SECONDS_BETWEEN = 600
_TRAINING_START = datetime(2025, 1, 6, tzinfo=UTC)
_FRESH_START = datetime(2035, 1, 1, tzinfo=UTC)


def best_accuracy() -> float:
    """The expected accuracy of the best possible classifier, from the distribution the lines are drawn from."""
    own = sum(1 - SHARED_PART.get(kind, 0) for kind in KINDS)
    return (own + max(SHARED_PART.values())) / len(KINDS)


def simulate(folder: Path, lines_per_kind: int = 2000, seed: int = 0, *, rotated: bool = False) -> Simulated:
    """Writes one file a kind, `KIND.log`, and beside the folder `FOLDER.json` with the best possible accuracy.

    Args:
        folder: where to; made if it is not there.
        lines_per_kind: lines of each kind.
        seed: start of the random numbers; the same seed writes the same bytes.
        rotated: the older half of each kind goes to `KIND.log.1`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    for number, name in enumerate(KINDS):
        lines = list(_lines(name, lines_per_kind, _TRAINING_START, np.random.default_rng([seed, number])))
        half = lines_per_kind // 2
        parts = {f"{name}.log.1": lines[:half], f"{name}.log": lines[half:]} if rotated else {f"{name}.log": lines}
        for file_name, part in parts.items():
            (folder / file_name).write_text("".join(f"{line}\n" for line in part), encoding="utf-8")
            files.append(folder / file_name)
    facts = {"best_accuracy": best_accuracy(), "lines_per_kind": lines_per_kind, "seed": seed, "shared": SHARED_PART}
    folder.with_name(f"{folder.name}.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    note = (
        f"{lines_per_kind} simulated lines of each of {len(KINDS)} kinds; "
        f"the best possible accuracy is {best_accuracy():.4f}, as two kinds share some of their lines"
    )
    return Simulated(note, best_accuracy(), tuple(files))


def fresh_lines(number: int, seed: int = 0) -> list[tuple[str, str]]:
    """Lines that `simulate` never writes, as their dates are later than any of its own: (kind, line) in random order.

    Args:
        number: how many.
        seed: start of the random numbers.
    """
    rng = np.random.default_rng([seed, len(KINDS)])
    names = list(KINDS)
    drawn = [names[index] for index in rng.integers(len(names), size=number)]
    streams = {name: _lines(name, number, _FRESH_START, rng) for name in names}
    return [(name, next(streams[name])) for name in drawn]


def _lines(name: str, number: int, start: datetime, rng: np.random.Generator) -> Iterator[str]:
    now = start
    for shared in rng.random(number) < SHARED_PART.get(name, 0):
        now += timedelta(seconds=float(rng.exponential(_SECONDS_BETWEEN)))
        yield _line(SHARED if shared else KINDS[name], now, rng)


def _line(kind: Kind, now: datetime, rng: np.random.Generator) -> str:
    given = {
        "date": f"{now:%Y-%m-%d}",
        "clock": f"{now:%H:%M:%S}",
        "day": f"{now:%d}",
        "month": WORDS["month"][now.month - 1],
        "year": f"{now:%Y}",
        "program": _one(kind.programs, rng),
        "message": _filled(_one(kind.messages, rng), {}, rng),
    }
    return _filled(kind.line, given, rng)


def _filled(template: str, given: Mapping[str, str], rng: np.random.Generator) -> str:
    words: list[str] = []
    for part, slot in _parts(template):
        words.append(part)
        if slot in given:
            words.append(given[slot])
        elif slot in WORDS:
            words.append(_one(WORDS[slot], rng))
        elif slot:
            words.append(_DRAWN[slot](rng))
    return "".join(words)


@cache
def _parts(template: str) -> tuple[tuple[str, str], ...]:
    """A template as (text, the slot after it); the last slot is empty."""
    pieces = re.split(r"\{(\w+)\}", template)
    return tuple(zip(pieces[::2], [*pieces[1::2], ""], strict=True))


def _one(words: tuple[str, ...], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]


def _few(rng: np.random.Generator) -> str:
    return str(int(rng.integers(1, 60)))


def _number(rng: np.random.Generator) -> str:
    return str(int(10 ** rng.uniform(2, 6)))


def _pid(rng: np.random.Generator) -> str:
    return str(int(rng.integers(2, 32768)))


def _hex(rng: np.random.Generator) -> str:
    return rng.bytes(6).hex()


def _ip(rng: np.random.Generator) -> str:
    return ".".join(str(byte) for byte in rng.bytes(4))


def _mac(rng: np.random.Generator) -> str:
    return rng.bytes(6).hex(":")


def _uuid(rng: np.random.Generator) -> str:
    digits = rng.bytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _version(rng: np.random.Generator) -> str:
    return ".".join(str(part) for part in rng.integers(0, 30, size=3))


def _email(rng: np.random.Generator) -> str:
    return f"{_one(WORDS['user'], rng)}{_few(rng)}@{_one(WORDS['domain'], rng)}"


_DRAWN: Mapping[str, Callable[[np.random.Generator], str]] = {
    "email": _email,
    "few": _few,
    "hex": _hex,
    "ip": _ip,
    "mac": _mac,
    "number": _number,
    "pid": _pid,
    "uuid": _uuid,
    "version": _version,
}
