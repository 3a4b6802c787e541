"""Layers that make one value of several, as ONNX operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import keras
import numpy as np

from afield.train.export.dense import to_unit
from afield.train.export.graph import Graph, NoMapError, Value
from afield.train.export.shaping import reshaped


def _together(operator: str) -> Callable[[Graph, Any, Sequence[Value]], str]:
    """Layers of any number of values that one operator takes at once."""

    def merged(graph: Graph, layer: Any, values: Sequence[Value]) -> str:
        return graph.add(operator, *_alike(values))

    return merged


def multiply(graph: Graph, layer: Any, values: Sequence[Value]) -> str:
    """Layer Multiply."""
    return reduce(lambda left, right: graph.add("Mul", left, right), _alike(values))


def subtract(graph: Graph, layer: Any, values: Sequence[Value]) -> str:
    """Layer Subtract."""
    return graph.add("Sub", *_alike(values))


def concatenate(graph: Graph, layer: Any, values: Sequence[Value]) -> str:
    """Layer Concatenate."""
    return graph.add("Concat", *(value.name for value in values), axis=layer.axis)


def dot(graph: Graph, layer: Any, values: Sequence[Value]) -> str:
    """Layer Dot of two values of two or three axes."""
    ranks = [len(value.shape) for value in values]
    if not set(ranks) <= {2, 3}:
        raise NoMapError(f"the product of values of {ranks[0]} and {ranks[1]} axes has no map to ONNX; use 2 or 3")
    given = [layer.axes] * 2 if isinstance(layer.axes, int) else layer.axes
    axes = [axis % rank for axis, rank in zip(given, ranks, strict=True)]
    names = [value.name for value in values]
    if layer.normalize:
        names = [to_unit(graph, name, [axis], keras.backend.epsilon()) for name, axis in zip(names, axes, strict=True)]
    left, right = names
    if ranks[0] == 2:
        left = graph.add("Unsqueeze", left, graph.whole(1))
    elif axes[0] == 1:
        left = graph.transpose(left, 0, 2, 1)
    if ranks[1] == 2:
        right = graph.add("Unsqueeze", right, graph.whole(2))
    elif axes[1] == 2:
        right = graph.transpose(right, 0, 2, 1)
    product = graph.add("MatMul", left, right)
    if 2 in ranks:
        return graph.add("Squeeze", product, graph.whole(1 if ranks[0] == 2 else 2))
    return product


def _alike(values: Sequence[Value]) -> list[str]:
    ranks = {len(value.shape) for value in values}
    if len(ranks) > 1:
        raise NoMapError("values of different numbers of axes have no map to ONNX here; reshape them first")
    return [value.name for value in values]


def multi_head_attention(
    graph: Graph,
    layer: Any,
    query: Value,
    value: Value,
    key: Value | None = None,
    use_causal_mask: bool = False,
    **others: Any,
) -> str:
    """Layer MultiHeadAttention over one axis of positions, without masks but the causal one."""
    given = sorted(name for name, what in others.items() if what is not None and what is not False)
    if given:
        raise NoMapError(f"{', '.join(given)} of attention has no map to ONNX; leave it off")
    special = [name for name in ("_use_gate", "_sliding_window") if getattr(layer, name, None)]
    if len(query.shape) != 3 or special:
        raise NoMapError("only attention over one axis of positions, without gate and window, has a map to ONNX")
    heads = [
        _by_head(graph, made, source)
        for made, source in ((layer._query_dense, query), (layer._key_dense, key or value), (layer._value_dense, value))
    ]
    scaled = graph.add("Mul", heads[0], graph.constant(float(layer.key_dim**-0.5)))
    scores = graph.add("MatMul", scaled, graph.transpose(heads[1], 0, 1, 3, 2))
    if use_causal_mask:
        asked, there = query.shape[1], value.shape[1]
        if asked is None or there is None:
            raise NoMapError("a causal mask over a free number of positions has no map to ONNX; fix the length")
        later = np.triu(np.full((asked, there), -np.inf, np.float32), 1)
        scores = graph.add("Add", scores, graph.constant(later))
    mixed = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), heads[2])
    joined = reshaped(graph, graph.transpose(mixed, 0, 2, 1, 3), (0, layer.num_heads * layer.value_dim))
    out = layer._output_dense
    kernel = graph.weight(out.kernel)
    made = graph.add("MatMul", joined, graph.constant(kernel.reshape(-1, kernel.shape[-1])))
    return made if out.bias is None else graph.add("Add", made, graph.constant(graph.weight(out.bias)))


def _by_head(graph: Graph, dense: Any, source: Value) -> str:
    """(rows, positions, features) through one projection to (rows, heads, positions, size of a head)."""
    kernel = graph.weight(dense.kernel)
    made = graph.add("MatMul", source.name, graph.constant(kernel.reshape(len(kernel), -1)))
    if dense.bias is not None:
        made = graph.add("Add", made, graph.constant(graph.weight(dense.bias).reshape(-1)))
    return graph.transpose(reshaped(graph, made, (0, *kernel.shape[1:])), 0, 2, 1, 3)


MAPS: dict[Any, Any] = {
    keras.layers.Add: _together("Sum"),
    keras.layers.Average: _together("Mean"),
    keras.layers.Concatenate: concatenate,
    keras.layers.Dot: dot,
    keras.layers.Maximum: _together("Max"),
    keras.layers.Minimum: _together("Min"),
    keras.layers.MultiHeadAttention: multi_head_attention,
    keras.layers.Multiply: multiply,
    keras.layers.Subtract: subtract,
}
