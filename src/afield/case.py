"""The Python interface: load a use case, train it, let a version predict."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from afield.errors import DataError
from afield.usecase.load import LoadedUseCase
from afield.usecase.load import load as load_use_case

if TYPE_CHECKING:
    from afield.registry.versions import Registry
    from afield.report.model import Report
    from afield.runtime.predictor import Predictor
    from afield.train.base import Watcher


class Version:
    """One trained version of a use case.

    Args:
        name: "v1", "v2", ...
        bundle: its file.
    """

    def __init__(self, name: str, bundle: Path) -> None:
        self.name = name
        self.bundle = bundle

    def __repr__(self) -> str:
        return f"Version({self.name!r}, {str(self.bundle)!r})"

    @cached_property
    def report(self) -> Report:
        """What training found out about it."""
        from afield.bundle import open_bundle
        from afield.report.model import from_json

        return from_json(open_bundle(self.bundle).report, str(self.bundle))

    def predict(self, table: Any) -> Any:
        """Answers rows.

        Args:
            table: a pandas, Polars or Arrow table with the columns that the use case reads, or a list of strings.

        Returns:
            As many rows, with the columns `prediction` (string), `probability` (float32) and `version`, as a table of
            the same library (of Arrow for a list).

        Raises:
            DataError: a column is missing, or the table is none of these.
            BundleError: the bundle is damaged, or computes something else on this machine.
        """
        records, native = _records(table, self._predictor.pipeline.column)
        (batch,) = records.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], records.schema)]
        answers = self._predictor.answer(batch)
        columns = {
            "prediction": answers.prediction.cast(pa.string()),
            "probability": answers.probability,
            "version": pa.array([self.name] * batch.num_rows, pa.string()),
        }
        return native(pa.table(columns))

    @cached_property
    def _predictor(self) -> Predictor:
        from afield.runtime.predictor import Predictor

        return Predictor(self.bundle)


class Case:
    """A use case in its folder.

    Args:
        loaded: read and checked.
    """

    def __init__(self, loaded: LoadedUseCase) -> None:
        self.loaded = loaded

    @property
    def name(self) -> str:
        """Its name."""
        return self.loaded.name

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.loaded.folder

    def train(self, table: Any = None, labels: Sequence[str] | None = None, watcher: Watcher | None = None) -> Version:
        """Trains a new version.

        Args:
            table: rows to learn from, as in `Version.predict`; without it the use case's source is read.
            labels: the known answer of each of these rows.
            watcher: who is told of the progress.

        Raises:
            AfieldError: the data cannot be learned from, or the version cannot be stored.
        """
        from afield.train.workflow import train

        records = None
        if table is not None:
            from afield.train.dataset import labelled

            if labels is None or len(labels) != len(table):
                found = "none" if labels is None else str(len(labels))
                raise DataError(f"train: expected one label for each of {len(table)} rows, found {found}")
            arrow, _ = _records(table, "text")
            names = pa.chunked_array([pa.array(list(labels), pa.string())])
            question = self.loaded.model.question
            records = labelled(arrow, names, question.min_rows, question.rare)
        version = train(self.loaded, records=records, watcher=watcher).version
        return Version(version.name, version.bundle)

    def versions(self) -> list[Version]:
        """All versions, oldest first."""
        return [Version(version.name, version.bundle) for version in self._registry.all()]

    def version(self, name: str | None = None) -> Version:
        """A version by its name, or the latest.

        Raises:
            StateError: there is none.
        """
        found = self._registry.latest() if name is None else self._registry.get(name)
        return Version(found.name, found.bundle)

    @cached_property
    def _registry(self) -> Registry:
        from afield.registry.versions import Registry

        return Registry(self.folder)


def load(path: str | Path, overrides: Sequence[str] = ()) -> Case:
    """Reads and checks the use case in a folder.

    Args:
        path: the folder, or its usecase.yaml.
        overrides: values put in place of the file's, such as "train.epochs=10".

    Raises:
        UseCaseError: it has errors; the message lists them with line and column.
    """
    return Case(load_use_case(path, overrides))


def _records(table: Any, column: str) -> tuple[pa.Table, Any]:
    """The rows as an Arrow table, and what turns an Arrow table back into the library they came in."""
    if isinstance(table, pa.RecordBatch):
        return pa.Table.from_batches([table]), lambda answers: answers
    if isinstance(table, pa.Table):
        return table, lambda answers: answers
    if isinstance(table, list | tuple):
        try:
            return pa.table({column: pa.array(table, pa.string())}), lambda answers: answers
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            raise DataError(
                "expected a list of strings, found other things in it; give a table for several columns"
            ) from None
    import narwhals

    try:
        frame: Any = narwhals.from_native(table, eager_only=True)
    except TypeError:
        raise DataError(
            f"expected a pandas, Polars or Arrow table or a list of strings, found {type(table).__name__}"
        ) from None
    backend = frame.implementation
    return frame.to_arrow(), lambda answers: narwhals.from_arrow(answers, backend=backend).to_native()
