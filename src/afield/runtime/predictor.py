"""A bundle at work: raw records in, answers out, the same in a person's process and in the loop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from afield.bundle import Bundle, open_bundle
from afield.bundle.examples import EXPECTED, PROBABILITY
from afield.errors import BundleError
from afield.preprocess.pipeline import Pipeline
from afield.runtime.session import Session

TOLERANCE = 1e-3
"""By how much the probability of an example may differ between machines: float32 sums in another order."""


@dataclass(frozen=True)
class Answers:
    """What a network says to N records.

    Args:
        classes: names of the classes.
        probabilities: float32[N, C].
        terms: number of terms in the records.
        unknown: number of them that training never met.
    """

    classes: pa.StringArray
    probabilities: np.ndarray
    terms: int = 0
    unknown: int = 0

    @property
    def prediction(self) -> pa.DictionaryArray:
        """The most probable class of each record."""
        best = self.probabilities.argmax(axis=1).astype(np.int32)
        return pa.DictionaryArray.from_arrays(pa.array(best), self.classes)

    @property
    def probability(self) -> pa.FloatArray:
        """The probability of that class."""
        return pa.array(self.probabilities.max(axis=1, initial=0))


class Predictor:
    """The preprocessing and the network of one version, ready to answer.

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
        self._classes = pa.array(opened.manifest.classes, pa.string())
        self._session = Session(opened.network, str(opened.path), threads)
        self._check(opened)

    def answer(self, records: pa.RecordBatch) -> Answers:
        """Answers N records.

        Raises:
            DataError: a column that the preprocessing reads is not there.
        """
        self.pipeline.demand(records.schema)
        read = self.pipeline.read(records)
        return Answers(self._classes, self._session.answer(read.features), read.terms, read.unknown)

    def _check(self, bundle: Bundle) -> None:
        examples = bundle.examples.combine_chunks()
        (batch,) = examples.to_batches()
        answers = self.answer(batch)
        names = answers.prediction.cast(pa.string()).to_pylist()
        expected = examples[EXPECTED].to_pylist()
        wrong = [i for i, (name, other) in enumerate(zip(names, expected, strict=True)) if name != other]
        difference = np.abs(answers.probabilities.max(axis=1) - examples[PROBABILITY].to_numpy())
        if wrong or not difference.max(initial=0) <= TOLERANCE:
            first = wrong[0] if wrong else int(difference.argmax())
            raise BundleError(
                f"{bundle.path}: refused to start: example {first + 1} of {len(names)} must be answered"
                f" {expected[first]!r} with {examples[PROBABILITY][first].as_py():.4f}, here it is {names[first]!r}"
                f" with {answers.probabilities[first].max():.4f}; this machine's libraries compute something else:"
                " pack the bundle again, or install the versions named in its manifest"
            )
