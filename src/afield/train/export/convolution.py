"""Convolutions and pooling as ONNX operators, which read the channels as their first axis after the rows."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from afield.train.export.activations import activated
from afield.train.export.graph import Graph, NoMapError, Value


def convolution(graph: Graph, layer: Any, x: Value) -> str:
    """Layers Conv1D and Conv2D."""
    kernel = _outputs_first(graph.weight(layer.kernel))
    bias = graph.weight(layer.bias) if layer.use_bias else None
    made = _convolved(graph, layer, _channels_first(graph, layer, x), kernel, bias, layer.groups)
    return activated(graph, layer.activation, _channels_back(graph, layer, x, made))


def transposed(graph: Graph, layer: Any, x: Value) -> str:
    """Layers Conv1DTranspose and Conv2DTranspose."""
    kernel = _outputs_first(graph.weight(layer.kernel))
    sizes, strides = kernel.shape[2:], _each(layer.strides, kernel.ndim - 2)
    if layer.output_padding is not None or max(_each(layer.dilation_rate, len(sizes))) > 1:
        raise NoMapError("output_padding and dilation have no map to ONNX here; leave them off")
    # Keras makes max(size - stride, 0) places more than the strides do, and "same" cuts them off again.
    beyond = [size - stride for size, stride in zip(sizes, strides, strict=True)]
    over = [max(places, 0) if layer.padding == "same" else 0 for places in beyond]
    weights = [graph.constant(kernel)] + ([graph.constant(graph.weight(layer.bias))] if layer.use_bias else [])
    made = graph.add(
        "ConvTranspose",
        _channels_first(graph, layer, x),
        *weights,
        strides=strides,
        pads=[*(total // 2 for total in over), *(total - total // 2 for total in over)],
        output_padding=[max(-places, 0) for places in beyond],
    )
    return activated(graph, layer.activation, _channels_back(graph, layer, x, made))


def depthwise(graph: Graph, layer: Any, x: Value) -> str:
    """Layers DepthwiseConv1D and DepthwiseConv2D."""
    kernel, channels = _one_a_channel(graph.weight(layer.kernel))
    bias = graph.weight(layer.bias) if layer.use_bias else None
    made = _convolved(graph, layer, _channels_first(graph, layer, x), kernel, bias, channels)
    return activated(graph, layer.activation, _channels_back(graph, layer, x, made))


def separable(graph: Graph, layer: Any, x: Value) -> str:
    """Layers SeparableConv1D and SeparableConv2D: a convolution a channel, then one across channels."""
    kernel, channels = _one_a_channel(graph.weight(layer.depthwise_kernel))
    made = _convolved(graph, layer, _channels_first(graph, layer, x), kernel, None, channels)
    across = [graph.constant(_outputs_first(graph.weight(layer.pointwise_kernel)))]
    if layer.use_bias:
        across.append(graph.constant(graph.weight(layer.bias)))
    made = graph.add("Conv", made, *across)
    return activated(graph, layer.activation, _channels_back(graph, layer, x, made))


def max_pooling(graph: Graph, layer: Any, x: Value) -> str:
    """Layers MaxPooling1D and MaxPooling2D."""
    return _pooled(graph, layer, x, "MaxPool")


def average_pooling(graph: Graph, layer: Any, x: Value) -> str:
    """Layers AveragePooling1D and AveragePooling2D; padding does not count."""
    return _pooled(graph, layer, x, "AveragePool")


def global_max_pooling(graph: Graph, layer: Any, x: Value) -> str:
    """Layers GlobalMaxPooling1D and GlobalMaxPooling2D."""
    return graph.add("ReduceMax", x.name, _places(graph, layer, x), keepdims=int(layer.keepdims))


def global_average_pooling(graph: Graph, layer: Any, x: Value) -> str:
    """Layers GlobalAveragePooling1D and GlobalAveragePooling2D."""
    return graph.add("ReduceMean", x.name, _places(graph, layer, x), keepdims=int(layer.keepdims))


def up_sampling(graph: Graph, layer: Any, x: Value) -> str:
    """Layers UpSampling1D and UpSampling2D."""
    how = getattr(layer, "interpolation", "nearest")
    if how not in ("nearest", "bilinear"):
        raise NoMapError(f"interpolation {how} has no map to ONNX; use nearest or bilinear")
    sizes = [1, 1, *_each(layer.size, len(x.shape) - 2)]
    made = graph.add(
        "Resize",
        _channels_first(graph, layer, x),
        "",
        graph.constant(np.array(sizes, np.float32)),
        mode="nearest" if how == "nearest" else "linear",
        coordinate_transformation_mode="asymmetric" if how == "nearest" else "half_pixel",
        nearest_mode="floor",
    )
    return _channels_back(graph, layer, x, made)


def _convolved(graph: Graph, layer: Any, x: str, kernel: np.ndarray, bias: np.ndarray | None, groups: int) -> str:
    weights = [graph.constant(kernel)] + ([] if bias is None else [graph.constant(bias)])
    dilations = _each(layer.dilation_rate, kernel.ndim - 2)
    missing = [(size - 1) * dilation for size, dilation in zip(kernel.shape[2:], dilations, strict=True)]
    if layer.padding == "causal":
        padding: dict[str, Any] = {"pads": [*missing, 0]}
    elif layer.padding == "same" and max(dilations) > 1:  # ONNX Runtime finds no padding of its own under dilation
        padding = {"pads": [*(total // 2 for total in missing), *(total - total // 2 for total in missing)]}
    else:
        padding = _padding(layer)
    strides = _each(layer.strides, kernel.ndim - 2)
    return graph.add("Conv", x, *weights, group=groups, strides=strides, dilations=dilations, **padding)


def _pooled(graph: Graph, layer: Any, x: Value, operator: str) -> str:
    over = len(x.shape) - 2
    made = graph.add(
        operator,
        _channels_first(graph, layer, x),
        kernel_shape=_each(layer.pool_size, over),
        strides=_each(layer.strides, over),
        **_padding(layer),
    )
    return _channels_back(graph, layer, x, made)


def _padding(layer: Any) -> dict[str, Any]:
    return {"auto_pad": "SAME_UPPER" if layer.padding == "same" else "VALID"}


def _channels_first(graph: Graph, layer: Any, x: Value) -> str:
    over = range(1, len(x.shape) - 1)
    return x.name if _are_first(layer) else graph.transpose(x.name, 0, len(x.shape) - 1, *over)


def _channels_back(graph: Graph, layer: Any, x: Value, made: str) -> str:
    return made if _are_first(layer) else graph.transpose(made, 0, *range(2, len(x.shape)), 1)


def _are_first(layer: Any) -> bool:
    return getattr(layer, "data_format", None) == "channels_first"


def _places(graph: Graph, layer: Any, x: Value) -> str:
    first = 2 if _are_first(layer) else 1
    return graph.whole(*range(first, first + len(x.shape) - 2))


def _outputs_first(kernel: np.ndarray) -> np.ndarray:
    """A kernel as ONNX has it: (..., in, out) becomes (out, in, ...)."""
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def _one_a_channel(kernel: np.ndarray) -> tuple[np.ndarray, int]:
    """A kernel (..., in, multiplier) as the (in * multiplier, 1, ...) of a convolution in `in` groups."""
    channels = kernel.shape[-2]
    moved = np.moveaxis(kernel, (-2, -1), (0, 1))
    return moved.reshape(-1, 1, *kernel.shape[:-2]), channels


def _each(given: Any, axes: int) -> list[int]:
    return [given] * axes if isinstance(given, int) else list(given)


MAPS: dict[Any, Any] = {
    keras.layers.AveragePooling1D: average_pooling,
    keras.layers.AveragePooling2D: average_pooling,
    keras.layers.Conv1D: convolution,
    keras.layers.Conv1DTranspose: transposed,
    keras.layers.Conv2D: convolution,
    keras.layers.Conv2DTranspose: transposed,
    keras.layers.DepthwiseConv1D: depthwise,
    keras.layers.DepthwiseConv2D: depthwise,
    keras.layers.GlobalAveragePooling1D: global_average_pooling,
    keras.layers.GlobalAveragePooling2D: global_average_pooling,
    keras.layers.GlobalMaxPooling1D: global_max_pooling,
    keras.layers.GlobalMaxPooling2D: global_max_pooling,
    keras.layers.MaxPooling1D: max_pooling,
    keras.layers.MaxPooling2D: max_pooling,
    keras.layers.SeparableConv1D: separable,
    keras.layers.SeparableConv2D: separable,
    keras.layers.UpSampling1D: up_sampling,
    keras.layers.UpSampling2D: up_sampling,
}
