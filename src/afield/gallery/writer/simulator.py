"""Simulates a text: sentences that a small grammar makes, so that its letters, words and order can be learned."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from afield.gallery.simulated import Simulated

_RULES: Final = {
    "sentence": (
        "{who} {does} {thing}.",
        "{who} {does} {thing}, and {who} {does} {thing}.",
        "{when} {who} {does} {thing}.",
        'It was {weather} in {place}. "{say}," said {name}.',
        '"{say}," said {name} to {name}, "because {who} {does} {thing}."',
        "{when} the {animal} of {place} {moves} to {place}.",
        "In {place} {who} {does} {thing}, {but} {who} {does} not.",
        "Nobody in {place} {does} {thing} when it is {weather}.",
    ),
    "who": ("{name}", "the {quality} {person}", "the {person} of {place}", "a {animal}", "{name} of {place}"),
    "does": ("finds", "carries", "remembers", "sells", "paints", "repairs", "counts", "loses"),
    "moves": ("walks", "flies", "returns", "hurries"),
    "thing": ("the {quality} {object}", "a {object}", "{number} {object}s", "the {object} of the {person}"),
    "say": (
        "I have never seen the {object}",
        "Give me the {quality} {object}",
        "The {animal} is {quality}",
        "You may keep {number} {object}s",
        "Tomorrow it will be {weather}",
    ),
    "when": ("In the morning", "At noon", "Every evening", "Before the rain", "After the feast", "Once a year"),
    "weather": ("cold", "windy", "warm and still", "raining", "foggy", "clear"),
    "but": ("but", "although", "while"),
    "name": ("Anna", "Bertil", "Clara", "David", "Edda", "Fritz", "Greta", "Henrik"),
    "place": ("Altmoor", "Brendal", "Castor", "Dunwick", "Elmet", "the valley", "the harbour"),
    "person": ("miller", "baker", "captain", "doctor", "gardener", "teacher", "weaver"),
    "animal": ("raven", "horse", "goose", "fox", "old dog", "swallow"),
    "object": ("lantern", "letter", "boat", "wheel", "basket", "mirror", "coat", "barrel"),
    "quality": ("small", "silent", "honest", "broken", "golden", "heavy", "patient", "blue"),
    "number": ("two", "three", "seven", "ten", "a hundred"),
}
"""Name of a part -> the ways to write it; {NAME} stands for a part."""

_SENTENCES_A_LINE: Final = 4


def simulate(folder: Path, *, seed: int, characters: int = 300_000) -> Simulated:
    """Writes `text.txt`, a paragraph a line.

    Args:
        folder: where to; made if it is not there.
        seed: start of the random numbers; the same seed writes the same bytes.
        characters: how many at least.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    lines: list[str] = []
    written = 0
    while written < characters:
        sentences = [_sentence(rng) for _ in range(int(rng.integers(1, _SENTENCES_A_LINE + 1)))]
        lines.append(" ".join(sentences) + "\n")
        written += len(lines[-1])
    file = folder / "text.txt"
    file.write_text("".join(lines), encoding="utf-8")
    return Simulated(f"a simulated text of {written:,} characters", files=(file,))


def _sentence(rng: np.random.Generator) -> str:
    made = _made("sentence", rng)
    return made[0].upper() + made[1:]


def _made(part: str, rng: np.random.Generator) -> str:
    ways = _RULES[part]
    text, *rest = ways[int(rng.integers(len(ways)))].split("{")
    for piece in rest:
        name, after = piece.split("}")
        text += _made(name, rng) + after
    return text
