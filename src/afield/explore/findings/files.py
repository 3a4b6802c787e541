"""Faults of the files: rows that do not fit, names of columns in the middle, letters of several encodings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from afield.explore.base import ROWS_SHOWN, Sample
from afield.explore.reading.rows import Account
from afield.report.model import Shown
from afield.report.model.exploration import Finding


def look(sample: Sample) -> list[Finding]:
    """One finding a fault and file."""
    return [finding for account in sample.rows.accounts for finding in _found(account)]


def _found(account: Account) -> Iterator[Finding]:
    if account.repeated:
        yield Finding(
            kind="repeated header",
            message=f"{account.file}: the line of names is repeated in {len(account.repeated):,} "
            f"{_places(account.repeated)}",
            advice="remove these lines; files were probably joined with their headers. Here they are left out",
            count=len(account.repeated),
            rows=_lines(account, account.repeated, "the names of the columns"),
        )
    if account.ragged:
        lines = [row.line for row in account.ragged]
        yield Finding(
            kind="ragged rows",
            message=f"{account.file}: {len(lines):,} {_rows(lines)} too few or too many fields, or cannot be read",
            advice="a value that holds the delimiter needs quotes around it; training leaves these rows out",
            count=len(lines),
            rows=[
                Shown(text=_fields(row.fields), file=account.file, line=row.line) for row in account.ragged[:ROWS_SHOWN]
            ],
        )
    if account.foreign:
        yield Finding(
            kind="encodings",
            message=f"{account.file}: {len(account.foreign):,} {_are(account.foreign)} no UTF-8, and others are",
            advice="convert the parts that were written elsewhere; training puts U+FFFD in the place of such letters. "
            "Here they are read as Windows-1252",
            count=len(account.foreign),
            rows=_lines(account, account.foreign, "letters that are no UTF-8"),
        )
    elif account.encoding not in ("UTF-8", ""):
        yield Finding(
            kind="encodings",
            message=f"{account.file} is written in {account.encoding}",
            advice=f"convert it, for training reads UTF-8: `iconv -f {_ICONV[account.encoding]} -t UTF-8`",
            count=1,
            rows=[Shown(text=f"written in {account.encoding}", file=account.file, line=1)],
        )
    if account.delimiter not in (",", "\t", ""):
        yield Finding(
            kind="delimiter",
            message=f"{account.file}: fields stand apart by '{account.delimiter}'",
            advice="training reads commas, or tabs in .tsv: convert the file; `afield new auto` does",
            count=1,
            rows=[Shown(text=f"'{account.delimiter}' between the fields", file=account.file, line=1)],
        )


_ICONV = {"Windows-1252": "WINDOWS-1252", "UTF-16": "UTF-16"}


def _places(lines: Sequence[int]) -> str:
    return "line" if len(lines) == 1 else "lines"


def _are(lines: Sequence[int]) -> str:
    return "line is" if len(lines) == 1 else "lines are"


def _rows(lines: Sequence[int]) -> str:
    return "row has" if len(lines) == 1 else "rows have"


def _fields(count: int) -> str:
    return f"{count:,} fields" if count else "cannot be read"


def _lines(account: Account, lines: Sequence[int], text: str) -> list[Shown]:
    return [Shown(text=text, file=account.file, line=line) for line in lines[:ROWS_SHOWN]]
