"""The process of one peer: `python -m peers.work train PEER NETWORK DEVICE SIZE`, or `row PEER CASE FACTS`, or `floor`.

DEVICE is cpu or gpu, SIZE is whole or quick, FACTS are the JSON of `peers.rows`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from peers.networks import Network, networks
from peers.turns import LeftOut, Turns

DISTRIBUTIONS = {
    "afield": ("afield", "keras", "jax"),
    "keras-jax": ("keras", "jax"),
    "keras-tensorflow": ("keras", "tensorflow"),
    "keras-torch": ("keras", "torch"),
    "pytorch": ("torch",),
    "skorch": ("skorch", "torch"),
    "lightning": ("lightning", "torch"),
    "scikit-learn": ("scikit-learn", "numpy"),
}
"""Peer -> what it is made of."""
JUDGED = 2_000
"""Rows on which what was learned is compared."""


def versions(peer: str) -> dict[str, str]:
    """The versions of what a peer is made of."""
    return {name: importlib.import_module(name).__version__ if name == "tensorflow" else version(name)
            for name in DISTRIBUTIONS[peer]}  # fmt: skip


def library(peer: str) -> tuple[str, Callable[[int], object], Callable[[], object]]:
    """Imports a peer.

    Returns:
        The device that it uses, cpu or gpu; a function that limits its threads, and one that waits for its device.
    """
    if peer == "scikit-learn":
        import sklearn.neural_network  # noqa: F401, so that its pools are there to be limited
        from threadpoolctl import ThreadpoolController

        return "cpu", lambda threads: ThreadpoolController().limit(limits=threads), _nothing
    if peer in ("afield", "keras-jax"):
        import jax
        import keras

        return jax.default_backend(), _nothing, _nothing
    if peer == "keras-tensorflow":
        import keras  # noqa: F401
        import tensorflow

        return "gpu" if tensorflow.config.list_physical_devices("GPU") else "cpu", _nothing, _nothing
    import torch

    torch.set_float32_matmul_precision("high")  # as JAX and TensorFlow have it on a GPU
    here = torch.cuda.is_available()
    return "gpu" if here else "cpu", torch.set_num_threads, torch.cuda.synchronize if here else _nothing


def train(peer: str, network: Network, wanted: str) -> None:
    """One peer trains one network."""
    device, limit, sync = library(peer)
    if device != wanted:
        raise LeftOut(f"as it is installed, it works on the {device} alone")
    if peer == "scikit-learn" and not network.dense:
        raise LeftOut("it has dense layers only")
    turns = Turns({"versions": versions(peer)}, limit)
    if peer == "scikit-learn":
        from peers import scikit

        answers = scikit.train(network, turns)
    elif peer == "afield" or peer.startswith("keras"):
        import keras

        from peers import keras_models

        fit: Any = keras.Model.fit
        if peer == "afield":
            import afield

            fit = afield.fit
        answers = keras_models.train(network, turns, fit, sync)
    else:
        from peers import pytorch

        loops = {"pytorch": pytorch.plain, "skorch": pytorch.skorch, "lightning": pytorch.lightning}
        answers = loops[peer](network, turns, "cuda" if device == "gpu" else "cpu", sync)
    turns.close(judged(network, answers))


def judged(network: Network, answers: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
    """Cross-entropy and accuracy on rows of the training data, to see that all have learned alike."""
    x, y = (part[:JUDGED] for part in network.data(1))
    found = np.asarray(answers(x), np.float64)
    if network.binary:
        found = np.concatenate([1 - found, found], axis=1)
    right = np.clip(found[np.arange(len(y)), y], 1e-12, 1)
    return {"loss": float(-np.log(right).mean()), "accuracy": float((found.argmax(axis=1) == y).mean())}


def _nothing(*_: object) -> None:
    pass


def main() -> None:
    kind, *arguments = sys.argv[1:]
    try:
        if kind == "row":
            from peers import rows

            rows.serve(*arguments)
        elif kind == "floor":
            from peers import floor

            name, device, size = arguments
            floor.serve(networks(size == "quick")[name], device)
        else:
            peer, name, device, size = arguments
            train(peer, networks(size == "quick")[name], device)
    except LeftOut as reason:
        print(json.dumps({"left_out": str(reason)}), flush=True)
        os._exit(0)


if __name__ == "__main__":
    main()
