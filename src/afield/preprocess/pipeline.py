"""The preprocessing of a use case as one thing: fitted on training records, frozen, applied anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from afield.errors import BundleError, DataError, UseCaseError
from afield.preprocess.base import Carry, Features, Frozen, Leveled, Step, StepInput
from afield.preprocess.characters.step import CharactersStep
from afield.preprocess.mask.step import MaskStep
from afield.preprocess.text.step import TextStep, vocabulary
from afield.preprocess.window.step import WindowStep
from afield.usecase.base import Component
from afield.usecase.components import name_of, offered


@dataclass
class Part:
    """One step of a pipeline.

    Args:
        name: of the step in a use case.
        step: at work.
        frozen: what it was fitted to; None before the fit.
    """

    name: str
    step: Step[Any]
    frozen: Frozen | None = None

    @property
    def fitted(self) -> Frozen:
        assert self.frozen is not None, "the pipeline is not fitted"
        return self.frozen


@dataclass(frozen=True)
class Read:
    """Records, read.

    Args:
        features: what enters the model; M examples.
        ends: int64[M]; the record that each example stands for, the last one of a window.
        carry: what the next batch needs.
        terms: number of terms in the records.
        unknown: number of them that training never met.
    """

    features: Features
    ends: np.ndarray
    carry: Carry = None
    terms: int = 0
    unknown: int = 0


class Pipeline:
    """The steps of a use case: each gives features of a record, and a last one may join records to windows.

    Args:
        parts: the steps on records.
        window: name and step that joins records, where there is one.
        masks: name and step of what is done to the records before anything else.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        window: tuple[str, WindowStep, Frozen] | None = None,
        masks: Sequence[tuple[str, MaskStep, Frozen]] = (),
    ) -> None:
        self.parts = list(parts)
        self._window = window
        self._masks = list(masks)

    @classmethod
    def of(cls, declared: Sequence[Component]) -> Pipeline:
        """The pipeline of a use case, not fitted.

        Raises:
            UseCaseError: it has no step on records, or a step after the window.
        """
        parts: list[Part] = []
        window: tuple[str, WindowStep, Frozen] | None = None
        masks: list[tuple[str, MaskStep, Frozen]] = []
        for place, component in enumerate(declared):
            name, opener = name_of(component), getattr(component, "open", None)
            if opener is None or name not in offered("step").found:
                raise UseCaseError(f"preprocess[{place}]: expected a step, found {name}")
            step: Any = opener()
            if window is not None:
                raise UseCaseError(f"preprocess[{place}]: `{name}` stands after `{window[0]}`, which must come last")
            if isinstance(step, WindowStep):
                window = name, step, Frozen({name: component.model_dump(mode="json")})
            elif isinstance(step, MaskStep):
                if parts:
                    raise UseCaseError(
                        f"preprocess[{place}]: `{name}` stands after `{parts[0].name}`; it must come first"
                    )
                masks.append((name, step, Frozen({name: component.model_dump(mode="json")})))
            else:
                parts.append(Part(name, step))
        return cls(_some(parts), window, masks)

    @classmethod
    def restored(cls, steps: Sequence[tuple[str, Frozen]]) -> Pipeline:
        """The pipeline that a bundle carries.

        Raises:
            BundleError: a step that is not installed here.
        """
        parts: list[Part] = []
        window: tuple[str, WindowStep, Frozen] | None = None
        masks: list[tuple[str, MaskStep, Frozen]] = []
        for name, frozen in steps:
            kind: Any = offered("step").found.get(name)
            if kind is None:
                raise BundleError(
                    f"the bundle needs the step '{name}', which is not installed here; install its package"
                )
            step: Any = kind.model_validate(frozen.config[name]).open()
            if isinstance(step, WindowStep):
                window = name, step, frozen
            elif isinstance(step, MaskStep):
                masks.append((name, step, frozen))
            else:
                parts.append(Part(name, step, frozen))
        return cls(parts, window, masks)

    @property
    def window(self) -> WindowStep | None:
        """The step that joins records, where there is one."""
        return self._window[1] if self._window else None

    @property
    def text(self) -> TextStep | None:
        """The text step, where it is the only one."""
        step: Any = self.parts[0].step
        return step if len(self.parts) == 1 and isinstance(step, TextStep) else None

    @property
    def characters(self) -> CharactersStep | None:
        """The characters step, where it is the only one."""
        step: Any = self.parts[0].step
        return step if len(self.parts) == 1 and isinstance(step, CharactersStep) else None

    @property
    def line(self) -> str | None:
        """The column that a line of text is read as; None where records are more than a line."""
        step: Any = self.parts[0].step
        return getattr(step, "line", None) if len(self.parts) == 1 else None

    def columns(self, schema: pa.Schema) -> list[str]:
        """The columns that it reads.

        Raises:
            DataError: one of them is not there.
        """
        for _, mask, _ in self._masks:
            mask.demand(schema)
            schema = mask.schema(schema)
        found = [name for part in self.parts for name in part.step.columns(part.frozen, schema)]
        if self._window:
            found += self._window[1].columns(self._window[2], schema)
        return list(dict.fromkeys(found))

    @property
    def hides(self) -> bool:
        """Whether mask steps take something out of the records."""
        return bool(self._masks)

    def covered(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch after the mask steps: what may be stored. What is masked already stays as it is.

        Raises:
            UseCaseError: a key is not there.
        """
        for _, mask, _ in self._masks:
            batch = mask.apply(batch)
        return batch

    def masked(self, batch: pa.RecordBatch, written: Literal["names", "stand-ins"]) -> pa.RecordBatch:
        """The columns that it reads, with everything that a mask covers replaced: what may be stored or shown.

        Args:
            batch: N records.
            written: "names" for people (`<number>`), or "stand-ins" that give the same features.
        """
        batch = self.covered(batch)
        # What the fit left out, such as identifiers, is neither read nor stored.
        columns = {name: batch.column(name) for name in self.columns(batch.schema)}
        for part in self.parts:
            # Each step is given what those before it have masked: a column that two read stays masked.
            masked = part.step.masked(pa.RecordBatch.from_pydict(columns), written)
            columns |= {name: column for name, column in masked.items() if name in columns}
        return pa.RecordBatch.from_pydict(columns)

    def fit(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Fits the steps on training records and freezes them.

        Raises:
            DataError: the records hold nothing to learn from.
        """
        states: list[Any] = [None] * len(self.parts)
        for batch in map(self.covered, batches):
            states = [part.step.observe(state, batch) for part, state in zip(self.parts, states, strict=True)]
        if states[0] is None:
            raise DataError("preprocess: there are no training records to fit it on")
        for part, state in zip(self.parts, states, strict=True):
            part.frozen = part.step.freeze(state)

    def inputs(self) -> list[StepInput]:
        """What enters the model.

        Raises:
            UseCaseError: two steps give features of one name, or text is to be joined to windows.
        """
        found: list[StepInput] = []
        for part in self.parts:
            for one in part.step.inputs(part.fitted):
                if any(other.feature == one.feature for other in found):
                    raise UseCaseError(
                        f"preprocess: two steps give a feature '{one.feature}'; give one of them another `output:`"
                    )
                found.append(self._joined(one))
        return found

    def rows(self, batch: pa.RecordBatch) -> Features:
        """The features of N records, before any window."""
        features: dict[str, Any] = {}
        batch = self.covered(batch)
        for part in self.parts:
            features |= part.step.transform(part.fitted, None, batch)[0]
        return features

    def read(self, batch: pa.RecordBatch, carry: Carry = None) -> Read:
        """What enters the model, and how much of the records training never met."""
        batch = self.covered(batch)
        if self.text is not None and self._window is None:
            reduced = self.text.reduce(self.parts[0].fitted, batch)
            features = {self.text.declared.output: reduced.rows}
            return Read(features, np.arange(batch.num_rows), None, int(reduced.terms.sum()), int(reduced.unknown.sum()))
        features = self.rows(batch)
        if self._window is None:
            return Read(features, np.arange(batch.num_rows))
        joined, ends, carry = self._window[1].windows(carry, dict(features), batch)  # pyright: ignore[reportArgumentType]
        return Read(joined, ends, carry)

    def levels(self, batch: pa.RecordBatch) -> np.ndarray:
        """float64[K]: the mean of each number of the steps over some records; NaN where a mean says nothing."""
        batch = self.covered(batch)
        levels = [part.step.levels(part.fitted, batch) for part in self.parts if isinstance(part.step, Leveled)]
        return np.concatenate([np.zeros(0), *levels])

    def leveled(self, batch: pa.RecordBatch, levels: np.ndarray) -> tuple[Pipeline, np.ndarray]:
        """The pipeline for other records: each number is first multiplied, so that its mean over them is a known one.

        A number whose mean is 0, or says nothing, here or there, stays as it is.

        Args:
            batch: some of the other records.
            levels: float64[K]; the known means, in the order of `levels`.

        Returns:
            The pipeline, and what each number is multiplied by, float64[K].
        """
        batch = self.covered(batch)
        parts, factors = list[Part](), [np.zeros(0)]
        first = 0
        for part in self.parts:
            frozen = part.fitted
            if isinstance(part.step, Leveled):
                found = part.step.levels(frozen, batch)
                known, first = levels[first : first + len(found)], first + len(found)
                both = (found > 0) & (known > 0)
                factors.append(np.where(both, known, 1) / np.where(both, found, 1))
                frozen = part.step.leveled(frozen, factors[-1])
            parts.append(Part(part.name, part.step, frozen))
        return Pipeline(parts, self._window, self._masks), np.concatenate(factors)

    def notes(self) -> list[str]:
        """What the fit found that a person should know."""
        return [note for part in self.parts for note in part.fitted.config.get("notes", ())]

    def vocabulary(self) -> pa.Array:
        """The term of each column of the text step's features."""
        return vocabulary(self.parts[0].fitted)

    def frozen(self) -> list[tuple[str, Frozen]]:
        """What a bundle carries."""
        steps = [(name, frozen) for name, _, frozen in self._masks]
        steps += [(part.name, part.fitted) for part in self.parts]
        return [*steps, (self._window[0], self._window[2])] if self._window else steps

    def _joined(self, one: StepInput) -> StepInput:
        if self._window is None:
            return one
        if one.sparse:
            raise UseCaseError(f"preprocess: `{self._window[0]}` joins numbers, and '{one.feature}' is text")
        return StepInput(one.feature, (self._window[1].length, *one.shape), one.dtype, False, one.cardinalities)


def _some(parts: list[Part]) -> list[Part]:
    if not parts:
        raise UseCaseError("preprocess: expected a step on records such as `text`, `table` or `image`, found none")
    return parts
