"""What a use case says of messages, whatever brings them; light enough for `afield check`.

The work itself is in `afield.connectors.decoder`: `Decoder` makes batches of what arrives, and `written`, of
`afield.connectors.sinks.jsonl`, makes messages of answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from afield.errors import UseCaseError
from afield.usecase.base import Declared, Problem

RESERVED = ("_stream", "_offset", "_file", "_line", "_label")
"""Names of columns that say where a record came from, as in `afield.connectors.base`."""


class Messages(Declared):
    """Fields that each source of messages has; such a source is declared as `class Mqtt(Messages, Component)`."""

    format: Literal["text", "json"] = Field(
        default="text",
        description="What a message holds. `text`: UTF-8, in the column `text`. `json`: an object, whose values are "
        "columns: numbers are 64-bit floats, objects and lists inside are their JSON as text. A column keeps the type "
        "of its first value; a column of text takes other values as JSON, in any other a value that does not fit makes "
        "the message refused.",
        examples=["json"],
    )
    columns: list[str] | None = Field(
        default=None,
        description="Only these columns of JSON, null where a message lacks them; all of them where it is left out.",
        examples=[["host", "message"]],
    )
    label: str | None = Field(
        default=None,
        min_length=1,
        description="Column that holds the known answer; needed for training, not for running.",
        examples=["class"],
    )
    max_record_bytes: int = Field(
        default=2**20, ge=16, le=2**28, description="A longer message is refused.", examples=[65536]
    )

    @property
    def has_columns(self) -> bool:
        """Whether a record has columns of its own names, rather than one text."""
        return self.format == "json"

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say; a source with more of them adds to these."""
        return list(self._lint_columns())

    def _lint_columns(self) -> Iterator[Problem]:
        for name, value in (("columns", self.columns), ("label", self.label)):
            if value is not None and not self.has_columns:
                yield Problem((name,), f"{name} is of JSON, and format is text; remove it, or set format: json")
        if self.columns is None:
            return
        if not self.columns:
            yield Problem(("columns",), "expected at least one column, found an empty list; leave it out to read all")
        if twice := [name for name in self.columns if self.columns.count(name) > 1]:
            yield Problem(("columns",), f"expected names that differ, found {twice[0]!r} more than once")
        if reserved := [name for name in self.columns if name in RESERVED]:
            yield Problem(("columns",), f"the name {reserved[0]} is reserved for where a record came from; remove it")

    def require_label(self, labelled: bool, where: str) -> None:
        """Checks that there is a label where one is asked for.

        Args:
            labelled: whether it is.
            where: the place of the source in the use case, such as `source.mqtt`.

        Raises:
            UseCaseError: there is none.
        """
        if labelled and self.label is None:
            raise UseCaseError(
                f"{where}: training needs the known answer of each record, and no label is declared; "
                "add label: NAME-OF-A-COLUMN"
            )
