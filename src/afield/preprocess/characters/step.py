"""The characters step at work: the vocabulary of a text, and the text as numbers and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from afield.errors import DataError
from afield.preprocess.base import Frozen, StepInput
from afield.preprocess.characters.spec import Characters
from afield.preprocess.demand import demand

NEWLINE = 10
"""What stands between two records."""
CODE_POINTS = 0x110000


@dataclass
class Counts:
    """What is known of the training text so far.

    Args:
        totals: int64[1114112]; how often each code point stands in the records.
        records: number of records.
    """

    totals: np.ndarray = field(default_factory=lambda: np.zeros(CODE_POINTS, np.int64))
    records: int = 0


class CharactersStep:
    """Text to the numbers of its characters: each record is a line of one text.

    A record has no features of its own: a network that writes reads stretches of the whole text, see `text`.

    Args:
        declared: the step as declared in the use case.
    """

    def __init__(self, declared: Characters) -> None:
        self.declared = declared

    @property
    def line(self) -> str:
        """The column that a line of text is read as."""
        return self.declared.column

    def columns(self, frozen: Frozen | None, schema: pa.Schema) -> list[str]:
        """The column that it reads.

        Raises:
            DataError: it is not there.
        """
        demand(schema, self.declared.column, "preprocess.characters.column")
        return [self.declared.column]

    def masked(self, batch: pa.RecordBatch, written: Literal["names", "stand-ins"]) -> dict[str, pa.Array]:
        """Its column as it is: nothing is covered."""
        return {self.declared.column: batch.column(self.declared.column)}

    def observe(self, state: Counts | None, batch: pa.RecordBatch) -> Counts:
        """Counts the characters of a batch of training records; the state given is changed and returned."""
        counts = state or Counts()
        points = _code_points("".join(self.lines(batch)))
        found = np.bincount(points)
        counts.totals[: len(found)] += found
        counts.records += batch.num_rows
        return counts

    def freeze(self, state: Counts) -> Frozen:
        """Chooses the characters that are learned, sorted by code point.

        Raises:
            DataError: fewer than two are left.
        """
        totals = state.totals.copy()
        totals[NEWLINE] += max(state.records - 1, 0)
        unknown = self.declared.unknown
        least = max(self.declared.min_count, 1)
        if unknown is not None:
            # It is learned however rarely it stands in the text.
            totals[ord(unknown)] = np.iinfo(np.int64).max
        found = np.flatnonzero(totals >= least)
        most = found[np.argsort(-totals[found], kind="stable")][: self.declared.max_size]
        if len(most) < 2:
            raise DataError(
                f"column '{self.declared.column}': expected text of two characters or more, found {len(most)} that "
                f"stand {least} times or more in {state.records} records; name another column or lower min_count"
            )
        config = {"characters": self.declared.model_dump(mode="json"), "records": state.records}
        return Frozen(config, {"characters": np.sort(most).astype(np.uint32)})

    def inputs(self, frozen: Frozen) -> list[StepInput]:
        """A window of characters; they are no categories, as the network says itself how it reads them."""
        return [StepInput(self.declared.output, (self.declared.window,), "int32")]

    def size(self, frozen: Frozen) -> int:
        """Number of characters that are learned."""
        return len(frozen.arrays["characters"])

    def names(self, frozen: Frozen) -> list[str]:
        """The characters that are learned, by their numbers."""
        return [chr(point) for point in frozen.arrays["characters"].tolist()]

    def encode(self, frozen: Frozen, text: str) -> np.ndarray:
        """int32[T]: the numbers of the characters of a text.

        Characters that are not learned become the one that stands for them, or are left out where there is none.
        """
        learned = frozen.arrays["characters"]
        points = _code_points(text)
        places = np.minimum(np.searchsorted(learned, points), len(learned) - 1).astype(np.int32)
        known = learned[places] == points
        if known.all():
            return places
        unknown = self.declared.unknown
        if unknown is None:
            return places[known]
        return np.where(known, places, np.searchsorted(learned, ord(unknown)).astype(np.int32))

    def decode(self, frozen: Frozen, numbers: np.ndarray) -> str:
        """The text of the numbers of characters (int[T])."""
        points = frozen.arrays["characters"][numbers]
        return points.astype("<u4").tobytes().decode("utf-32-le", errors="replace")

    def text(self, batches: Iterable[pa.RecordBatch]) -> str:
        """All records as one text, a line each."""
        return "\n".join(line for batch in batches for line in self.lines(batch))

    def lines(self, batch: pa.RecordBatch) -> list[str]:
        """The text of each of N records; an empty one where there is none.

        Raises:
            DataError: the column is no text.
        """
        column: Any = batch.column(self.declared.column)
        try:
            return [line or "" for line in column.cast(pa.large_string()).to_pylist()]
        except pa.ArrowInvalid as refused:
            raise DataError(
                f"column '{self.declared.column}': expected text, found {column.type} that is none ({refused})"
            ) from refused


def _code_points(text: str) -> np.ndarray:
    # A lone surrogate cannot come from UTF-8, but a caller may write one.
    return np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), "<u4")
