"""A network at work that writes: it reads a start once, and then one character after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from afield.preprocess.base import Frozen
from afield.preprocess.characters.step import CharactersStep
from afield.preprocess.pipeline import Pipeline
from afield.runtime.decisions import Text
from afield.runtime.session import Session

STRETCH = 1024
"""Characters of a text that are read in one call."""
ROWS = 64
"""Texts that are written side by side."""
EXAMPLE_CHARACTERS = 24
"""Characters that are written after the start of an example."""
TINY = float(np.finfo(np.float32).tiny)
"""In place of a probability of zero, whose logarithm is none."""

Chances = tuple[np.ndarray, list[np.ndarray]]
"""Probabilities of the next character float32[N, C], and the states that they came with."""


class Writer:
    """Writes the text that goes on after a start.

    A character costs one step of the network, however long the text is already: what was read is in its state.

    Args:
        session: of a network that carries its state.
        step: turns text to numbers.
        frozen: what the step was fitted to.
    """

    def __init__(self, session: Session, step: CharactersStep, frozen: Frozen) -> None:
        self._session = session
        self._step = step
        self._frozen = frozen

    @classmethod
    def of(cls, session: Session, pipeline: Pipeline) -> Writer:
        """The writer of a network and its preprocessing."""
        step = pipeline.characters
        assert step is not None, "a text is written from characters"
        return cls(session, step, pipeline.parts[0].fitted)

    def write(self, start: str, length: int, temperature: float, seed: int = 0) -> str:
        """The text after a start; see `characters`."""
        return "".join(self.characters(start, length, temperature, seed))

    def characters(self, start: str, length: int, temperature: float, seed: int = 0) -> Iterator[str]:
        """The characters after a start, one by one as they are written.

        Args:
            start: characters of it that the network does not know are replaced or left out, as the step says; a start
                of which nothing is left stands for the beginning of a line.
            length: characters to write.
            temperature: below 1, surer and duller; above, bolder; 0 takes the most probable character always.
            seed: of the choice; the same seed writes the same text.
        """
        for chosen, _ in self._written([start], length, temperature, [seed]):
            yield self._step.decode(self._frozen, chosen)

    def continued(self, records: pa.RecordBatch, length: int, temperature: float) -> np.ndarray:
        """How the text of each record goes on; its own text is the seed of the choice.

        Args:
            records: N of them, with the column of the step.
            length: characters to write.
            temperature: of the choice.

        Returns:
            float32[N, length, 2]: the number of each character that was written, and its nats.
        """
        starts = self._step.lines(records)
        written = np.zeros((len(starts), length, 2), np.float32)
        for first in range(0, len(starts), ROWS):
            some = starts[first : first + ROWS]
            for place, pair in enumerate(self._written(some, length, temperature, [_seed(start) for start in some])):
                written[first : first + len(some), place] = np.stack(pair, axis=1)
        return written

    def decided(self, start: str, length: int) -> float:
        """By how much the most probable character is ahead of the second, where it is least so, as it is written on."""
        chances, states = self._begun([start])
        least = 1.0
        for _ in range(length):
            second, first = np.sort(chances[0])[-2:]
            least = min(least, float(first - second))
            chances, states = self._next(chances.argmax(axis=1), states)
        return least

    def _written(
        self, starts: Sequence[str], length: int, temperature: float, seeds: Sequence[int]
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """int64[N] characters and float32[N] nats, place by place."""
        draws = [np.random.default_rng(seed) for seed in seeds]
        chances, states = self._begun(starts)
        for place in range(length):
            chosen = choose(chances, np.array([draw.random() for draw in draws]), temperature)
            right = np.take_along_axis(chances, chosen[:, None], axis=1)[:, 0]
            yield chosen, -np.log(np.maximum(right, TINY))
            if place + 1 < length:
                chances, states = self._next(chosen, states)

    def _begun(self, starts: Sequence[str]) -> Chances:
        """What is known after each start has been read."""
        chances, states = zip(*(self._read(start) for start in starts), strict=True)
        return np.concatenate(chances), [np.concatenate(state) for state in zip(*states, strict=True)]

    def _read(self, start: str) -> Chances:
        ids = self._step.encode(self._frozen, start)
        if not len(ids):
            ids = np.append(self._step.encode(self._frozen, "\n"), np.int32(0))[:1]
        states, answers = None, np.zeros(0)
        for first in range(0, len(ids), STRETCH):
            answers, states = self._session.carried(ids[None, first : first + STRETCH], states)
        assert states is not None
        return answers[:, -1], states

    def _next(self, chosen: np.ndarray, states: list[np.ndarray]) -> Chances:
        answers, states = self._session.carried(chosen[:, None], states)
        return answers[:, 0], states


def choose(chances: np.ndarray, draws: np.ndarray, temperature: float) -> np.ndarray:
    """int64[N]: a character of each row.

    Args:
        chances: float32[N, C]; its probabilities.
        draws: float64[N]; random numbers from 0 to 1.
        temperature: the probabilities are raised to its inverse; 0 takes the most probable character.
    """
    if not temperature:
        return chances.argmax(axis=1)
    logarithms = np.log(np.maximum(chances.astype(np.float64), TINY))
    weights = np.exp((logarithms - logarithms.max(axis=1, keepdims=True)) / temperature)
    sums = weights.cumsum(axis=1)
    return (sums <= draws[:, None] * sums[:, -1:]).sum(axis=1)


def surest(decision: Text) -> Text:
    """How the examples of a bundle are answered: without chance, and short."""
    return replace(decision, length=EXAMPLE_CHARACTERS, temperature=0.0)


def _seed(start: str) -> int:
    """A number that depends on a text alone."""
    digest = hashlib.sha256(start.encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8], "little")
