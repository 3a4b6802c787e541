"""Vectors put into groups, and the references by which a new vector finds its group."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from afield.errors import DataError
from afield.report.metrics import sample, silhouettes
from afield.runtime.decisions import Nearest

if TYPE_CHECKING:
    from afield.train.groups.spec import Groups

COUNTS = range(2, 13)
"""Numbers of groups that are tried where none is given."""
MEASURED = 2000
"""Vectors by which the number of groups is chosen, at most."""
STARTS = 4
"""Starts of k-means, of which the best is kept."""
CLOSE = 20_000
"""Vectors among which dense places are looked for, at most: the work grows with the square of their number."""
PLACES = 16
"""References of a group that was found by density, at most: it may have any shape."""
SMALLEST = 5
SMALLEST_SHARE = 0.01
LEAST = 1e-3
"""Radius that a group has at least: records that are alike to the last digit are not all there is to come."""
NEAR = 0.25
"""Part of the way from a round group to the next one that its radius spans at least, however alike its records are."""


def grouped(vectors: np.ndarray, others: np.ndarray, spec: Groups, seed: int) -> Nearest:
    """Groups the training part's vectors; the largest group is `group 1`.

    Args:
        vectors: float32[N, D]; of the training part.
        others: float32[M, D]; of the validation part, which the radii count too.
        spec: how.
        seed: of k-means and of samples.

    Raises:
        DataError: there are fewer vectors than groups, or none lie close.
    """
    enough(spec, len(np.unique(vectors, axis=0)))
    if spec.method == "density":
        references, owners, known = _dense(vectors, spec, seed)
    else:
        references = _round(vectors, spec.count or _best_count(vectors, seed), seed)
        owners, known = np.arange(len(references)), np.concatenate([vectors, others])
    return _named(references, owners, vectors, known, spec)


def enough(spec: Groups, records: int) -> None:
    """Refuses more groups than there are different records in the training part.

    Raises:
        DataError: there are fewer.
    """
    wanted = (spec.count or COUNTS[0]) if spec.method == "k_means" else 1
    if records < wanted:
        raise DataError(
            f"model.groups.count: {wanted:,} groups need as many different records, and the training part has"
            f" {records:,}; ask for fewer groups, or give more data"
        )


def _round(vectors: np.ndarray, count: int, seed: int) -> np.ndarray:
    # Its threads wait for each other at every step, which on a busy machine takes many times as long as one thread.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        found: Any = KMeans(count, random_state=seed).set_params(n_init=STARTS).fit(vectors)
    return np.asarray(found.cluster_centers_, np.float32)


def _best_count(vectors: np.ndarray, seed: int) -> int:
    """The number of groups whose silhouette is highest.

    Source: P. J. Rousseeuw, Silhouettes, Journal of Computational and Applied Mathematics 20 (1987), section 3.
    """
    drawn = vectors[sample(len(vectors), MEASURED, seed)]
    most = len(np.unique(drawn, axis=0))
    best, chosen = -np.inf, COUNTS[0]
    for count in COUNTS[: max(most - 2, 0)]:
        members = _nearest(drawn, _round(drawn, count, seed))
        if len(np.unique(members)) < 2:
            continue
        score = float(silhouettes(drawn, members).mean())
        if score > best:
            best, chosen = score, count
    return chosen


def _dense(vectors: np.ndarray, spec: Groups, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Several references a group, the group of each, and the vectors that belong to a group.

    Source: R. J. G. B. Campello, D. Moulavi and J. Sander, Density-Based Clustering Based on Hierarchical Density
    Estimates, PAKDD 2013.
    """
    some = vectors[sample(len(vectors), CLOSE, seed)]
    smallest = spec.smallest or max(SMALLEST, round(SMALLEST_SHARE * len(some)))
    members = np.full(len(some), -1)
    if smallest <= len(some):
        found: Any = HDBSCAN(min_cluster_size=smallest).set_params(copy=True).fit(some)
        members = found.labels_
    groups = np.unique(members[members >= 0])
    if not len(groups):
        raise DataError(
            f"model.groups.smallest: no {smallest:,} of {len(some):,} records lie close enough to be a group; lower it,"
            " or write `method: k_means`"
        )
    inside = [some[members == group] for group in groups]
    references = [_round(own, min(PLACES, len(np.unique(own, axis=0))), seed) for own in inside]
    owners = np.repeat(np.arange(len(groups)), [len(own) for own in references])
    return np.concatenate(references), owners, np.concatenate(inside)


def _named(references: np.ndarray, owners: np.ndarray, vectors: np.ndarray, known: np.ndarray, spec: Groups) -> Nearest:
    """The decision: groups in order of their size among the vectors, with radii that hold a share of the known ones."""
    count = int(owners.max()) + 1
    boundless = np.full(count, np.inf, np.float32)
    unnamed = Nearest([""] * count, references, owners.astype(np.int32), boundless)
    order = np.argsort(-np.bincount(unnamed.nearest(vectors)[0], minlength=count), kind="stable")
    ranks = np.empty(count, np.int32)
    ranks[order] = np.arange(count)
    radii = boundless if spec.radius is None else _radii(unnamed, known, spec)[order]
    return Nearest([f"group {place}" for place in range(1, count + 1)], references, ranks[owners], radii)


def _radii(found: Nearest, known: np.ndarray, spec: Groups) -> np.ndarray:
    members, distances = found.nearest(known)
    radii = np.full(len(found.names), LEAST, np.float32)
    for group in np.unique(members):
        radii[group] = max(float(np.quantile(distances[members == group], spec.radius or 1.0)), LEAST)
    if spec.method == "k_means":
        apart = np.linalg.norm(found.references[:, None] - found.references[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        radii = np.maximum(radii, NEAR * apart.min(axis=1)).astype(np.float32)
    return radii


def _nearest(vectors: np.ndarray, references: np.ndarray) -> np.ndarray:
    squares = (references**2).sum(axis=1)[None, :] - 2 * vectors @ references.T
    return squares.argmin(axis=1)
