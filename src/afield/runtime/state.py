"""What a run remembers between two starts: how far it read, how far it wrote, how much it counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite

from afield import faults
from afield.store.schema import carries, counters, positions, sinks
from afield.store.store import Store


class RunState:
    """The committed state of one use case.

    Args:
        store: the database.
        use_case: whose state; the same name at every start.
    """

    def __init__(self, store: Store, use_case: str) -> None:
        self._store = store
        self._use_case = use_case
        insert = postgresql.insert if store.engine.dialect.name == "postgresql" else sqlite.insert
        self._positions = insert(positions)
        self._positions = self._positions.on_conflict_do_update(
            index_elements=positions.primary_key, set_={"cursor": self._positions.excluded.cursor}
        )
        self._marks = insert(sinks)
        self._marks = self._marks.on_conflict_do_update(
            index_elements=sinks.primary_key, set_={"mark": self._marks.excluded.mark}
        )
        self._counters = insert(counters)
        self._counters = self._counters.on_conflict_do_update(
            index_elements=counters.primary_key, set_={"value": counters.c.value + self._counters.excluded.value}
        )
        self._carries = insert(carries)
        self._carries = self._carries.on_conflict_do_update(
            index_elements=carries.primary_key, set_={"content": self._carries.excluded.content}
        )

    def positions(self) -> dict[str, str]:
        """Stream -> cursor, of everything that is answered."""
        return self._all(positions)

    def marks(self) -> dict[str, str]:
        """Sink -> mark, of everything that is written and committed."""
        return self._all(sinks)

    def counters(self) -> dict[str, int]:
        """Name -> sum of all that was committed under it."""
        return self._all(counters)

    def carry(self, version: str) -> bytes | None:
        """What the preprocessing of a version carries on; None before its first commit."""
        mine = (carries.c.use_case == self._use_case) & (carries.c.version == version)
        with self._store.reading() as connection:
            return connection.execute(select(carries.c.content).where(mine)).scalar_one_or_none()

    def commit(
        self,
        positions: Mapping[str, str],
        marks: Mapping[str, str],
        counters: Mapping[str, int] | None = None,
        carry: tuple[str, bytes] | None = None,
    ) -> None:
        """Keeps all of this, or nothing.

        Args:
            positions: stream -> cursor, the streams that moved.
            marks: sink -> mark, the sinks that were written to.
            counters: name -> what to add to it.
            carry: version, and what its preprocessing carries on.

        Raises:
            TransientError: the disk is full, or the database is busy or out of reach.
        """
        mine = {"use_case": self._use_case}
        with self._store.writing() as connection:
            if marks:
                connection.execute(self._marks, [{**mine, "sink": k, "mark": v} for k, v in marks.items()])
            faults.point("checkpoint")
            if positions:
                connection.execute(self._positions, [{**mine, "stream": k, "cursor": v} for k, v in positions.items()])
            if counters:
                connection.execute(self._counters, [{**mine, "name": k, "value": v} for k, v in counters.items()])
            if carry:
                connection.execute(self._carries, [{**mine, "version": carry[0], "content": carry[1]}])

    def _all(self, table: Table) -> dict[str, Any]:
        _, name, value = table.columns
        with self._store.reading() as connection:
            rows = connection.execute(select(name, value).where(table.c.use_case == self._use_case))
            return {row[0]: row[1] for row in rows}
