"""A bundle at work: raw records in, answers out, the same in a person's process and in the loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from afield.bundle import Bundle, open_bundle
from afield.bundle.examples import EXAMPLE, EXPECTED, FIGURE
from afield.errors import BundleError, StateError
from afield.preprocess.base import Carry
from afield.preprocess.pipeline import Pipeline
from afield.runtime.decisions import PREDICTION, Decision, Text, thawed
from afield.runtime.session import Session
from afield.runtime.writing import Writer, surest

TOLERANCE = 1e-3
"""By how much the figure of an example may differ between machines, relative to 1 or to itself where it is larger:
float32 sums in another order."""


@dataclass(frozen=True)
class Answers:
    """What a model says to a batch of records.

    Args:
        columns: prediction, and the number beside it; M rows.
        figure: the column of that number.
        ends: int64[M]; the record that each answer is given for.
        carry: what the next batch needs.
        terms: number of terms in the records.
        unknown: number of them that training never met.
    """

    columns: dict[str, pa.Array]
    figure: str
    ends: np.ndarray
    carry: Carry = None
    terms: int = 0
    unknown: int = 0


class Predictor:
    """The preprocessing and the model of one version, ready to answer.

    Args:
        bundle: opened, or the path of its file.
        threads: processor threads a call may use; None for all.

    Raises:
        BundleError: the bundle is damaged, or its examples are answered differently here.
    """

    def __init__(self, bundle: Bundle | Path, threads: int | None = None) -> None:
        opened = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
        self.manifest = opened.manifest
        self.version = opened.manifest.version
        self.usecase = opened.usecase
        self.pipeline = Pipeline.restored(opened.steps)
        self.decision = thawed(*opened.decision)
        given = {one.feature for one in self.pipeline.inputs()}
        wanted = {one.feature for one in opened.manifest.inputs if one.form not in ("joined", "state")}
        if wanted - given:
            raise BundleError(
                f"{opened.path}: the network reads the feature '{min(wanted - given)}', and the preprocessing gives"
                f" {', '.join(sorted(given))}; pack the bundle again"
            )
        self.session = Session(opened.network, opened.manifest.inputs, str(opened.path), threads)
        self.writer = Writer.of(self.session, self.pipeline) if isinstance(self.decision, Text) else None
        self._check(opened)

    def answer(self, records: pa.RecordBatch, carry: Carry = None) -> Answers:
        """Answers N records.

        Args:
            records: with the columns that the preprocessing reads.
            carry: of the batch before, where records are joined to windows.

        Raises:
            DataError: a column that the preprocessing reads is not there.
        """
        return self._answered(records, carry, self.decision)

    def writing(self) -> tuple[Writer, Text]:
        """What writes text, and how it does where nothing else is asked for.

        Raises:
            StateError: the version does not write.
        """
        if self.writer is None or not isinstance(self.decision, Text):
            raise StateError(f"{self.version} does not write text; a use case with `question: {{kind: write}}` does")
        return self.writer, self.decision

    def _answered(self, records: pa.RecordBatch, carry: Carry, decision: Decision) -> Answers:
        self.pipeline.columns(records.schema)
        if isinstance(decision, Text) and self.writer:
            columns = decision.answer(self.writer.continued(records, decision.length, decision.temperature))
            return Answers(columns, decision.figure, np.arange(records.num_rows))
        read = self.pipeline.read(records, carry)
        columns = decision.answer(self.session.answer(read.features))
        return Answers(columns, decision.figure, read.ends, read.carry, read.terms, read.unknown)

    def _check(self, bundle: Bundle) -> None:
        decision = surest(self.decision) if isinstance(self.decision, Text) else self.decision
        for number, batch in enumerate(example_batches(bundle.examples), 1):
            answers = self._answered(batch, None, decision)
            if not len(answers.ends):
                raise BundleError(f"{bundle.path}: refused to start: example {number} is given no answer here")
            names = _texts(answers.columns[PREDICTION])
            figures = answers.columns[answers.figure].to_numpy()
            for place, (name, figure) in enumerate(zip(names, figures, strict=True)):
                row = int(answers.ends[place])
                expected, wanted = batch[EXPECTED][row].as_py(), batch[FIGURE][row].as_py()
                if expected is None:
                    continue
                same = answers.figure == PREDICTION or name == expected
                if not same or not abs(figure - wanted) <= TOLERANCE * max(1.0, abs(wanted)):
                    where = number if EXAMPLE in batch.schema.names else place + 1
                    raise BundleError(
                        f"{bundle.path}: refused to start: example {where} must be answered {expected!r} with"
                        f" {wanted:.4f}, here it is {name!r} with {figure:.4f}; this machine's libraries compute"
                        " something else: pack the bundle again, or install the versions named in its manifest"
                    )


def example_batches(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """All examples at once, or one by one where each is a window of rows."""
    (batch,) = table.combine_chunks().to_batches()
    if EXAMPLE not in batch.schema.names:
        yield batch
        return
    numbers = batch[EXAMPLE].to_numpy()
    for rows in np.split(np.arange(len(numbers)), np.flatnonzero(np.diff(numbers)) + 1):
        yield batch.slice(int(rows[0]), len(rows))


def _texts(column: pa.Array) -> list[str]:
    return column.cast(pa.string()).to_pylist()
