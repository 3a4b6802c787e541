"""The three parts of the data: training, validation, test."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pyarrow as pa

from afield.connectors.base import FILE
from afield.errors import DataError
from afield.train.layout import covered


@dataclass(frozen=True)
class Parts:
    """Rows of each part, int64, ascending."""

    training: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def items(self) -> list[tuple[str, np.ndarray]]:
        return [("training", self.training), ("validation", self.validation), ("test", self.test)]


def drawn(targets: np.ndarray, shares: tuple[float, float], seed: int, *, stratify: bool) -> Parts:
    """Parts drawn at random.

    Args:
        targets: int[N]; class of each row.
        shares: of the test and the validation part.
        seed: of the draw.
        stratify: each class has the same share of every part, as far as whole rows allow; a class never lacks training
            rows, and of two rows or more at least one is for the test.
    """
    draw = np.random.default_rng([seed, 0x5EED]).permutation(len(targets))
    if not stratify:
        return _cut(draw, *_sizes(len(targets), shares))
    by_class = draw[np.argsort(targets[draw], kind="stable")]
    bounds = np.flatnonzero(np.diff(targets[by_class])) + 1
    test, validation, training = [], [], []
    # Fractions of a row left over by one class are carried to the next, so that the parts have their share in all.
    owed_test = owed_validation = 0.0
    for rows in np.split(by_class, bounds):
        owed_test += len(rows) * shares[0]
        owed_validation += len(rows) * shares[1]
        for_test = int(min(max(round(owed_test), 1 if shares[0] else 0), len(rows) - 1))
        for_validation = int(min(max(round(owed_validation), 0), len(rows) - 1 - for_test))
        owed_test -= for_test
        owed_validation -= for_validation
        test.append(rows[:for_test])
        validation.append(rows[for_test : for_test + for_validation])
        training.append(rows[for_test + for_validation :])
    return Parts(*(np.sort(np.concatenate(part)) for part in (training, validation, test)))


def folds(targets: np.ndarray, count: int, number: int, validation: float, seed: int, *, stratify: bool) -> Parts:
    """One of several splits, whose test parts together are all rows.

    Args:
        targets: int[N]; class of each row, or values.
        count: of the splits.
        number: of this one, from 0.
        validation: share of all rows held back to watch the training.
        seed: of the draw; the same for all splits.
        stratify: each class has the same share of every part.
    """
    draw = np.random.default_rng([seed, 0xF01D]).permutation(len(targets))
    if stratify:
        draw = draw[np.argsort(targets[draw], kind="stable")]
    fold = np.empty(len(targets), np.int64)
    fold[draw] = np.arange(len(targets)) % count
    others = np.flatnonzero(fold != number)
    share = validation * len(targets) / max(len(others), 1)
    classes = targets[others] if stratify else np.zeros(len(others), np.int32)
    kept = drawn(classes, (0.0, share), seed, stratify=stratify)
    return Parts(others[kept.training], others[kept.validation], np.flatnonzero(fold == number))


def by_time(times: np.ndarray, shares: tuple[float, float]) -> Parts:
    """The oldest rows train, the newest test.

    Args:
        times: sortable[N]; equal times keep their order.
        shares: of the test and the validation part.
    """
    order = np.argsort(times, kind="stable")
    for_test, for_validation = _sizes(len(order), shares)
    newest_first = order[::-1]
    return _cut(newest_first, for_test, for_validation)


def by_group(groups: np.ndarray, targets: np.ndarray, shares: tuple[float, float], seed: int) -> Parts:
    """Whole groups go to one part: no group of the test part stands in training.

    Groups are drawn class by class (a group's class is that of its first row), so that each class with several groups
    has some in training; a class with a single group stays in training.

    Args:
        groups: [N]; group of each row.
        targets: int[N]; class of each row.
        shares: of the test and the validation part, in rows.
        seed: of the draw.
    """
    _, first, member, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    draw = np.random.default_rng([seed, 0x6E0]).permutation(len(first))
    part_of = np.zeros(len(first), np.int8)
    order = draw[np.argsort(targets[first[draw]], kind="stable")]
    for same in np.split(order, np.flatnonzero(np.diff(targets[first[order]])) + 1):
        rows = int(sizes[same].sum())
        left = len(same)
        wanted: dict[int, float] = {2: rows * shares[0], 1: rows * shares[1]}
        for group in same:
            part = 2 if wanted[2] >= sizes[group] / 2 else 1
            if left > 1 and wanted[part] >= sizes[group] / 2:
                part_of[group] = part
                wanted[part] -= float(sizes[group])
                left -= 1
    part = part_of[member]
    return Parts(*(np.flatnonzero(part == number) for number in (0, 1, 2)))


def by_file(
    table: pa.Table, ends: np.ndarray, pattern: str, validation: float, targets: np.ndarray, seed: int
) -> Parts:
    """The examples of some files test; validation is drawn from the others.

    Args:
        table: records, with the column FILE.
        ends: int64[M]; the record that each example stands for.
        pattern: glob of the names of the test files.
        validation: its share of the other examples.
        targets: int[M]; the validation part has each class with the same share.
        seed: of the draw.

    Raises:
        DataError: no file has such a name, or all have.
    """
    if FILE not in table.column_names:
        raise DataError(
            "train.split: `by: file` needs a source of files; the records do not say which file they are of"
        )
    files = table.column(FILE).combine_chunks().dictionary_encode()
    names = [Path(name).name for name in files.dictionary.to_pylist()]
    matching = np.array([fnmatchcase(name, pattern) for name in names])
    if matching.all() or not matching.any():
        found = "all of them do" if matching.all() else "none does"
        raise DataError(
            f"train.split.test_files: expected some of the files to match '{pattern}', {found}: {', '.join(names[:5])}"
        )
    tested = matching[files.indices.to_numpy()][ends]
    others = np.flatnonzero(~tested)
    kept = drawn(targets[others], (0.0, validation), seed, stratify=True)
    return Parts(others[kept.training], others[kept.validation], np.flatnonzero(tested))


def purged(parts: Parts, starts: np.ndarray, length: int) -> Parts:
    """The parts without the windows that share a record with a later part: a test row is never trained on.

    Args:
        parts: of M windows.
        starts: int64[M]; where each window begins, in the order of the records.
        length: of a window.

    Raises:
        DataError: nothing is left to train on.
    """
    last = int(starts.max(initial=0)) + length

    def apart(rows: np.ndarray, *later: np.ndarray) -> np.ndarray:
        taken = covered(starts[np.concatenate(later)], length, last)
        met = np.concatenate([[0], np.cumsum(taken)])
        return rows[met[starts[rows] + length] == met[starts[rows]]]

    training = apart(parts.training, parts.validation, parts.test)
    if len(parts.training) and not len(training):
        raise DataError(
            "train.split: every window of the training part shares records with the test part; split `by: time` or"
            " `by: group`, or give `window` a `stride` of its length"
        )
    return Parts(training, apart(parts.validation, parts.test), parts.test)


def _sizes(rows: int, shares: tuple[float, float]) -> tuple[int, int]:
    return round(rows * shares[0]), round(rows * shares[1])


def _cut(order: np.ndarray, for_test: int, for_validation: int) -> Parts:
    test, validation, training = np.split(order, [for_test, for_test + for_validation])
    return Parts(np.sort(training), np.sort(validation), np.sort(test))
