"""Tables with faults that were put there on purpose, and the same without."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROWS = 3000


@dataclass(frozen=True)
class Planted:
    """A CSV file and the lines of its faults.

    Args:
        path: of the file.
        header: line of the repeated names.
        copies: lines of copied rows.
        flipped: lines whose label was changed.
    """

    path: Path
    header: int = 0
    copies: set[int] = field(default_factory=set[int])
    flipped: set[int] = field(default_factory=set[int])


def clean(folder: Path, seed: int, rows: int = ROWS) -> Planted:
    """A table of numbers and categories that answers its question, without faults."""
    return _written(folder / f"clean-{seed}.csv", *_table(np.random.default_rng([seed, 1]), rows))


def faulty(folder: Path, seed: int, rows: int = ROWS) -> Planted:
    """The same with a leaking column, copied rows, 5 % of the labels changed, a repeated header and IMSIs."""
    rng = np.random.default_rng([seed, 2])
    names, table = _table(rng, rows)
    flipped = set(rng.choice(rows, rows // 20, replace=False).tolist())
    for row in flipped:
        table[row][-1] = "no" if table[row][-1] == "yes" else "yes"
    names = ["imsi", "refund", *names]
    for row in table:
        told = row[-1] if rng.random() > 0.01 else "no"
        row[:0] = [f"26201{rng.integers(10**9, 10**10)}", {"yes": "paid", "no": "none"}[told]]
    copies = [list(table[row]) for row in rng.choice(rows, rows // 25, replace=False)]
    for row in copies:
        row[2] = f"{float(row[2]) * (1 + 1e-7):.9f}"
    first = len(table)
    table += copies
    middle = int(rng.integers(100, rows - 100))
    planted = _written(folder / f"faulty-{seed}.csv", names, [*table[:middle], names, *table[middle:]])
    lines = {row: row + 2 + (row >= middle) for row in range(len(table))}
    return Planted(
        planted.path,
        header=middle + 2,
        copies={lines[row] for row in range(first, len(table))},
        flipped={lines[row] for row in flipped},
    )


def _table(rng: np.random.Generator, rows: int) -> tuple[list[str], list[list[str]]]:
    numbers = rng.normal(size=(rows, 5))
    plan = rng.choice(["basic", "extra", "all"], rows)
    region = rng.choice(["north", "south", "east", "west"], rows)
    worth = 2 * numbers[:, 0] + 2 * numbers[:, 1] * (plan == "all") - numbers[:, 2] ** 2 + 1
    answer = np.where(worth + rng.normal(0, 0.3, rows) > 0, "yes", "no")
    names = ["used", "paid", "spread", "delay", "load", "plan", "region", "stays"]
    table = [
        [*(f"{value:.4f}" for value in numbers[row]), str(plan[row]), str(region[row]), str(answer[row])]
        for row in range(rows)
    ]
    return names, table


def _written(path: Path, names: list[str], table: list[list[str]]) -> Planted:
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *table])
    return Planted(path)
