"""How a table is written as text: what stands between its fields, and whether the first line has the names."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from afield.preprocess import cells

DELIMITERS = (",", ";", "\t", "|")
HEAD = 2**18
"""Bytes that are looked at."""
ROWS = 200


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Args:
        delimiter: between two fields.
        names: of the columns, those of the first line or `column_1` and so on.
        header: whether the first line has the names.
        blanks: whether blanks stand around the values.
    """

    delimiter: str
    names: list[str]
    header: bool
    blanks: bool


def dialect_of(head: str, tabs: bool) -> Dialect:
    """Finds the dialect of a table.

    Args:
        head: the first lines; the last one may be cut.
        tabs: whether the file's name says that tabs are between its fields.
    """
    delimiter = "\t" if tabs else max(DELIMITERS, key=lambda one: _evenness(_rows(head, one)))
    rows = _rows(head, delimiter)
    if not rows:
        return Dialect(delimiter, [], True, False)
    first, *others = rows
    # A header that is repeated further down says nothing against itself.
    below = [[cell.strip() for cell in row] for row in others if row != first]
    header = _is_header([cell.strip() for cell in first], below)
    blanks = any(cell != cell.strip(" ") for row in others for cell in row)
    return Dialect(delimiter, _named([cell.strip() for cell in first], header), header, blanks)


def _rows(head: str, delimiter: str) -> list[list[str]]:
    lines = head.splitlines(keepends=True)
    if len(lines) > 1 and len(head) >= HEAD:
        lines = lines[:-1]
    rows = csv.reader(io.StringIO("".join(lines[:ROWS]), newline=""), delimiter=delimiter)
    try:
        return [row for row in rows if row]
    except csv.Error:
        return []


def _evenness(rows: Sequence[Sequence[str]]) -> tuple[bool, float, int]:
    """How much rows look like those of a table: several fields, in nearly every row as many."""
    if not rows:
        return False, 0.0, 0
    fields, often = Counter(len(row) for row in rows).most_common(1)[0]
    return fields > 1, round(often / len(rows), 1), fields


def _is_header(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether a row is one of names: no numbers above numbers, and nothing that stands in the rows below."""
    votes = 0
    for place, name in enumerate(first):
        below = [row[place] for row in others if place < len(row) and row[place]]
        numbers = sum(cells.number_of(cell) is not None for cell in below)
        if below and numbers >= 0.9 * len(below):
            votes += -1 if cells.number_of(name) is not None else 1
        elif name in below:
            votes -= 1
    return votes >= 0 and len(set(first)) > len(first) / 2


def _named(first: Sequence[str], header: bool) -> list[str]:
    """Names that differ and are not empty, in the place of those that do not."""
    if not header:
        return [f"column_{place + 1}" for place in range(len(first))]
    names: list[str] = []
    for place, name in enumerate(first):
        free = name or f"column_{place + 1}"
        names.append(free if free not in names else f"{free}_{place + 1}")
    return names
