"""Looks at rows that were read from every side: columns, findings, simple models, and the document of it all."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from afield.explore import columns
from afield.explore.base import Sample, Target
from afield.explore.columns import Column
from afield.explore.findings import KINDS, leakage
from afield.explore.giving import giving
from afield.explore.hiding import Curtain
from afield.explore.masking import mask
from afield.explore.models import answers
from afield.explore.parts import parts
from afield.explore.personal import Kind, kind_of
from afield.explore.profile import profile
from afield.explore.reading.rows import Rows
from afield.explore.signal import signal
from afield.explore.target import target_of
from afield.report.model.exploration import Exploration, Finding, Frequent
from afield.train.base import Watcher

THREADS = 2


@dataclass(frozen=True)
class Explored:
    """What an exploration has found.

    Args:
        document: what is shown of it.
        sample: what it was found in.
        personal: column -> the kind of personal data that it holds.
    """

    document: Exploration
    sample: Sample
    personal: dict[str, Kind]


def looked_at(
    rows: Rows, target: str | None, *, seed: int, watcher: Watcher, created: datetime, started: float
) -> Explored:
    """What the rows hold, what is wrong with them, and whether they can answer the question.

    Args:
        rows: as they were read.
        target: column of the answer; None takes the labels of the rows, where they have any.
        seed: of all samples and models.
        watcher: who is told of the progress.
        created: when, with a time zone.
        started: on the clock `time.perf_counter`, when the reading began.

    Raises:
        UseCaseError: there is no such target.
        DataError: the target has one class only.
    """
    watcher.stage("looking at the columns", rows.table.num_columns)
    read = _columns(rows, watcher)
    found = {column.name: kind for column in read if (kind := kind_of(column))}
    asked = target_of(rows, read, target)
    made, how = parts(rows, read, asked, seed)
    curtain = Curtain({name: kind.called for name, kind in found.items()})
    sample = Sample(rows, read, asked, made, how, curtain, seed)
    sample = replace(sample, giving=giving(sample))
    sample = replace(sample, answers=answers(sample, leakage.leaking(sample), watcher))
    watcher.stage("looking for faults", len(KINDS))
    findings: list[Finding] = []
    for look in KINDS:
        findings += look(sample)
        watcher.advance(1)
    document = Exploration(
        name=rows.name,
        created=created,
        files=rows.files,
        bytes=sum(account.size for account in rows.accounts),
        rows=rows.total,
        read=sample.count,
        columns=[profile(column, curtain, found[column.name].name if column.name in found else "") for column in read],
        target=asked.name if asked else "",
        kind=asked.kind if asked else None,
        classes=_balance(asked, curtain) if asked else [],
        findings=findings,
        mask=mask(sample, found),
        signal=signal(sample),
        notes=rows.notes,
        seconds=round(time.perf_counter() - started, 2),
    )
    return Explored(document, sample, found)


def _columns(rows: Rows, watcher: Watcher) -> list[Column]:
    names = rows.table.column_names

    def read(name: str) -> Column:
        return columns.read(name, rows.table.column(name))

    found: list[Column] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for column in pool.map(read, names):
            found.append(column)
            watcher.advance(1)
    return found


def _balance(target: Target, curtain: Curtain) -> list[Frequent]:
    """Rows of each class, the most frequent first."""
    if not target.classes:
        return []
    counts = np.bincount(target.values[target.known], minlength=len(target.classes))
    order = np.argsort(-counts, kind="stable").tolist()
    names = [curtain.value(target.name, name) for name in target.classes]
    return [Frequent(value=names[place], rows=int(counts[place])) for place in order]
