"""A model at work: features in, what it computes out, by ONNX Runtime."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnxruntime

from afield.bundle.manifest import Input
from afield.bundle.onnx_guard import operators
from afield.errors import BundleError
from afield.preprocess.base import Features
from afield.preprocess.rows import SparseRows, dense, joined, taken
from afield.preprocess.windows import Windows

BLOCK = 128
"""Sparse rows a call: few enough that the gathered kernel rows of a call stay in the processor's cache."""
BLOCK_BYTES = 8 << 20
"""Bytes of whole arrays a call, at most: windows are written out a call at a time."""
RECURRENT = frozenset({"LSTM", "GRU", "RNN"})
"""Operators whose threads wait for each other at every step of time."""
SPIN_MICROSECONDS = 50
"""How long these threads look for work before they sleep: a step of time takes about as long as waking one up."""


class Session:
    """One model, loaded.

    Args:
        network: an ONNX model; its first output has the record as its first axis.
        inputs: how its inputs are fed.
        where: its name, for messages.
        threads: processor threads a call may use; None for all.

    Raises:
        BundleError: ONNX Runtime refuses the model, or its inputs are others.
    """

    def __init__(self, network: bytes, inputs: Sequence[Input], where: str, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
        options.inter_op_num_threads = 1
        try:
            # Threads that wait must not take the processor from the rest of the pipeline.
            spins = not RECURRENT.isdisjoint(operators(network))
            options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spins)))
            options.add_session_config_entry("session.intra_op.spin_duration_us", str(SPIN_MICROSECONDS))
            self._session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        except Exception as refused:  # ONNX Runtime's errors have no common base
            raise BundleError(f"{where}: ONNX Runtime refuses the network: {str(refused).splitlines()[0]}") from None
        there = sorted(value.name for value in self._session.get_inputs())
        if there != sorted(one.name for one in inputs):
            named = ", ".join(sorted(one.name for one in inputs))
            raise BundleError(f"{where}: the network's inputs are {', '.join(there)}, the manifest names {named}")
        self._inputs = list(inputs)
        self._sparse = any(one.form in ("ids", "weights") for one in inputs)
        self._states = [one.name for one in inputs if one.form == "state"]
        first, *after = self._session.get_outputs()
        if self._states and len(after) != len(self._states):
            raise BundleError(
                f"{where}: the network carries {len(self._states)} states and gives {len(after)}; expected as many"
            )
        shapes = {value.name: value.shape for value in self._session.get_inputs()}
        self._units: list[int] = [shapes[name][-1] for name in self._states]
        self._after = [value.name for value in after]
        self._outputs = [first.name]
        self._width = [size if isinstance(size, int) else 0 for size in first.shape[1:]]

    def answer(self, features: Features) -> np.ndarray:
        """What the model computes for N records: float32[N, ...]."""
        rows = len(next(iter(features.values())))
        if rows == 0:
            return np.zeros((0, *self._width), np.float32)
        if rows == 1:
            return self._run(features)
        if not self._sparse:
            return np.concatenate([self._run(block) for block in self._blocks(features, rows, self._most(features))])
        # Rows of like length share a call, so that little of it is padding.
        lengths = sum(value.lengths for value in features.values() if isinstance(value, SparseRows))
        order = np.argsort(np.asarray(lengths), kind="stable")
        answers = np.concatenate([self._run(block) for block in self._blocks(taken(features, order), rows, BLOCK)])
        in_place = np.empty_like(answers)
        in_place[order] = answers
        return in_place

    def carried(
        self, values: np.ndarray, states: Sequence[np.ndarray] | None = None
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """What a network that carries its state computes for the next stretch of N sequences, and the state after it.

        Args:
            values: [N, L, ...]; of the one feature that the network reads.
            states: after the stretch before; None at the beginning of a sequence.

        Returns:
            The answers, float32[N, L, ...], and the states, float32[N, units] each.
        """
        states = self._zeros(len(values)) if states is None else states
        (entered,) = (one for one in self._inputs if one.form != "state")
        feeds: dict[str, Any] = {entered.name: np.ascontiguousarray(values, entered.dtype)}
        feeds |= zip(self._states, states, strict=True)
        answers, *after = self._session.run([*self._outputs, *self._after[: len(self._states)]], feeds)
        return answers, after  # pyright: ignore[reportReturnType]

    def _zeros(self, rows: int) -> list[np.ndarray]:
        return [np.zeros((rows, units), np.float32) for units in self._units]

    def _most(self, features: Features) -> int:
        """Records a call."""
        width = 0
        for value in features.values():
            sizes = (value.width,) if isinstance(value, SparseRows) else value.shape[isinstance(value, np.ndarray) :]
            width += int(np.prod(sizes, dtype=np.int64))
        return max(1, BLOCK_BYTES // (4 * max(width, 1)))

    @staticmethod
    def _blocks(features: Features, rows: int, most: int) -> Iterator[Features]:
        for start in range(0, rows, most):
            yield {name: _cut(value, start, min(start + most, rows)) for name, value in features.items()}

    def _run(self, features: Features) -> np.ndarray:
        rows = len(next(iter(features.values())))
        feeds: dict[str, Any] = dict(zip(self._states, self._zeros(rows), strict=True))
        padded: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for one in self._inputs:
            if one.form == "joined":
                feeds[one.name] = joined(features)
            if one.form in ("joined", "state"):
                continue
            value = features[one.feature]
            if isinstance(value, SparseRows):
                pair = padded.setdefault(one.feature, value.padded())
                feeds[one.name] = pair[one.form == "weights"]
            else:
                feeds[one.name] = np.ascontiguousarray(dense(value), one.dtype)
        return self._session.run(self._outputs, feeds)[0]  # pyright: ignore[reportReturnType]


def _cut(value: np.ndarray | SparseRows | Windows, start: int, end: int) -> np.ndarray | SparseRows | Windows:
    if isinstance(value, SparseRows):
        indptr = value.indptr[start : end + 1]
        entries = slice(indptr[0], indptr[-1])
        return SparseRows(indptr - indptr[0], value.ids[entries], value.weights[entries], value.width)
    if isinstance(value, Windows):
        return Windows(value.values, value.starts[start:end], value.length)
    return value[start:end]
