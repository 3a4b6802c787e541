"""A network on sparse rows as ONNX: ids and weights in, probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from afield.errors import UseCaseError
from afield.train.export.activations import activated
from afield.train.export.graph import ROWS, Graph, NoMapError, Value
from afield.train.export.keras_model import MAPS

IDS, WEIGHTS, ANSWER = "ids", "weights", "probabilities"


def export_sparse(
    layers: Sequence[keras.Layer],
    weights: Sequence[np.ndarray],
    scale: tuple[float, float] | None = None,
    output: str = ANSWER,
) -> bytes:
    """Writes a network as an ONNX model of inputs ids int32[B, L] and weights float32[B, L].

    Args:
        layers: Keras layers in order, each reading one vector a record, the first one dense.
        weights: their weights in order, the first kernel float32[V, H].
        scale: factor and shift applied to the output, of a model that learned standardised values; None for neither.
        output: name of the output.

    Raises:
        UseCaseError: a layer or activation has no map.
    """
    variables = [variable for layer in layers for variable in layer.weights]
    graph = Graph({id(variable): given for variable, given in zip(variables, weights, strict=True)})
    pair = [ROWS, "entries"]
    ids, amounts = graph.input(IDS, "int32", pair), graph.input(WEIGHTS, "float32", pair)
    width = 0
    value = Value("", ())
    for place, layer in enumerate(layers):
        width = int(getattr(layer, "units", width))
        try:
            if not place:
                name = _dense(graph, layer, ids.name, amounts.name)
            elif type(layer) in MAPS:
                name = MAPS[type(layer)](graph, layer, value)
            else:
                raise NoMapError(f"layer {type(layer).__name__} has no map to ONNX")
        except NoMapError as missing:
            raise UseCaseError(f"model.network[{place}]: {missing}") from None
        value = Value(name, (None, width))
    name = value.name
    if scale is not None:
        name = graph.add("Mul", name, graph.constant(float(scale[0])))
        name = graph.add("Add", name, graph.constant(float(scale[1])))
    graph.output(output, name, [ROWS, width])
    return graph.model()


def _dense(graph: Graph, layer: Any, ids: str, amounts: str) -> str:
    # One row vector times the gathered kernel rows: measured faster than Mul + ReduceSum and than Einsum.
    gathered = graph.add("Gather", graph.constant(graph.weight(layer.kernel)), ids)
    row = graph.add("Unsqueeze", amounts, graph.whole(1))
    made = graph.add("Squeeze", graph.add("MatMul", row, gathered), graph.whole(1))
    if layer.use_bias:
        made = graph.add("Add", made, graph.constant(graph.weight(layer.bias)))
    return activated(graph, layer.activation, made)
