"""The preprocessing of a use case as one thing: fitted on training records, frozen, applied anywhere."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from afield.errors import BundleError, DataError, UseCaseError
from afield.preprocess.base import Features, Frozen
from afield.preprocess.text.spec import Text
from afield.preprocess.text.step import TextStep, vocabulary
from afield.usecase.base import Component
from afield.usecase.components import name_of, offered


@dataclass(frozen=True)
class Read:
    """Records, read.

    Args:
        features: what enters the network.
        terms: number of terms in the records.
        unknown: number of them that training never met.
    """

    features: Features
    terms: int
    unknown: int


class Pipeline:
    """The steps of a use case, for now one text step.

    Args:
        name: of the step in a use case.
        step: at work.
        frozen: what it was fitted to; None before the fit.
    """

    def __init__(self, name: str, step: TextStep, frozen: Frozen | None = None) -> None:
        self._name = name
        self._step = step
        self._frozen = frozen

    @classmethod
    def of(cls, declared: Sequence[Component]) -> Pipeline:
        """The pipeline of a use case, not fitted.

        Raises:
            UseCaseError: it is not one text step.
        """
        if len(declared) != 1 or not isinstance(declared[0], Text):
            names = ", ".join(name_of(component) for component in declared)
            raise UseCaseError(f"preprocess: expected one `text` step, found {names}")
        return cls(name_of(declared[0]), declared[0].open())

    @classmethod
    def restored(cls, steps: Sequence[tuple[str, Frozen]]) -> Pipeline:
        """The pipeline that a bundle carries.

        Raises:
            BundleError: a step that is not installed here.
        """
        ((name, frozen),) = steps
        kind: Any = offered("step").found.get(name)
        if kind is None:
            raise BundleError(f"the bundle needs the step '{name}', which is not installed here; install its package")
        return cls(name, kind.model_validate(frozen.config[name]).open(), frozen)

    @property
    def column(self) -> str:
        """The column that it reads."""
        return self._step.declared.column

    def demand(self, schema: pa.Schema) -> None:
        """Refuses records without the column that it reads.

        Raises:
            DataError: the column is not there.
        """
        if self.column in schema.names:
            return
        there = [name for name in schema.names if not name.startswith("_")]
        near = difflib.get_close_matches(self.column, there, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(there) or 'no columns'}"
        raise DataError(f"preprocess.{self._name}.column: the records have no column '{self.column}'; {hint}")

    def keys(self, batch: pa.RecordBatch) -> np.ndarray:
        """uint64[N], equal for records that read the same once masked; needs no fit."""
        return self._step.keys(self._frozen, batch)

    def masked(self, batch: pa.RecordBatch, written: Literal["names", "stand-ins"]) -> pa.StringArray:
        """The column that it reads, with everything that a mask covers replaced: what may be stored or shown.

        Args:
            batch: N records.
            written: "names" for people (`<number>`), or "stand-ins" that give the same features.
        """
        return self._step.masked(batch, written)

    def fit(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Fits the steps on training records and freezes them.

        Raises:
            DataError: the records hold nothing to learn from.
        """
        state = None
        for batch in batches:
            state = self._step.observe(state, batch)
        if state is None:
            raise DataError("preprocess: there are no training records to fit it on")
        self._frozen = self._step.freeze(state)

    def features(self, batch: pa.RecordBatch) -> Features:
        """What enters the network."""
        return self._step.transform(self._fitted, None, batch)[0]

    def read(self, batch: pa.RecordBatch) -> Read:
        """What enters the network, and how much of the records training never met."""
        reduced = self._step.reduce(self._fitted, batch)
        features = {self._step.declared.output: reduced.rows}
        return Read(features, int(reduced.terms.sum()), int(reduced.unknown.sum()))

    def vocabulary(self) -> pa.Array:
        """The term of each column of the features."""
        return vocabulary(self._fitted)

    def frozen(self) -> list[tuple[str, Frozen]]:
        """What a bundle carries."""
        return [(self._name, self._fitted)]

    @property
    def _fitted(self) -> Frozen:
        assert self._frozen is not None, "the pipeline is not fitted"
        return self._frozen
