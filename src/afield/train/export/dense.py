"""Dense layers, embeddings, and layers that scale each feature, as ONNX operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from afield.train.export.activations import activated
from afield.train.export.graph import Graph, NoMapError, Value


def dense(graph: Graph, layer: Any, x: Value) -> str:
    """Layer Dense at any rank."""
    if getattr(layer, "quantization_mode", None):
        raise NoMapError("a quantized layer has no map to ONNX; train it with dtype float32")
    kernel = graph.constant(graph.weight(layer.kernel))
    if len(x.shape) == 2:
        bias = [graph.constant(graph.weight(layer.bias))] if layer.use_bias else []
        made = graph.add("Gemm", x.name, kernel, *bias)
    else:
        made = graph.add("MatMul", x.name, kernel)
        if layer.use_bias:
            made = graph.add("Add", made, graph.constant(graph.weight(layer.bias)))
    return activated(graph, layer.activation, made)


def einsum_dense(graph: Graph, layer: Any, x: Value) -> str:
    """Layer EinsumDense."""
    made = graph.add("Einsum", x.name, graph.constant(graph.weight(layer.kernel)), equation=layer.equation)
    if layer.bias is not None:
        made = graph.add("Add", made, graph.constant(graph.weight(layer.bias)))
    return activated(graph, layer.activation, made)


def embedding(graph: Graph, layer: Any, ids: Value) -> str:
    """Layer Embedding: ids int32 to vectors."""
    if layer.mask_zero:
        raise NoMapError("mask_zero has no map to ONNX; leave it off and give the padding an embedding of its own")
    return graph.add("Gather", graph.constant(graph.weight(layer.embeddings)), graph.cast(ids, "int32").name)


def batch_normalization(graph: Graph, layer: Any, x: Value) -> str:
    """Layer BatchNormalization at any rank, folded into one scale and one shift."""
    mean, variance = (graph.weight(w).astype(np.float64) for w in (layer.moving_mean, layer.moving_variance))
    gamma = graph.weight(layer.gamma) if layer.scale else 1.0
    beta = graph.weight(layer.beta) if layer.center else 0.0
    scale = gamma / np.sqrt(variance + layer.epsilon)
    size = [1] * len(x.shape)
    size[layer.axis] = -1
    return _scaled(graph, x, scale.reshape(size), (beta - mean * scale).reshape(size))


def normalization(graph: Graph, layer: Any, x: Value) -> str:
    """Layer Normalization, adapted or with its mean and variance given."""
    if layer.mean is None:
        raise NoMapError("the layer was not adapted; call adapt(), or give mean and variance")
    mean = np.asarray(layer.mean).astype(np.float64)
    deviation = np.maximum(np.sqrt(np.asarray(layer.variance).astype(np.float64)), keras.backend.epsilon())
    return _scaled(graph, x, deviation, mean) if layer.invert else _scaled(graph, x, 1 / deviation, -mean / deviation)


def rescaling(graph: Graph, layer: Any, x: Value) -> str:
    """Layer Rescaling."""
    return _scaled(graph, x, np.asarray(layer.scale), np.asarray(layer.offset))


def layer_normalization(graph: Graph, layer: Any, x: Value) -> str:
    """Layer LayerNormalization over the last axes."""
    rank = len(x.shape)
    axes = sorted(axis % rank for axis in (layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]))
    if axes != list(range(axes[0], rank)) or getattr(layer, "rms_scaling", False):
        raise NoMapError("only the normalisation over the last axes has a map to ONNX; set axis: -1")
    size = [x.shape[axis] or 1 for axis in axes]
    gamma = graph.weight(layer.gamma) if layer.scale else np.ones(size, np.float32)
    scaled = [graph.constant(gamma)] + ([graph.constant(graph.weight(layer.beta))] if layer.center else [])
    return graph.add("LayerNormalization", x.name, *scaled, axis=axes[0], epsilon=float(layer.epsilon))


def rms_normalization(graph: Graph, layer: Any, x: Value) -> str:
    """Layer RMSNormalization over the last axis."""
    if [axis % len(x.shape) for axis in layer.axis] != [len(x.shape) - 1]:
        raise NoMapError("only the normalisation over the last axis has a map to ONNX; set axis: -1")
    square = graph.add("ReduceMean", graph.add("Mul", x.name, x.name), graph.whole(-1), keepdims=1)
    root = graph.add("Sqrt", graph.add("Add", square, graph.constant(float(layer.epsilon))))
    return graph.add("Mul", graph.add("Div", x.name, root), graph.constant(graph.weight(layer.scale)))


def unit_normalization(graph: Graph, layer: Any, x: Value) -> str:
    """Layer UnitNormalization: vectors of length one."""
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    return to_unit(graph, x.name, axes, 1e-12)


def to_unit(graph: Graph, x: str, axes: Sequence[int], least: float) -> str:
    """A value divided by its length over some axes, or by `least` where it is shorter."""
    square = graph.add("ReduceSum", graph.add("Mul", x, x), graph.whole(*axes), keepdims=1)
    return graph.add("Div", x, graph.add("Max", graph.add("Sqrt", square), graph.constant(least)))


def _scaled(graph: Graph, x: Value, scale: np.ndarray, shift: np.ndarray) -> str:
    made = graph.add("Mul", x.name, graph.constant(scale.astype(np.float32)))
    return graph.add("Add", made, graph.constant(shift.astype(np.float32))) if np.any(shift) else made


MAPS: dict[Any, Any] = {
    keras.layers.BatchNormalization: batch_normalization,
    keras.layers.Dense: dense,
    keras.layers.EinsumDense: einsum_dense,
    keras.layers.Embedding: embedding,
    keras.layers.LayerNormalization: layer_normalization,
    keras.layers.Normalization: normalization,
    keras.layers.RMSNormalization: rms_normalization,
    keras.layers.Rescaling: rescaling,
    keras.layers.UnitNormalization: unit_normalization,
}
