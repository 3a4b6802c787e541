"""The source of databases: what `Sql.open` returns."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import ClassVar, TypeVar

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, event
from sqlalchemy.exc import SQLAlchemyError

from afield.connectors.base import LABEL, OFFSET, STREAM, Batch, Position, Refused
from afield.connectors.database.declared import seconds
from afield.connectors.database.engine import Target
from afield.connectors.database.errors import translated
from afield.connectors.sources.sql.columns import column_of, content_of, prepare_postgresql
from afield.connectors.sources.sql.place import Place, Settled
from afield.connectors.sources.sql.spec import Sql
from afield.connectors.sources.sql.table import Page, Table
from afield.errors import TransientError

HEARTBEAT = 1.0
"""Seconds between two batches without rows, at most."""

Result = TypeVar("Result")


class SqlSource:
    """Rows of a table or a query, once or for ever.

    Args:
        spec: the declaration.
        base: folder that a relative path of SQLite starts from.
        follow: goes on for ever with what is added.
        labelled: adds the column LABEL.
        poll: seconds between two looks for new rows.
        clock: seconds; of the lag.
    """

    replayable: ClassVar[bool] = True
    splittable: ClassVar[bool] = False

    def __init__(
        self,
        spec: Sql,
        *,
        base: Path,
        follow: bool,
        labelled: bool,
        poll: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spec = spec
        self._follow = follow
        self._label = spec.label if labelled else None
        self._poll = poll
        self._clock = clock
        self._lag = seconds(spec.lag)
        self._closed = Event()
        self._asking: Connection | None = None
        self._target = Target(spec, base, "source.sql", writes=False)
        self._stream = spec.stream or f"{self._target.name}.{spec.table or 'query'}"
        if self._target.dialect == "postgresql":
            event.listen(self._target.engine, "connect", prepare_postgresql)

    def batches(self, position: Position) -> Iterator[Batch]:
        """Rows after the position.

        Args:
            position: what was committed, empty to begin.

        Raises:
            DataError: the table or a column is not there, or is not what it was.
            UseCaseError: the login or the query is refused.
            StateError: the position belongs to another source.
            TransientError: the database is away or busy, or a statement took too long.
        """
        names = (self._spec.cursor, self._spec.key) if self._spec.key else (self._spec.cursor,)
        text = position.get(self._stream)
        after = None if text is None else Place.loads(names, self._stream, text)
        with contextlib.ExitStack() as cleanup:
            try:
                with translated(self._target):
                    connection = cleanup.enter_context(contextlib.closing(self._target.connect()))
                table = self._ask(connection, lambda: Table(self._spec, self._target, connection))
                yield from self._read(connection, table, after)
            except TransientError:
                # What was asked when `close` came has no answer any more.
                if not self._closed.is_set():
                    raise

    def acknowledge(self, position: Position) -> None:
        """Nothing is told to the database: it is only read."""

    def close(self) -> None:
        """Ends `batches`, also from another thread: a statement that runs is cancelled."""
        self._closed.set()
        connection = self._asking
        if connection is not None:
            # The statement may have ended just now, or the server be gone.
            with contextlib.suppress(SQLAlchemyError, OSError, AttributeError):
                self._target.cancel(connection)

    def _read(self, connection: Connection, table: Table, after: Place | None) -> Iterator[Batch]:
        settled = Settled(self._lag)
        while not self._closed.is_set():
            until, waits = None, False
            if self._lag:
                last = self._ask(connection, lambda after=after: table.last(connection, after))
                if last is not None:
                    settled.saw(last, self._clock())
                until = settled.until(self._clock())
                waits = until is None and last is not None
            full = until is not None or not self._lag
            while full and not self._closed.is_set():
                page = self._ask(connection, lambda after=after, until=until: table.page(connection, after, until))
                full = page.full
                if page.rows:
                    after = page.places[-1]
                    yield self._batch(table, page)
            if not self._follow and not waits:
                return
            yield from self._wait(table)

    def _wait(self, table: Table) -> Iterator[Batch]:
        """Batches without rows until it is time to look again."""
        empty = self._batch(table, Page([], [], full=False))
        end = time.monotonic() + self._poll
        while (left := end - time.monotonic()) > 0 and not self._closed.is_set():
            yield empty
            self._closed.wait(min(left, HEARTBEAT))

    def _ask(self, connection: Connection, question: Callable[[], Result]) -> Result:
        """What the database answers; `close` ends it early."""
        self._asking = connection
        try:
            with translated(self._target):
                return question()
        finally:
            self._asking = None

    def _batch(self, table: Table, page: Page) -> Batch:
        types = table.types(page.rows)
        values = list(zip(*page.rows, strict=True)) or [()] * len(table.names)
        columns: dict[str, pa.Array] = {}
        bad: dict[int, str] = {}
        for name, column in zip(table.names, values, strict=True):
            columns[name], wrong = column_of(column, types[name])
            bad |= {row: f"column {name!r}: {reason}" for row, reason in wrong.items()}
        offsets = [place.offset for place in page.places]
        count = len(offsets)
        made = {
            STREAM: pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(count, np.int32)), pa.array([self._stream], pa.string())
            ),
            OFFSET: pa.array(offsets, pa.int64()),
        }
        # Who is given the label must not find the known answer among what it is to be told from.
        made |= {name: columns[name] for name in table.shown if name != self._label}
        if self._label is not None:
            made[LABEL] = columns[self._label].cast(pa.string()).dictionary_encode()
        records = pa.RecordBatch.from_pydict(made)
        refused = [
            Refused(self._stream, offsets[row], reason, content_of(table.names, page.rows[row]))
            for row, reason in sorted(bad.items())
        ]
        if bad:
            records = records.filter(pa.array([row not in bad for row in range(count)]))
        return Batch(records, {self._stream: page.places[-1].dumps()} if page.places else {}, refused)
