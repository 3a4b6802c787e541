"""Vectors as points that can be drawn: in a plane, in space, and in space epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from afield.report.metrics.resampling import balanced_sample, sample
from afield.report.metrics.rows import Rows
from afield.report.model import Embedding, Frame, Picture

POINTS = 2000
EMBEDDED = 400
FRAMES = 30
TEXT = 120


def picture(
    vectors: np.ndarray,
    members: np.ndarray,
    names: Sequence[str],
    seed: int,
    rows: Rows | None = None,
    dimensions: int = 2,
) -> Picture:
    """Rows as points, at most POINTS of them.

    Args:
        vectors: float[N, D].
        members: int[N]; number of each row's name.
        names: of what the rows are coloured by.
        seed: of the sample.
        rows: numbers of rows -> the rows as they may be shown.
        dimensions: 2 or 3; more are projected to the first principal components.
    """
    drawn = sample(len(vectors), POINTS, seed)
    centre, basis, method = _view(vectors[drawn], dimensions)
    points = (vectors[drawn].astype(np.float64) - centre) @ basis
    return Picture(
        points=[tuple(point) for point in rounded(points)],
        members=members[drawn].tolist(),
        names=list(names),
        texts=[] if rows is None else [shown.text[:TEXT] for shown in rows(drawn)],
        method=method,
    )


def embedding(frames: Mapping[int, np.ndarray], members: np.ndarray, names: Sequence[str], seed: int) -> Embedding:
    """How vectors move in space from epoch to epoch: at most EMBEDDED rows, FRAMES epochs.

    All frames are seen from the side that shows most of the last one, so that what moves is the vectors.

    Args:
        frames: epoch -> float[N, D]; vectors of the same rows.
        members: int[N]; number of each row's name.
        names: of the states or classes.
        seed: of the sample, which takes equally many rows of each name.
    """
    drawn = balanced_sample(members, EMBEDDED, seed)
    epochs = sorted(frames)
    chosen = sorted({epochs[place] for place in np.linspace(0, len(epochs) - 1, FRAMES).round().astype(int)})
    centre, basis, method = _view(frames[epochs[-1]][drawn], 3)
    return Embedding(
        names=list(names),
        members=members[drawn].tolist(),
        frames=[
            Frame(
                epoch=epoch,
                points=[(x, y, z) for x, y, z in rounded((frames[epoch][drawn].astype(np.float64) - centre) @ basis)],
            )
            for epoch in chosen
        ],
        method=method,
    )


def rounded(points: np.ndarray) -> list[list[float]]:
    """Coordinates with four digits of the largest one: more can be neither seen nor afforded."""
    largest = float(np.abs(points).max(initial=0))
    digits = 4 - int(np.ceil(np.log10(largest))) if largest > 0 else 0
    return points.round(digits).tolist()


def _view(vectors: np.ndarray, dimensions: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Centre float64[D], basis float64[D, dimensions], and how they were found."""
    width = vectors.shape[1]
    if width <= dimensions:
        return np.zeros(width), np.eye(width, dimensions), "as they are"
    centre = vectors.mean(axis=0, dtype=np.float64)
    _, sizes, axes = np.linalg.svd(vectors - centre, full_matrices=False)
    basis = np.zeros((width, dimensions))
    found = axes[:dimensions].T
    # The sign of an axis is arbitrary; its largest part is taken as positive, so that the picture never flips.
    signs = np.sign(found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])])
    basis[:, : found.shape[1]] = found * np.where(signs == 0, 1, signs)
    whole = float((sizes**2).sum())
    kept = float((sizes[:dimensions] ** 2).sum()) / whole if whole else 1.0
    return centre, basis, f"the first {dimensions} principal components, {kept:.0%} of the variance"
