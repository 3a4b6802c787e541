"""How the source of databases is declared in a use case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from afield.connectors.database.declared import Database, Duration, seconds, table_name
from afield.errors import UseCaseError
from afield.usecase.base import Problem

if TYPE_CHECKING:
    from afield.connectors.sources.sql.source import SqlSource

_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


class Sql(Database):
    """Records from a database: each row of a table or a query is one."""

    summary: ClassVar[str] = (
        "Rows of a table or a query, in the order of a column that grows; PostgreSQL, MySQL, SQLite."
    )

    table: str | None = table_name(
        default=None,
        description="The table or view to read; with its schema before a dot where that is needed.",
        example="events",
    )
    query: str | None = Field(
        default=None,
        description="A SELECT in the place of a table; it is read as a table of its own, page by page.",
        examples=["SELECT id, node, load FROM measures JOIN nodes USING (node_id)"],
    )
    cursor: str = Field(
        min_length=1,
        description="The column that grows: integer, timestamp, date or text. Rows are read in its order, and those "
        "where it is NULL are not. Unique, unless there is a key.",
        examples=["id", "created_at"],
    )
    key: str | None = Field(
        default=None,
        min_length=1,
        description="A second column, that tells rows with the same cursor apart; needed where it is not unique.",
        examples=["id"],
    )
    lag: Duration = Field(
        default="0s",
        description="Longest time that a transaction which writes rows is open. A row is read that long after it, or a "
        "row behind it, was first seen; so one that is committed late is not passed by.",
        examples=["10s"],
    )
    batch: int = Field(default=10_000, ge=1, le=1_000_000, description="Rows read at once.", examples=[1000])
    poll: Duration = Field(
        default="1s", description="Time between two looks for new rows: ms, s, m or h.", examples=["10s"]
    )
    columns: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Only these columns; all of them where it is left out.",
        examples=[["node", "load"]],
    )
    label: str | None = Field(
        default=None,
        description="The column with the known answer; needed for training, not for running.",
        examples=["outcome"],
    )
    stream: str | None = Field(
        default=None,
        min_length=1,
        description="Name of these records in the ids of their answers; by default that of the database and the table, "
        "or `query`. To be set where several databases of one name are read.",
        examples=["shop-north"],
    )

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say, found without a connection."""
        return [*super().lint(), *self._lint_records()]

    def _lint_records(self) -> Iterator[Problem]:
        if (self.table is None) == (self.query is None):
            found = "both" if self.table else "neither"
            yield Problem((), f"expected `table:` or `query:`, found {found}")
        if self.query is not None:
            statement = _COMMENTS.sub(" ", self.query).strip().rstrip(";").lstrip("( \n")
            word = statement.split()[0] if statement else "nothing"
            if word.upper() not in {"SELECT", "WITH"}:
                yield Problem(("query",), f"expected a SELECT, found {word!r}")
        if self.key == self.cursor:
            yield Problem(("key",), "the key tells rows with the same cursor apart, and is the cursor; remove it")
        if seconds(self.poll) <= 0:
            yield Problem(("poll",), f"expected a time above nothing, found '{self.poll}'")

    def open(self, *, base: Path, follow: bool, labelled: bool, poll: float | None = None) -> SqlSource:
        """Opens the database for reading.

        Args:
            base: the folder that a relative path of SQLite starts from.
            follow: goes on for ever with what is added; otherwise ends with what is there.
            labelled: adds the column LABEL.
            poll: seconds between two looks for new rows; `poll:` of the declaration where it is left out.

        Returns:
            The source, to be closed after use. It connects when it is read.

        Raises:
            UseCaseError: a label is asked for and none is declared, or the password is not there.
            StateError: the driver is not installed.
        """
        if labelled and self.label is None:
            raise UseCaseError(
                "source.sql: training needs the known answer of each record, and no label is declared; "
                "add label: NAME-OF-A-COLUMN"
            )
        from afield.connectors.sources.sql.source import SqlSource

        wait = seconds(self.poll) if poll is None else poll
        return SqlSource(self, base=base, follow=follow, labelled=labelled, poll=wait)
