"""Keras's own export to ONNX, for models with a layer that has no map of ours.

On the JAX backend it needs the package jax2onnx, which brings a dozen others and is therefore not installed with
Afield. It writes recurrent layers as loops.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from afield.errors import UseCaseError
from afield.preprocess.base import StepInput
from afield.train.export.foreign import settled
from afield.train.export.graph import OPSET

PACKAGE = "jax2onnx"


def export(
    model: Any, inputs: Sequence[StepInput], outputs: Sequence[str], scale: tuple[float, float] | None, missing: str
) -> bytes:
    """Exports a model by Keras itself.

    Args:
        model: Functional or Sequential.
        inputs: what is fed, in order.
        outputs: names of the ONNX outputs, in order.
        scale: factor and shift applied to the output, or None.
        missing: why our own export cannot do it.

    Raises:
        UseCaseError: the package is not installed, or refuses the model too.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        raise UseCaseError(
            f"model: {missing}; use another layer, or `pip install {PACKAGE}`, with which Keras exports more of them"
        )
    try:
        written = _by_keras(model)
    except Exception as refused:  # whatever a foreign package raises
        raise UseCaseError(f"model: {missing}; {PACKAGE} refuses it too: {str(refused).splitlines()[0]}") from None
    names = [value.name for value in written.graph.input]
    results = [value.name for value in written.graph.output]
    return settled(
        written,
        {one.feature: (name, one.dtype) for one, name in zip(inputs, names, strict=True)},
        dict(zip(outputs, results, strict=True)),
        scale,
    )


def _by_keras(model: Any) -> Any:
    # Keras exports only what was called once.
    zeros = [np.zeros((1, *(size or 1 for size in one.shape[1:])), str(one.dtype)) for one in model.inputs]
    model(zeros if len(zeros) > 1 else zeros[0])
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "network.onnx"
        with contextlib.redirect_stdout(io.StringIO()):
            model.export(str(file), format="onnx", verbose=False, opset_version=OPSET)
        return onnx.load(file)
