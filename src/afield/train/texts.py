"""The records of a use case as one text: cut by position, its characters numbered, learned in windows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from afield.errors import DataError, UseCaseError
from afield.preprocess.base import Frozen
from afield.preprocess.characters.step import CharactersStep
from afield.preprocess.pipeline import Pipeline
from afield.preprocess.windows import Windows
from afield.train.base import Examples
from afield.usecase.training import Split


@dataclass(frozen=True)
class Text:
    """A text in three parts, the first of which trains and the last of which tests.

    Args:
        feature: name of what the network reads.
        ids: int32[T]; numbers of all characters, the training part first, then validation, then test.
        ends: where each of the parts ends.
        characters: what the numbers stand for.
        windows: of all three parts, those of a part never reach into another one.
        parts: int64[...]; which windows belong to each part.
    """

    feature: str
    ids: np.ndarray
    ends: tuple[int, int, int]
    characters: list[str]
    windows: Windows
    parts: tuple[np.ndarray, np.ndarray, np.ndarray]

    @property
    def training(self) -> np.ndarray:
        """int32[A]: the part that trains."""
        return self.ids[: self.ends[0]]

    @property
    def validation(self) -> np.ndarray:
        """int32[B]: the part that is held back to watch the training."""
        return self.ids[self.ends[0] : self.ends[1]]

    @property
    def test(self) -> np.ndarray:
        """int32[C]: the part that judges."""
        return self.ids[self.ends[1] :]

    @property
    def fingerprint(self) -> str:
        """Equal for equal texts that are cut in the same way."""
        shape = f"{self.ends} {self.windows.length} {''.join(self.characters)}".encode(errors="surrogatepass")
        return hashlib.sha256(self.ids.tobytes() + self.windows.starts.tobytes() + shape).hexdigest()

    def examples(self, rows: np.ndarray) -> Examples:
        """Some windows (int64[M]), and the character after each of their places."""
        windows = self.windows.take(rows)
        return Examples({self.feature: windows}, Windows(self.ids, windows.starts + 1, windows.length))


def text_of(pipeline: Pipeline, table: pa.Table, split: Split) -> Text:
    """Cuts the text of the records, fits the characters on its first part, and numbers all of them.

    Args:
        pipeline: of one `characters` step, not fitted; it is fitted here.
        table: the records, each a line of the text.
        split: shares of the parts.

    Raises:
        UseCaseError: the pipeline is another one.
        DataError: a part is too short for a window, or has no characters that are known.
    """
    step = pipeline.characters
    if step is None or pipeline.window is not None:
        raise UseCaseError("preprocess: `kind: write` reads the `characters` step, and that alone")
    texts = _cut(step.text(table.to_batches()), split)
    lines = pa.array(texts[0].split("\n"), pa.large_string())
    pipeline.fit([pa.record_batch({step.declared.column: lines})])
    return _numbered(step, pipeline.parts[0].fitted, texts, split)


def _cut(text: str, split: Split) -> list[str]:
    last = len(text) - round(split.test * len(text))
    first = last - round(split.validation * len(text))
    return [text[:first], text[first:last], text[last:]]


def _numbered(step: CharactersStep, frozen: Frozen, texts: list[str], split: Split) -> Text:
    numbered = [step.encode(frozen, text) for text in texts]
    length = step.declared.window
    names = ("training", "validation", "test")
    for name, ids in zip(names, numbered, strict=True):
        if len(ids) <= length and (name != "validation" or split.validation):
            raise DataError(
                f"train.split: the {name} part has {len(ids):,} character{'s' * (len(ids) != 1)}, and a window of"
                f" {length} needs {length + 1}: give more text or another share, or lower `window` of `characters`"
            )
    ends = np.cumsum([len(ids) for ids in numbered])
    stride = step.declared.stride or max(length // 2, 1)
    # Windows that judge lie side by side, so that each character counts once.
    starts = [
        _starts(int(end) - len(ids), int(end), length, stride if name == "training" else length)
        for name, ids, end in zip(names, numbered, ends, strict=True)
    ]
    bounds = np.cumsum([0, *map(len, starts)])
    parts = [np.arange(low, high) for low, high in pairwise(bounds)]
    ids = np.concatenate(numbered)
    return Text(
        step.declared.output,
        ids,
        (int(ends[0]), int(ends[1]), int(ends[2])),
        step.names(frozen),
        Windows(ids, np.concatenate(starts), length),
        (parts[0], parts[1], parts[2]),
    )


def _starts(first: int, end: int, length: int, stride: int) -> np.ndarray:
    """Windows of a part; the character after each window is in the part too."""
    return np.arange(first, max(end - length, first), stride, dtype=np.int64)
