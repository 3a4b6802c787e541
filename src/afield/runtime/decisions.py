"""From what a model computes to an answer: each kind of question has its own rule, which travels as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa

from afield.errors import BundleError
from afield.preprocess.base import Frozen

PREDICTION = "prediction"
UNKNOWN = "unknown"
"""The answer where no known state is near enough."""


class Decision(Protocol):
    """How the numbers of a model become answers."""

    figure: ClassVar[str]
    """The column of the number beside a prediction."""

    def answer(self, raw: np.ndarray) -> dict[str, pa.Array]:
        """The prediction of N records, and the number beside it.

        Args:
            raw: float32[N, ...]; what the model computes.
        """
        ...


@dataclass(frozen=True)
class Classes:
    """The most probable class; of two, the second one from a chosen cut on.

    Args:
        classes: their names; two where the model gives one probability, that of the second.
        cut: probability of the second of two classes from which it is the answer; None for the most probable.
    """

    classes: list[str]
    cut: float | None = None
    figure: ClassVar[str] = "probability"

    def answer(self, raw: np.ndarray) -> dict[str, pa.Array]:
        probabilities = self.probabilities(raw)
        best = self.chosen(probabilities)
        chosen = np.take_along_axis(probabilities, best[:, None], axis=1)[:, 0]
        names = pa.DictionaryArray.from_arrays(pa.array(best, pa.int32()), pa.array(self.classes, pa.string()))
        return {PREDICTION: names, self.figure: pa.array(chosen, pa.float32())}

    def chosen(self, probabilities: np.ndarray) -> np.ndarray:
        """int64[N]: the class that is given for float32[N, C]."""
        if self.cut is None:
            return probabilities.argmax(axis=1)
        return (probabilities[:, 1] >= self.cut).astype(np.int64)

    def probabilities(self, raw: np.ndarray) -> np.ndarray:
        """float32[N, C]; a single output is the probability of the second class."""
        raw = _flat(raw)
        return np.concatenate([1 - raw, raw], axis=1) if raw.shape[1] == 1 else raw


@dataclass(frozen=True)
class Tags:
    """Every tag that is probable enough, joined by the separator.

    Args:
        classes: names of the tags.
        cuts: probability from which each is given.
        separator: between two tags.
    """

    classes: list[str]
    cuts: list[float]
    separator: str
    figure: ClassVar[str] = "probability"

    def answer(self, raw: np.ndarray) -> dict[str, pa.Array]:
        given = raw >= np.array(self.cuts, np.float64)
        names = np.array(self.classes, object)
        texts = [self.separator.join(names[row]) for row in given]
        # How sure the answer is as a whole: as its least sure tag.
        least = np.where(given, raw, 1 - raw).min(axis=1, initial=1.0)
        return {PREDICTION: pa.array(texts, pa.string()), self.figure: pa.array(least, pa.float32())}


@dataclass(frozen=True)
class Value:
    """The number itself."""

    figure: ClassVar[str] = PREDICTION

    def answer(self, raw: np.ndarray) -> dict[str, pa.Array]:
        return {PREDICTION: pa.array(raw.reshape(len(raw)), pa.float32())}


@dataclass(frozen=True)
class Alarm:
    """Abnormal above a calibrated score.

    Args:
        cut: score above which a record is abnormal.
    """

    cut: float
    figure: ClassVar[str] = "score"

    def answer(self, raw: np.ndarray) -> dict[str, pa.Array]:
        scores = raw.reshape(len(raw))
        names = pa.array(["normal", "abnormal"], pa.string())
        over = pa.array((scores.astype(np.float64) > self.cut).astype(np.int32))
        return {PREDICTION: pa.DictionaryArray.from_arrays(over, names), self.figure: pa.array(scores, pa.float32())}


@dataclass(frozen=True)
class Nearest:
    """The name of the nearest reference vector whose radius holds the record; `unknown` where none does.

    Args:
        names: of the states or groups.
        references: float32[R, D].
        states: int32[R]; which name each reference bears.
        radii: float32[S]; distance up to which each name is given; infinite for no limit.
        leads: float32[S]; taken from the distances to a name's references when they are compared; None for nothing.
        known: float32[K, D]; vectors of records whose name is known, by which a name that is added finds its lead.
        levels: float64[S, L]; means of the preprocessing's numbers over the records of each name, by which `adapt`
            finds how much more or less another network counts; None where there are no such numbers.
        turn: float32[D, D]; vectors are multiplied by it before anything is done with them, so that a distance counts
            less where the records of one state differ much; None for vectors as they are.
    """

    names: list[str]
    references: np.ndarray
    states: np.ndarray
    radii: np.ndarray
    leads: np.ndarray | None = None
    known: np.ndarray | None = None
    levels: np.ndarray | None = None
    turn: np.ndarray | None = None
    figure: ClassVar[str] = "distance"

    def __post_init__(self) -> None:
        """Refuses numbers that do not fit together, which a bundle from elsewhere may hold."""
        states = self.states
        fits = self.references.ndim == 2 and states.shape == self.references.shape[:1] and len(states) > 0
        if not fits or self.radii.shape != (len(self.names),) or states.min() < 0 or states.max() >= len(self.names):
            raise ValueError("references, states, names and radii are not of one number")
        each = [array for array in (self.leads, self.levels) if array is not None]
        size = self.references.shape[1]
        if any(len(array) != len(self.names) for array in each) or (
            self.turn is not None and self.turn.shape != (size, size)
        ):
            raise ValueError("leads, levels or turn are not of the size of names and vectors")

    def answer(self, raw: np.ndarray) -> dict[str, pa.Array]:
        vectors = self.placed(raw)
        apart = self.apart(vectors)
        held = apart <= self.radii[self.states]
        known = np.any(held, axis=1)
        best = np.where(held | ~known[:, None], self._offered(apart), np.inf).argmin(axis=1)
        state = np.where(known, self.states[best], len(self.names)).astype(np.int32)
        names = pa.array([*self.names, UNKNOWN], pa.string())
        return {
            PREDICTION: pa.DictionaryArray.from_arrays(pa.array(state), names),
            self.figure: pa.array(self._distance(vectors, best), pa.float32()),
        }

    def nearest(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """State (int32[N]) of the nearest reference, whatever its radius, and the distance to it (float32[N])."""
        vectors = self.placed(raw)
        best = self._offered(self.apart(vectors)).argmin(axis=1)
        return self.states[best], self._distance(vectors, best)

    def placed(self, raw: np.ndarray) -> np.ndarray:
        """float32[N, D]: what a model computes, as it is compared."""
        vectors = _flat(raw)
        return vectors if self.turn is None else vectors @ self.turn

    def apart(self, vectors: np.ndarray) -> np.ndarray:
        """Euclidean distances of placed vectors, float32[N, D], to the references: float32[N, R]."""
        # Around their own middle, so that squares of far-off vectors do not drown the distances.
        middle = self.references.mean(axis=0)
        vectors, references = vectors - middle, self.references - middle
        squared = (vectors**2).sum(axis=1)[:, None] - 2 * vectors @ references.T + (references**2).sum(axis=1)[None, :]
        return np.sqrt(np.maximum(squared, 0))

    def _offered(self, apart: np.ndarray) -> np.ndarray:
        return apart if self.leads is None else apart - self.leads[self.states]

    def _distance(self, vectors: np.ndarray, best: np.ndarray) -> np.ndarray:
        """float32[N]; computed again for one reference alone, with all digits."""
        return np.sqrt(((vectors - self.references[best]) ** 2).sum(axis=1)).astype(np.float32)


@dataclass(frozen=True)
class Text:
    """The text that was written.

    Args:
        characters: uint32[C]; the code points that the network knows, by their numbers.
        length: characters to write.
        temperature: of the choice; 0 for the most probable character always.
    """

    characters: np.ndarray
    length: int
    temperature: float
    figure: ClassVar[str] = "nats"

    def answer(self, raw: np.ndarray) -> dict[str, pa.Array]:
        """The texts, and the mean of the negative natural logarithms of their characters' probabilities.

        Args:
            raw: float32[N, length, 2]; number of each character that was written, and its nats.
        """
        points = self.characters[raw[..., 0].astype(np.int64)].astype("<u4")
        texts = [row.tobytes().decode("utf-32-le", errors="replace") for row in points]
        nats = raw[..., 1].sum(axis=1) / max(raw.shape[1], 1)
        return {PREDICTION: pa.array(texts, pa.string()), self.figure: pa.array(nats, pa.float32())}


def frozen(decision: Decision) -> tuple[str, Frozen]:
    """Kind and content of a decision, as a bundle carries it."""
    kind = next(name for name, known in KINDS.items() if known is type(decision))
    config = dict(vars(decision))
    arrays = {name: config.pop(name) for name in list(config) if isinstance(config[name], np.ndarray)}
    return kind, Frozen(config, arrays)


def thawed(kind: str, content: Frozen) -> Decision:
    """What `frozen` gave.

    Raises:
        BundleError: a kind that is not known here, or a content that does not fit it.
    """
    if kind not in KINDS:
        raise BundleError(f"the bundle decides by '{kind}', which this Afield does not know; upgrade it")
    try:
        return KINDS[kind](**content.config, **content.arrays)
    except (TypeError, ValueError) as wrong:
        raise BundleError(f"the bundle's decision '{kind}' is not whole: {wrong}") from None


def _flat(raw: np.ndarray) -> np.ndarray:
    """One row a record, also of no records."""
    return raw.reshape(len(raw), int(np.prod(raw.shape[1:])))


KINDS: Mapping[str, Any] = {
    "classes": Classes,
    "tags": Tags,
    "value": Value,
    "alarm": Alarm,
    "nearest": Nearest,
    "text": Text,
}
"""Kind -> rule."""
