"""`afield new auto`: a use case written from what an exploration has found."""

from __future__ import annotations

from pathlib import Path

import pyarrow.csv as pa_csv

from afield.errors import DataError, UseCaseError
from afield.explore.exploring import explore
from afield.explore.looking import Explored
from afield.explore.recipe import Recipe, recipe
from afield.explore.template import written
from afield.gallery.copying import Started, existing, make
from afield.train.base import Watcher
from afield.usecase.load import FILE_NAME

DATA = "data"


def start(
    folder: Path, *, data: str | None, target: str | None, force: bool = False, watcher: Watcher | None = None
) -> Started:
    """Explores data and writes a use case for it.

    Args:
        folder: where to; made if it is not there.
        data: a file or a folder of the person's.
        target: column of the answer; None for a folder of lines, whose answers are the names of the files.
        force: write into a folder that is not empty; files of the same name are replaced, others stay.
        watcher: who is told of the progress.

    Raises:
        UseCaseError: there is no data or target, or the folder is not empty.
        DataError: nothing can be learned from the data.
    """
    if data is None:
        raise UseCaseError("afield new auto: expected --data with a file or a folder, found none; add --data PATH")
    where = existing(data)
    explored = explore(where, target, watcher=watcher)
    if explored.sample.target is None:
        names = ", ".join(column.name for column in explored.sample.columns)
        raise UseCaseError(f"afield new auto: expected --target with the column of the answer, found none: {names}")
    make(folder, force=force)
    path, note = _readable(explored, where, folder)
    found = recipe(explored, path)
    (folder / FILE_NAME).write_text(written(found), encoding="utf-8")
    return Started(folder / FILE_NAME, tuple([note] if note else []) + tuple(_said(found, explored)))


def _said(found: Recipe, explored: Explored) -> list[str]:
    signal = explored.document.signal
    left = [f"left out: {name} ({why})" for name, why in found.excluded.items()]
    return [*left, *([signal.sentence] if signal else [])]


def _readable(explored: Explored, where: Path, folder: Path) -> tuple[Path, str]:
    """The path of data that the source reads: the person's own, or a copy of it in another form, and what it is."""
    rows = explored.sample.rows
    odd = [
        account
        for account in rows.accounts
        if account.delimiter not in ("", ",", "\t")
        or account.encoding not in ("", "UTF-8")
        or account.foreign
        or account.repeated
    ]
    if rows.form != "csv" or not odd:
        return where, ""
    if rows.total != rows.table.num_rows:
        raise DataError(
            f"{odd[0].file}: is too large to be copied in a form that training reads; convert it to UTF-8 with commas "
            "between the fields, and name the new file"
        )
    copy = folder / DATA / f"{where.name.split('.')[0]}.csv"
    copy.parent.mkdir(exist_ok=True)
    pa_csv.write_csv(rows.table, copy)
    return Path(DATA) / copy.name, f"{copy}: {rows.table.num_rows:,} rows, copied as UTF-8 with commas"
