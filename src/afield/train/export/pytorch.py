"""A PyTorch module as ONNX, by PyTorch's own exporter."""

from __future__ import annotations

import importlib.util
import io
import logging
import warnings
from collections.abc import Sequence
from typing import Any

import onnx

from afield.errors import UseCaseError
from afield.train.export.foreign import settled
from afield.train.export.graph import ROWS

TRACED_OPSET = 20
"""The newest that the exporter by tracing knows."""


def export_torch(
    module: Any,
    examples: Sequence[Any],
    inputs: Sequence[str],
    output: str,
    scale: tuple[float, float] | None = None,
) -> bytes:
    """Writes a module as ONNX whose first axis is free.

    The exporter by tracing comes first: it needs no other package, takes a tenth of the time and keeps LSTM and GRU as
    operators. Where it refuses, the one by `torch.export` is tried, which needs onnxscript.

    Args:
        module: a `torch.nn.Module`; it is exported in evaluation mode and left in the mode that it was in.
        examples: one tensor an input, of two rows or more.
        inputs: names of the ONNX inputs, in the order of the module's arguments.
        output: name of the ONNX output.
        scale: factor and shift applied to the output, or None.

    Returns:
        The content of an ONNX file, with all values inside.

    Raises:
        UseCaseError: no exporter takes the module.
    """
    was_training, module = module.training, module.eval()
    try:
        written = _exported(module, tuple(examples))
    finally:
        module.train(was_training)
    names = [value.name for value in written.graph.input]
    if len(written.graph.output) != 1 or len(names) != len(inputs):
        raise UseCaseError(
            f"model.torch: {type(module).__name__} has {len(names)} inputs and {len(written.graph.output)} outputs,"
            f" expected {len(inputs)} and 1"
        )
    fed = {
        name: (old, "float32" if example.is_floating_point() else "int32")
        for name, old, example in zip(inputs, names, examples, strict=True)
    }
    return settled(written, fed, {output: written.graph.output[0].name}, scale)


def _exported(module: Any, examples: tuple[Any, ...]) -> Any:
    refusals: list[str] = []
    for way in (_traced, _captured):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return way(module, examples)
        except Exception as refused:  # the exporters' errors have no common base
            refusals.append(str(refused).strip().splitlines()[0] if str(refused).strip() else type(refused).__name__)
    raise UseCaseError(
        f"model.torch: {type(module).__name__} cannot be exported to ONNX: {refusals[0]};"
        f" by torch.export: {refusals[1]}"
    )


def _traced(module: Any, examples: tuple[Any, ...]) -> Any:
    import torch

    names = [f"in{place}" for place in range(len(examples))]
    file = io.BytesIO()
    export: Any = torch.onnx.export  # its types know of files by name alone
    export(
        module,
        examples,
        file,
        dynamo=False,
        opset_version=TRACED_OPSET,
        input_names=names,
        dynamic_axes={name: {0: ROWS} for name in names},
    )
    return onnx.load_from_string(file.getvalue())


def _captured(module: Any, examples: tuple[Any, ...]) -> Any:
    if importlib.util.find_spec("onnxscript") is None:
        raise ImportError("needs the package onnxscript: `pip install onnxscript`")
    import torch

    noisy = logging.getLogger("torch.onnx")
    level = noisy.level
    noisy.setLevel(logging.ERROR)
    try:
        program: Any = torch.onnx.export(
            module,
            examples,
            dynamo=True,
            verbose=False,
            dynamic_shapes=tuple({0: torch.export.Dim(ROWS)} for _ in examples),
        )
    finally:
        noisy.setLevel(level)
    return program.model_proto
