"""The Python interface: load a use case, train it, let a version predict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
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
            A row for each that is answered (all of them, unless records are joined to windows), with the columns
            `prediction`, the number beside it (`probability`, `score` or `distance`; none beside a value) and
            `version`, as a table of the same library (of Arrow for a list); of pandas with the same index.

        Raises:
            DataError: a column is missing, or the table is none of these.
            BundleError: the bundle is damaged, or computes something else on this machine.
        """
        records, native = _records(table, self._predictor.pipeline.line)
        # One batch: a window may reach over the chunks of a table.
        (batch,) = records.combine_chunks().to_batches() or [_no_rows(records.schema)]
        answers = self._predictor.answer(batch)
        columns = {name: _plain(column) for name, column in answers.columns.items()}
        columns["version"] = pa.array([self.name] * len(answers.ends), pa.string())
        return native(pa.table(columns), answers.ends)

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
            from afield.train.records import labelled

            arrow, _ = _records(table, Pipeline.of(self.loaded.model.preprocess).line)
            question = self.loaded.model.question
            wanted = labels is not None or question.labelled
            records = labelled(
                arrow, _names(labels, arrow.num_rows, question.kind == "regress") if wanted else None, question
            )
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


Native = Callable[[pa.Table, np.ndarray], Any]
"""An Arrow table, and the rows that its rows stand for, to the library the records came in."""


def _records(table: Any, line: str | None) -> tuple[pa.Table, Native]:
    """The rows as an Arrow table, and what turns answers back into the library they came in."""
    if isinstance(table, pa.RecordBatch):
        return pa.Table.from_batches([table]), lambda answers, _: answers
    if isinstance(table, pa.Table):
        return table, lambda answers, _: answers
    if isinstance(table, list | tuple) and line is not None:
        try:
            return pa.table({line: pa.array(table, pa.string())}), lambda answers, _: answers
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            raise DataError(
                "expected a list of strings, found other things in it; give a table for several columns"
            ) from None
    import narwhals

    given: Any = table
    try:
        frame: Any = narwhals.from_native(given, eager_only=True)
    except TypeError:
        wanted = "a pandas, Polars or Arrow table" + (" or a list of strings" if line is not None else "")
        raise DataError(f"expected {wanted}, found {type(table).__name__}") from None

    def native(answers: pa.Table, ends: np.ndarray) -> Any:
        answered: Any = narwhals.from_arrow(answers, backend=frame.implementation).to_native()
        index = narwhals.maybe_get_index(frame)
        if index is not None:
            answered.index = index[ends]
        return answered

    try:
        return frame.to_arrow(), native
    except (pa.ArrowInvalid, pa.ArrowTypeError) as mixed:
        raise DataError(f"a column of the table cannot be read: {mixed}; convert it, or leave it out") from None


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema)


def _plain(column: pa.Array) -> pa.Array:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _names(labels: Any, rows: int, values_too: bool) -> pa.ChunkedArray:
    """The labels as strings, one for each row; null where there is none.

    Args:
        labels: as they were given.
        rows: how many there must be.
        values_too: whether a label may be a fraction.

    Raises:
        DataError: they are too few, too many, or neither text nor numbers.
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
    fraction = values_too and pa.types.is_floating(kind)
    if not (fraction or pa.types.is_integer(kind) or pa.types.is_null(kind) or _is_text(kind)):
        wanted = "numbers" if values_too else "text or whole numbers"
        raise DataError(f"train: expected labels of {wanted}, found {kind}; convert them")
    names = given.cast(pa.string())
    return names if isinstance(names, pa.ChunkedArray) else pa.chunked_array([names])


def _is_text(kind: Any) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
