"""The Python interface: load a use case, train it, let a version predict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
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

ANSWERS = pa.schema({"prediction": pa.string(), "probability": pa.float32(), "version": pa.string()})
"""Columns of what `Version.predict` returns."""


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
            the same library (of Arrow for a list); of pandas with the same index.

        Raises:
            DataError: a column is missing, or the table is none of these.
            BundleError: the bundle is damaged, or computes something else on this machine.
        """
        pipeline = self._predictor.pipeline
        records, native = _records(table, pipeline.column)
        pipeline.demand(records.schema)
        batches = [self._answered(batch) for batch in records.combine_chunks().to_batches()]
        return native(pa.Table.from_batches(batches, ANSWERS))

    def _answered(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        answers = self._predictor.answer(batch)
        version = pa.array([self.name] * batch.num_rows, pa.string())
        columns = [answers.prediction.cast(pa.string()), answers.probability, version]
        return pa.RecordBatch.from_arrays(columns, schema=ANSWERS)

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

    def train(self, table: Any = None, labels: Any = None, watcher: Watcher | None = None) -> Version:
        """Trains a new version.

        Args:
            table: rows to learn from, as in `Version.predict`; without it the use case's source is read.
            labels: the known answer of each of these rows: a list, a pandas or Polars series or an Arrow array of
                strings or whole numbers; a row whose label is missing or empty is left out.
            watcher: who is told of the progress.

        Raises:
            AfieldError: the data cannot be learned from, or the version cannot be stored.
        """
        from afield.train.workflow import train

        records = None
        if table is not None or labels is not None:
            from afield.preprocess.pipeline import Pipeline
            from afield.train.dataset import labelled

            arrow, _ = _records(table, Pipeline.of(self.loaded.model.preprocess).column)
            names = _names(labels, arrow.num_rows)
            question = self.loaded.model.question
            records = labelled(arrow, names, question.min_rows, question.rare)
        version = train(self.loaded, records=records, watcher=watcher).version
        return Version(version.name, version.bundle)

    def versions(self) -> list[Version]:
        """All versions, oldest first."""
        with self._registry() as registry:
            return [Version(version.name, version.bundle) for version in registry.all()]

    def version(self, name: str | None = None) -> Version:
        """A version by its name, or the latest.

        Raises:
            StateError: there is none.
        """
        with self._registry() as registry:
            found = registry.latest() if name is None else registry.get(name)
        return Version(found.name, found.bundle)

    def _registry(self) -> closing[Registry]:
        from afield.registry.versions import Registry

        return closing(Registry(self.folder))


def load(path: str | Path, overrides: Sequence[str] = ()) -> Case:
    """Reads and checks the use case in a folder.

    Args:
        path: the folder, or its usecase.yaml.
        overrides: values put in place of the file's, such as "train.epochs=10".

    Raises:
        UseCaseError: it has errors; the message lists them with line and column.
    """
    return Case(load_use_case(path, overrides))


def _records(table: Any, column: str) -> tuple[pa.Table, Callable[[pa.Table], Any]]:
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

    def native(answers: pa.Table) -> Any:
        answered: Any = narwhals.from_arrow(answers, backend=frame.implementation).to_native()
        index = narwhals.maybe_get_index(frame)
        if index is not None:
            answered.index = index
        return answered

    try:
        return frame.to_arrow(), native
    except (pa.ArrowInvalid, pa.ArrowTypeError) as mixed:
        raise DataError(f"a column of the table cannot be read: {mixed}; convert it, or leave it out") from None


def _names(labels: Any, rows: int) -> pa.ChunkedArray:
    """The labels as strings, one for each row; null where there is none.

    Raises:
        DataError: they are too few, too many, or neither text nor whole numbers.
    """
    import narwhals

    values: Any = narwhals.from_native(labels, series_only=True, pass_through=True)
    try:
        if isinstance(values, narwhals.Series):
            given: Any = values.to_arrow()
        else:
            given = pa.array([] if values is None else list(values), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise DataError("train: expected labels of one kind, text or whole numbers, found several") from None
    if len(given) != rows:
        raise DataError(f"train: expected one label for each of {rows:,} rows, found {len(given):,}")
    kind: Any = given.type.value_type if pa.types.is_dictionary(given.type) else given.type
    if not (pa.types.is_integer(kind) or pa.types.is_null(kind) or _is_text(kind)):
        raise DataError(f"train: expected labels of text or whole numbers, found {kind}; convert them")
    names = given.cast(pa.string())
    return names if isinstance(names, pa.ChunkedArray) else pa.chunked_array([names])


def _is_text(kind: Any) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
