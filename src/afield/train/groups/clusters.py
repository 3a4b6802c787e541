"""Vectors put into groups, and the references by which a new vector finds its group."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.exceptions import ConvergenceWarning

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
    distinct = len(np.unique(vectors, axis=0))
    wanted = spec.count or COUNTS[0]
    if spec.method == "k_means" and distinct < wanted:
        raise DataError(
            f"model.groups.count: {wanted} groups need as many different records; the training part has {distinct:,}"
            f" among {len(vectors):,}; ask for fewer groups, or give more data"
        )
    if spec.method == "density":
        references, owners = _dense(vectors, spec, seed)
    else:
        references = _round(vectors, spec.count or _best_count(vectors, distinct, seed), seed)
        owners = np.arange(len(references))
    return _named(references, owners, vectors, others, spec.radius)


def _round(vectors: np.ndarray, count: int, seed: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(count, n_init=STARTS, random_state=seed).fit(vectors)
    return np.asarray(found.cluster_centers_, np.float32)


def _best_count(vectors: np.ndarray, distinct: int, seed: int) -> int:
    """The number of groups whose silhouette is highest.

    Source: P. J. Rousseeuw, Silhouettes, Journal of Computational and Applied Mathematics 20 (1987), section 3.
    """
    drawn = vectors[sample(len(vectors), MEASURED, seed)]
    best, chosen = -np.inf, COUNTS[0]
    for count in COUNTS:
        if count > distinct or count >= len(drawn):
            break
        members = _nearest(drawn, _round(drawn, count, seed))
        if len(np.unique(members)) < 2:
            continue
        score = float(silhouettes(drawn, members).mean())
        if score > best:
            best, chosen = score, count
    return chosen


def _dense(vectors: np.ndarray, spec: Groups, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Several references a group, and the group of each.

    Source: R. J. G. B. Campello, D. Moulavi and J. Sander, Density-Based Clustering Based on Hierarchical Density
    Estimates, PAKDD 2013.
    """
    some = vectors[sample(len(vectors), CLOSE, seed)]
    smallest = spec.smallest or max(SMALLEST, round(SMALLEST_SHARE * len(some)))
    least = min(smallest, len(some))
    members: np.ndarray[Any, Any] = HDBSCAN(min_cluster_size=max(least, 2), copy=True).fit(some).labels_
    groups = np.unique(members[members >= 0])
    if not len(groups):
        raise DataError(
            f"model.groups: no {smallest:,} of {len(some):,} records lie close enough to be a group; lower `smallest`, or"
            " write `method: k_means`"
        )
    references = [
        _round(own, min(PLACES, len(np.unique(own, axis=0))), seed)
        for own in (some[members == group] for group in groups)
    ]
    return np.concatenate(references), np.repeat(np.arange(len(groups)), [len(own) for own in references])


def _named(
    references: np.ndarray, owners: np.ndarray, vectors: np.ndarray, others: np.ndarray, share: float | None
) -> Nearest:
    """The decision: groups in order of their size, each with its radius."""
    count = int(owners.max()) + 1
    known = np.concatenate([vectors, others])
    everything = Nearest([""] * count, references, owners.astype(np.int32), np.full(count, np.inf, np.float32))
    members, distances = everything.nearest(known)
    order = np.argsort(-np.bincount(members[: len(vectors)], minlength=count), kind="stable")
    ranks = np.empty(count, np.int32)
    ranks[order] = np.arange(count)
    radii = np.full(count, np.inf, np.float32)
    if share is not None:
        for group in range(count):
            own = distances[members == group]
            radii[ranks[group]] = float(np.quantile(own, share)) if len(own) else 0.0
    return Nearest([f"group {place}" for place in range(1, count + 1)], references, ranks[owners], radii)


def _nearest(vectors: np.ndarray, references: np.ndarray) -> np.ndarray:
    squares = (references**2).sum(axis=1)[None, :] - 2 * vectors @ references.T
    return squares.argmin(axis=1)
