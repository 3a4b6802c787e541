"""One row, answered by each peer: a turn is many calls, and its time is their median."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from peers.networks import SUBSCRIBERS, Layer
from peers.turns import Turns

CALLS, WARM_UP = 40, 10
LAYERS: dict[str, tuple[Layer, ...]] = {
    "subscribers": SUBSCRIBERS,
    "digits": (("dense", 512, "relu"), ("dense", 0, "softmax")),
    "logs": (("bag", 512, "relu"), ("dense", 0, "softmax")),
}
"""Case -> its network without what does nothing when a row is answered; the last layer has as many units as answers."""


def serve(peer: str, case: str, facts: str) -> None:
    """Answers while there are turns.

    Args:
        peer: its name.
        case: one of `LAYERS`.
        facts: as JSON: {"bundle": path} for Afield; for the others what Afield said of a row.
    """
    known = json.loads(facts)
    limit: Callable[[int], object] = lambda _: None  # noqa: E731
    hello: dict[str, Any] = {}
    if peer.startswith("afield"):
        call, hello = _afield(Path(known["bundle"]), whole=peer == "afield-record")
    elif peer.startswith("keras"):
        from peers import keras_models

        row = _dense_row(known)
        call = keras_models.one_row(row.shape[1:], _layers(case, known), row)
    else:
        from peers import pytorch

        row, layers = _dense_row(known), _layers(case, known)
        if layers[0][0] == "bag":
            ids = np.flatnonzero(row[0])
            call = pytorch.one_sparse_row(row.shape[1], layers, ids, row[0, ids])
        else:
            call = pytorch.one_row(row.shape[1:], layers, row)
    if peer in ("keras-torch", "pytorch"):
        import torch

        limit = torch.set_num_threads
    turns = Turns(hello, limit)
    turns.begin()
    on = True
    while on:
        for _ in range(WARM_UP):
            call()
        on = turns.ended(median(_seconds(call) for _ in range(CALLS)))
    turns.close({})


def _afield(bundle: Path, whole: bool) -> tuple[Callable[[], object], dict[str, Any]]:
    """The whole road from records to an answer, or the session alone; and what a row is."""
    from afield.bundle import open_bundle
    from afield.preprocess.rows import SparseRows
    from afield.preprocess.windows import Windows
    from afield.runtime.predictor import Predictor, example_batches

    opened = open_bundle(bundle)
    predictor = Predictor(opened)
    records = next(example_batches(opened.examples))
    if predictor.pipeline.window is None:
        records = records.slice(0, 1)
    features = predictor.pipeline.read(records).features
    (feature,) = features.values()
    facts: dict[str, Any] = {"outputs": predictor.session.answer(features).shape[-1]}
    if isinstance(feature, SparseRows):
        facts |= {"shape": [feature.width], "entries": len(feature.ids)}
    else:
        shape = feature.shape if isinstance(feature, Windows) else feature.shape[1:]
        # Only the rows of a window are a sequence; an image is flattened by its network.
        facts |= {"shape": shape if isinstance(feature, Windows) else [int(np.prod(shape))]}

    def answered() -> dict[str, list]:
        return {name: column.to_pylist() for name, column in predictor.answer(records).columns.items()}

    return answered if whole else lambda: predictor.session.answer(features), facts


def _layers(case: str, known: dict[str, Any]) -> tuple[Layer, ...]:
    *before, (kind, _, activation) = LAYERS[case]
    return (*before, (kind, known["outputs"], activation))


def _dense_row(known: dict[str, Any]) -> np.ndarray:
    """float32[1, ...]; the time does not depend on the numbers, but on how many of a sparse row are not zero."""
    row = np.random.default_rng(1).normal(size=(1, *known["shape"])).astype(np.float32)
    row[..., known.get("entries", row.shape[-1]) :] = 0
    return row


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
