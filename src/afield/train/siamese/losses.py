"""Losses on vectors: of triplets that stand in a batch as all anchors, all positives, all negatives; or of labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

# Keras's own annotations say that an operation may give nothing.
ops: Any = keras.ops

EPSILON = 1e-8

Loss = Callable[[Any, Any], Any]
"""(targets, vectors float[3 B, D]) -> float[B], a loss a triplet."""


def distances(vectors: Any) -> tuple[Any, Any]:
    """Squared distances of anchors to positives and to negatives: float[B] each.

    Args:
        vectors: float[3 B, D]: B anchors, then B positives, then B negatives.
    """
    anchors, positives, negatives = ops.split(vectors, 3, axis=0)
    return ops.sum(ops.square(anchors - positives), axis=-1), ops.sum(ops.square(anchors - negatives), axis=-1)


def triplet(margin: float) -> Loss:
    """max(AP - AN + margin, 0).

    Source: F. Schroff, D. Kalenichenko and J. Philbin, FaceNet: A Unified Embedding for Face Recognition and
    Clustering, CVPR 2015.
    """

    def loss(_: Any, vectors: Any) -> Any:
        near, far = distances(vectors)
        return ops.relu(near - far + margin)

    return loss


def unclamped_triplet(margin: float) -> Loss:
    """AP - AN + margin: it also rewards pushing apart what is far apart already."""

    def loss(_: Any, vectors: Any) -> Any:
        near, far = distances(vectors)
        return near - far + margin

    return loss


def lossless_triplet(margin: float) -> Loss:
    """-ln(1 - AP / D) - ln(1 - (D - AN) / D), for vectors of D numbers between 0 and 1; the margin has no part in it.

    Source: M.-O. Arsenault, Lossless Triplet Loss (2018), with beta = D.
    """

    def loss(_: Any, vectors: Any) -> Any:
        near, far = distances(vectors)
        size = vectors.shape[-1]
        return -ops.log(1 - near / size + EPSILON) - ops.log(far / size + EPSILON)

    return loss


def semi_hard_triplet(margin: float) -> Loss:
    """The triplet loss of each pair of one state with the nearest stranger that is farther away than the pair is wide.

    Where no stranger is farther, the farthest one is taken.

    Source: as `triplet`, section 3.2.
    """

    def loss(states: Any, vectors: Any) -> Any:
        squares = ops.sum(ops.square(vectors), axis=-1)
        apart = ops.relu(squares[:, None] + squares[None, :] - 2 * ops.matmul(vectors, ops.transpose(vectors)))
        states = ops.reshape(states, (-1,))
        same = ops.equal(states[:, None], states[None, :])
        # [anchor, positive, negative]
        near, far = apart[:, :, None], apart[:, None, :]
        stranger = ops.logical_not(same)[:, None, :]
        farther = ops.logical_and(stranger, far > near)
        nearest = ops.min(ops.where(farther, far, float("inf")), axis=-1)
        farthest = ops.max(ops.where(stranger, far, 0.0) + ops.zeros_like(near), axis=-1)
        chosen = ops.where(ops.any(farther, axis=-1), nearest, farthest)
        pair = ops.cast(ops.logical_and(same, ops.logical_not(ops.cast(ops.eye(len(vectors)), "bool"))), vectors.dtype)
        return ops.sum(ops.relu(apart - chosen + margin) * pair) / ops.maximum(ops.sum(pair), 1.0)

    return loss


LOSSES: dict[str, Callable[[float], Loss]] = {
    "triplet": triplet,
    "unclamped_triplet": unclamped_triplet,
    "lossless_triplet": lossless_triplet,
}
"""Name in a use case -> loss of a margin."""
