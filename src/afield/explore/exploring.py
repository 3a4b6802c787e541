"""`explore`: reads data, and looks at it from every side."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from afield.errors import DataError
from afield.explore.reading import files, usecase
from afield.explore.reading.rows import Rows
from afield.usecase.load import FILE_NAME, load

if TYPE_CHECKING:
    from afield.explore.looking import Explored
    from afield.train.base import Watcher


def explore(
    path: Path,
    target: str | None = None,
    *,
    overrides: Sequence[str] = (),
    seed: int = 0,
    watcher: Watcher | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Explored:
    """Finds out what data holds, what is wrong with it, and whether it can answer the question.

    Args:
        path: folder of a use case, folder of data, or a file.
        target: column of the answer; None takes the label of the use case or, of several files of lines, their names.
        overrides: values put in place of the use case's.
        seed: of all samples and models; the same seed finds the same.
        watcher: who is told of the progress.
        clock: what time it is, with a time zone.

    Raises:
        UseCaseError: there is no such path or target, or the use case has errors.
        DataError: there are no rows that can be read, or the target has one class only.
    """
    from afield.train.base import Unwatched

    started = time.perf_counter()
    watcher = watcher or Unwatched()
    watcher.stage("reading")
    with ThreadPoolExecutor(1) as pool:
        # The models and all that looks at the rows take two seconds to import, in which the rows can be read.
        imported = pool.submit(import_module, "afield.explore.looking")
        rows = _read(path, overrides, watcher)
        imported.result()
    from afield.explore.looking import looked_at

    return looked_at(rows, target, seed=seed, watcher=watcher, created=clock(), started=started)


def _read(path: Path, overrides: Sequence[str], watcher: Watcher) -> Rows:
    found = usecase.read(load(path, overrides), watcher) if (path / FILE_NAME).is_file() else files.read(path)
    if not found.table.num_rows:
        raise DataError(f"{path}: expected rows, found none")
    return found
