"""Figures of groups of rows: how far they lie apart, what is typical of each, and whether labels agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from afield.report.metrics.checking import check_finite
from afield.report.metrics.clouds import picture
from afield.report.metrics.resampling import bootstrap, sample
from afield.report.metrics.rows import Rows, by_number
from afield.report.model import Group, Groups, Shown, Typical

SAMPLE = 2000
"""Silhouettes need the distance of each row to each other one; of more rows than this a sample is taken."""
EXAMPLES = 5
TYPICAL = 5


def silhouettes(vectors: np.ndarray, members: np.ndarray) -> np.ndarray:
    """How much nearer each row is to its own group than to the next one, from -1 to 1, float64[N].

    Source: P. J. Rousseeuw, Silhouettes, Journal of Computational and Applied Mathematics 20 (1987). A row alone in its
    group has 0.

    Args:
        vectors: float[N, D].
        members: int[N]; group of each row, two groups at least.
    """
    found, members = np.unique(members, return_inverse=True)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    squares = (centred**2).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * centred @ centred.T, 0))
    np.fill_diagonal(distances, 0)
    inside = np.eye(len(found))[members]
    sizes = inside.sum(axis=0)
    sums = distances @ inside
    every = np.arange(len(members))
    own = sizes[members]
    within = sums[every, members] / np.maximum(own - 1, 1)
    means = sums / sizes
    means[every, members] = np.inf
    nearest = means.min(axis=1)
    larger = np.maximum(within, nearest)
    apart = np.divide(nearest - within, larger, out=np.zeros(len(members)), where=larger > 0)
    return np.where(own > 1, apart, 0.0)


def adjusted_rand(first: np.ndarray, second: np.ndarray) -> float:
    """How far two groupings of the same rows agree: 1 wholly, about 0 as by chance.

    Source: L. Hubert, P. Arabie, Comparing partitions, Journal of Classification 2 (1985).

    Args:
        first, second: int[N]; group of each row.
    """
    _, first = np.unique(first, return_inverse=True)
    _, second = np.unique(second, return_inverse=True)
    columns = int(second.max()) + 1
    _, cells = np.unique(first.astype(np.int64) * columns + second, return_counts=True)
    together, by_first, by_second = (_pairs(counts) for counts in (cells, np.bincount(first), np.bincount(second)))
    everything = len(first) * (len(first) - 1) // 2
    if together == by_first == by_second:
        return 1.0
    expected = by_first * by_second / everything
    return (together - expected) / ((by_first + by_second) / 2 - expected)


def groups(
    vectors: np.ndarray,
    members: np.ndarray,
    method: str,
    seed: int,
    rows: Rows = by_number,
    columns: Sequence[str] = (),
    values: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    dimensions: int = 2,
    names: list[str] | None = None,
) -> Groups:
    """Describes groups of rows, the largest first.

    Args:
        vectors: float[N, D]; in the space in which they were grouped.
        members: int[N]; group of each row, -1 for one that belongs to none.
        method: how they were found.
        seed: of the samples and the interval.
        rows: numbers of rows -> the rows as they may be shown.
        columns: names of K columns in which groups may stand out; the vectors' own numbers mean little to a person.
        values: float[N, K]; theirs.
        labels: int[N]; what the rows are known to be, where that is known.
        dimensions: 2 or 3, of the picture.
        names: of the groups, by number; without them they are numbered by their size.

    Raises:
        DataError: a vector is not all numbers.
    """
    check_finite(vectors, "vectors")
    numbers, sizes = np.unique(members[members >= 0], return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    inside = np.nonzero(members >= 0)[0]
    drawn = inside[sample(len(inside), SAMPLE, seed)]
    measured = silhouettes(vectors[drawn], members[drawn]) if len(np.unique(members[drawn])) > 1 else None
    described = [
        _group(
            names[number] if names else f"group {place}",
            vectors,
            np.nonzero(members == number)[0],
            None if measured is None else measured[members[drawn] == number],
            rows,
            _typical(columns, values, members == number) if values is not None else [],
        )
        for place, number in enumerate(numbers[order].tolist(), 1)
    ]
    interval = None
    if measured is not None:
        parts = np.stack([measured, np.ones(len(measured))], axis=1)
        interval = bootstrap(parts, lambda sums: sums[:, 0] / sums[:, 1], seed)
    ranks = np.full(int(members.max(initial=-1)) + 2, len(numbers))
    ranks[numbers[order]] = np.arange(len(numbers))
    shown = [group.name for group in described] + (["no group"] if (members < 0).any() else [])
    return Groups(
        method=method,
        rows=len(members),
        outside=int((members < 0).sum()),
        groups=described,
        silhouette=None if measured is None else float(measured.mean()),
        silhouette_interval=interval,
        agreement=None if labels is None else adjusted_rand(labels, members),
        picture=picture(vectors, ranks[members], shown, seed, rows=rows, dimensions=dimensions),
    )


def _group(
    name: str,
    vectors: np.ndarray,
    inside: np.ndarray,
    measured: np.ndarray | None,
    rows: Rows,
    typical: list[Typical],
) -> Group:
    own = vectors[inside].astype(np.float64)
    away = ((own - own.mean(axis=0)) ** 2).sum(axis=1)
    nearest = inside[np.argsort(away, kind="stable")[:EXAMPLES]]
    return Group(
        name=name,
        size=len(inside),
        share=len(inside) / len(vectors),
        spread=float(np.sqrt(away.mean())),
        silhouette=float(measured.mean()) if measured is not None and len(measured) else None,
        typical=typical,
        examples=[Shown(**shown.model_dump()) for shown in rows(nearest)],
    )


def _typical(columns: Sequence[str], values: np.ndarray, inside: np.ndarray) -> list[Typical]:
    overall, spread, own = values.mean(axis=0), values.std(axis=0), values[inside].mean(axis=0)
    deviations = np.divide(own - overall, spread, out=np.zeros(len(columns)), where=spread > 0)
    order: list[int] = np.argsort(-np.abs(deviations), kind="stable")[:TYPICAL].tolist()
    return [
        Typical(
            column=columns[column],
            value=float(own[column]),
            overall=float(overall[column]),
            deviations=float(deviations[column]),
        )
        for column in order
        if deviations[column]
    ]


def _pairs(counts: np.ndarray) -> int:
    return sum(count * (count - 1) // 2 for count in counts.tolist())
