"""The seam of this room: a kind of finding looks at a sample of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from afield.explore.answers import Answers
from afield.explore.columns import Column
from afield.explore.hiding import Curtain
from afield.explore.reading.rows import Rows
from afield.report.model.base import Kind, Shown
from afield.report.model.exploration import Finding
from afield.train.split import Parts

ROWS_SHOWN = 10
"""Rows that a finding shows, at most."""
VALUE_SHOWN = 40
TEXT_SHOWN = 300
COLUMNS_SHOWN = 12


@dataclass(frozen=True)
class Target:
    """What is asked of each row.

    Args:
        name: where the answer stands: a column, or `file_name`.
        kind: of the question.
        values: of N rows: int32, the class, -1 where it is not known; or float64, NaN where it is not known.
        classes: names of the classes; empty where there are none.
        columns: that hold the answer.
    """

    name: str
    kind: Kind
    values: np.ndarray
    classes: list[str]
    columns: list[str]

    @property
    def known(self) -> np.ndarray:
        """int64[M]: rows whose answer is known."""
        return np.flatnonzero(self.values >= 0 if self.classes else np.isfinite(self.values))

    @property
    def of_file(self) -> bool:
        """Whether the answer is the file that a row stands in."""
        return not self.columns


@dataclass(frozen=True)
class Sample:
    """The data as every kind of finding sees it.

    Args:
        rows: as they were read.
        columns: of the table.
        target: None where nothing is asked.
        parts: training, validation and test, by the use case's split or a random one.
        split: how the parts were made, in words.
        curtain: hides personal data.
        seed: of all randomness.
        giving: column, or what else -> how much of the answer it gives away alone, from 0 to 1.
        answers: of simple models; None where there is no target that they can answer.
    """

    rows: Rows
    columns: list[Column]
    target: Target | None
    parts: Parts
    split: str
    curtain: Curtain
    seed: int = 0
    giving: Mapping[str, float] = field(default_factory=dict[str, float])
    answers: Answers | None = None

    @property
    def count(self) -> int:
        """Rows that were read."""
        return self.rows.table.num_rows

    @property
    def features(self) -> list[Column]:
        """The columns that do not hold the answer."""
        hidden = set(self.rows.hidden) | set(self.target.columns if self.target else ())
        return [column for column in self.columns if column.name not in hidden]

    def column(self, name: str) -> Column:
        """One column."""
        return next(column for column in self.columns if column.name == name)

    def place(self, row: int) -> str:
        """File and line of a row."""
        return f"{self._file(row)}:{int(self.rows.lines[row])}"

    def shown(self, rows: Sequence[int] | np.ndarray, *names: str, said: str = "") -> list[Shown]:
        """Rows as they may be shown.

        Args:
            rows: of the sample; the first ROWS_SHOWN of them are shown.
            names: columns to show; all of them, up to COLUMNS_SHOWN, where none is named.
            said: what is written before each.
        """
        return [self.row(row, *names, said=said) for row in np.asarray(rows, np.int64)[:ROWS_SHOWN].tolist()]

    def row(self, row: int, *names: str, said: str = "") -> Shown:
        """One row as it may be shown, see `shown`."""
        columns = [column for column in self.columns if not names or column.name in names][:COLUMNS_SHOWN]
        if self.rows.text:
            text = self.curtain.value(columns[0].name, columns[0].text(row))[:TEXT_SHOWN]
        else:
            values = ((one.name, self.curtain.value(one.name, one.text(row))) for one in columns)
            text = ", ".join(f"{name}: {_short(value)}" for name, value in values if value or names)
        return Shown(text=f"{said}{text}", file=self._file(row), line=int(self.rows.lines[row]))

    def _file(self, row: int) -> str:
        return self.rows.files[int(self.rows.file[row])] if self.rows.files else ""


class Look(Protocol):
    """One kind of finding."""

    def __call__(self, sample: Sample) -> list[Finding]:
        """What it finds; nothing where all is well."""
        ...


def _short(value: str) -> str:
    return value if len(value) <= VALUE_SHOWN else value[: VALUE_SHOWN - 1] + "…"
