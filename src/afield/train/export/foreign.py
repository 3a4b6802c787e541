"""An ONNX model that another exporter wrote, brought into the form that a bundle takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from afield.bundle.onnx_guard import check_network
from afield.errors import BundleError, UseCaseError
from afield.train.export.graph import DTYPES, IR_VERSION, ROWS, needed, read_by

FACTOR, SHIFT = "afield_factor", "afield_shift"


def settled(
    model: onnx.ModelProto,
    inputs: Mapping[str, tuple[str, str]],
    outputs: Mapping[str, str],
    scale: tuple[float, float] | None = None,
) -> bytes:
    """Keeps what the wanted outputs need, under our names, with float32 outputs, a free first axis and no remarks.

    Args:
        model: as the exporter left it.
        inputs: our name -> the model's name, and the type that is fed.
        outputs: our name -> the model's name; other outputs go.
        scale: factor and shift applied to each output, or None.

    Returns:
        The content of an ONNX file.

    Raises:
        UseCaseError: the model holds what may not travel, such as operators of its own.
    """
    graph = model.graph
    kept = needed(graph.node, set(outputs.values()))
    types = {value.name: value for value in [*graph.input, *graph.output]}
    before = [_taken(name, old, types[old].type.tensor_type.elem_type, dtype) for name, (old, dtype) in inputs.items()]
    after, constants = _given(outputs, scale)
    versions = {one.domain: one.version for one in model.opset_import}  # skl2onnx names a domain twice
    used = {name for node in [*kept, *after] for name in read_by(node)}
    made = helper.make_model(
        helper.make_graph(
            [*before, *kept, *after],
            "network",
            [_free(name, DTYPES[dtype], types[old]) for name, (old, dtype) in inputs.items()],
            [_free(name, TensorProto.FLOAT, types[old]) for name, old in outputs.items()],
            [tensor for tensor in graph.initializer if tensor.name in used] + constants,
        ),
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in versions.items()],
        functions=model.functions,
        ir_version=min(model.ir_version, IR_VERSION),
        producer_name="afield",
    )
    for node in [*made.graph.node, *(node for function in made.functions for node in function.node)]:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")
    for part in [*made.functions, *made.graph.initializer]:
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    network = made.SerializeToString()
    try:
        check_network(network)
        onnx.checker.check_model(made)
    except (BundleError, onnx.checker.ValidationError) as refused:
        raise UseCaseError(f"model: the exported network cannot be used: {str(refused).splitlines()[0]}") from None
    return network


def _taken(name: str, old: str, kind: int, dtype: str) -> Any:
    same = kind == DTYPES[dtype]
    return helper.make_node("Identity", [name], [old]) if same else helper.make_node("Cast", [name], [old], to=kind)


def _given(outputs: Mapping[str, str], scale: tuple[float, float] | None) -> tuple[list[Any], list[Any]]:
    nodes: list[Any] = []
    for name, old in outputs.items():
        ends = name if scale is None else f"{name}_as_learned"
        nodes.append(helper.make_node("Cast", [old], [ends], to=TensorProto.FLOAT))
        if scale is not None:
            nodes.append(helper.make_node("Mul", [ends, FACTOR], [f"{ends}_wide"]))
            nodes.append(helper.make_node("Add", [f"{ends}_wide", SHIFT], [name]))
    if scale is None:
        return nodes, []
    values = zip((FACTOR, SHIFT), scale, strict=True)
    return nodes, [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in values]


def _free(name: str, kind: int, like: Any) -> Any:
    sizes = [axis.dim_value or None for axis in like.type.tensor_type.shape.dim]
    named = [ROWS if not place else size or f"{name}_{place}" for place, size in enumerate(sizes)]
    return helper.make_tensor_value_info(name, kind, named)
