"""A network at work: features in, probabilities out, by ONNX Runtime."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import onnxruntime

from afield.errors import BundleError
from afield.preprocess.base import Features
from afield.preprocess.rows import SparseRows

BLOCK = 128
"""Rows a call: few enough that the gathered kernel rows of a call stay in the processor's cache."""


class Session:
    """One network, loaded.

    Args:
        network: an ONNX model of inputs ids int32[B, L] and weights float32[B, L] and one output float32[B, C].
        where: its name, for messages.
        threads: processor threads a call may use; None for all.

    Raises:
        BundleError: ONNX Runtime refuses the model.
    """

    def __init__(self, network: bytes, where: str, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
        options.inter_op_num_threads = 1
        # Threads that wait must not take the processor from the rest of the pipeline.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        except Exception as refused:  # ONNX Runtime's errors have no common base
            raise BundleError(f"{where}: ONNX Runtime refuses the network: {str(refused).splitlines()[0]}") from None
        self._outputs = [self._session.get_outputs()[0].name]

    def answer(self, features: Features) -> np.ndarray:
        """Probabilities of N records, float32[N, C]."""
        (rows,) = features.values()
        if not isinstance(rows, SparseRows):
            raise TypeError("this network reads sparse rows")
        if len(rows) == 1:
            return self._run(*rows.padded())
        # Rows of like length share a call, so that little of it is padding.
        order = np.argsort(rows.lengths, kind="stable")
        answers = [self._run(*block.padded()) for block in _blocks(rows.take(order))]
        if not answers:
            return np.zeros((0, self._session.get_outputs()[0].shape[1]), np.float32)
        unsorted = np.concatenate(answers)
        probabilities = np.empty_like(unsorted)
        probabilities[order] = unsorted
        return probabilities

    def _run(self, ids: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return self._session.run(self._outputs, {"ids": ids, "weights": weights})[0]  # pyright: ignore[reportReturnType]


def _blocks(rows: SparseRows) -> Iterator[SparseRows]:
    for start in range(0, len(rows), BLOCK):
        indptr = rows.indptr[start : start + BLOCK + 1]
        entries = slice(indptr[0], indptr[-1])
        yield SparseRows(indptr - indptr[0], rows.ids[entries], rows.weights[entries], rows.width)
