"""Functions of `keras.ops` that stand in a functional model as steps of their own, as ONNX operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras.src.activations import activations as functions
from keras.src.ops import core, nn
from keras.src.ops import numpy as arrays

from afield.train.export.activations import relu
from afield.train.export.dense import to_unit
from afield.train.export.graph import Graph, NoMapError, Value
from afield.train.export.shaping import reshaped

FARTHEST = np.iinfo(np.int64).max


def _element(operator: str, **attributes: Any) -> Callable[..., str]:
    """Operations on each number, of one value or of two."""

    def made(graph: Graph, operation: Any, *values: Any) -> str:
        return graph.add(operator, *(graph.operand(value) for value in values), **attributes)

    return made


def _over_axes(operator: str) -> Callable[[Graph, Any, Value], str]:
    """Operations that leave out axes."""

    def made(graph: Graph, operation: Any, x: Value) -> str:
        axis = operation.axis
        axes = range(len(x.shape)) if axis is None else [axis] if isinstance(axis, int) else axis
        if any(place % len(x.shape) == 0 for place in axes):
            raise NoMapError(f"keras.ops.{type(operation).__name__.lower()} over the rows has no map to ONNX")
        return graph.add(operator, x.name, graph.whole(*axes), keepdims=int(operation.keepdims))

    return made


def square(graph: Graph, operation: Any, x: Value) -> str:
    """keras.ops.square."""
    return graph.add("Mul", x.name, x.name)


def softmax(graph: Graph, operation: Any, x: Value) -> str:
    """keras.ops.softmax."""
    return graph.add("Softmax", x.name, axis=operation.axis)


def leaky_relu(graph: Graph, operation: Any, x: Value) -> str:
    """keras.ops.leaky_relu."""
    return graph.add("LeakyRelu", x.name, alpha=float(operation.negative_slope))


def normalize(graph: Graph, operation: Any, x: Value) -> str:
    """keras.ops.normalize of order 2."""
    if operation.order != 2:
        raise NoMapError(f"keras.ops.normalize of order {operation.order} has no map to ONNX; use order 2")
    return to_unit(graph, x.name, np.atleast_1d(operation.axis).tolist(), float(operation.epsilon or 1e-7))


def concatenate(graph: Graph, operation: Any, values: Sequence[Value]) -> str:
    """keras.ops.concatenate."""
    return graph.add("Concat", *(value.name for value in values), axis=operation.axis)


def stack(graph: Graph, operation: Any, values: Sequence[Value]) -> str:
    """keras.ops.stack."""
    axis = graph.whole(operation.axis)
    return graph.add("Concat", *(graph.add("Unsqueeze", value.name, axis) for value in values), axis=operation.axis)


def transpose(graph: Graph, operation: Any, x: Value) -> str:
    """keras.ops.transpose."""
    return graph.transpose(x.name, *(operation.axes or reversed(range(len(x.shape)))))


def reshape(graph: Graph, operation: Any, x: Value) -> str:
    """keras.ops.reshape that keeps the rows."""
    rows, *sizes = operation.newshape
    if rows not in (-1, None) or any(size in (-1, None) for size in sizes):
        raise NoMapError("keras.ops.reshape has a map to ONNX as (-1, sizes...) alone; use the layer Reshape")
    return reshaped(graph, x.name, sizes)


def expand_dims(graph: Graph, operation: Any, x: Value) -> str:
    """keras.ops.expand_dims."""
    return graph.add("Unsqueeze", x.name, graph.whole(*np.atleast_1d(operation.axis)))


def squeeze(graph: Graph, operation: Any, x: Value) -> str:
    """keras.ops.squeeze of named axes."""
    if operation.axis is None:
        raise NoMapError("keras.ops.squeeze without axis has no map to ONNX; name the axis")
    return graph.add("Squeeze", x.name, graph.whole(*np.atleast_1d(operation.axis)))


def item(graph: Graph, operation: Any, x: Value, key: Any) -> str:
    """`x[key]` of whole numbers, slices, None and ...: one Slice, then axes left out, then axes added."""
    keys = list(key) if isinstance(key, list | tuple) else [key]
    if not all(one is None or one is Ellipsis or isinstance(one, int | slice) for one in keys):
        raise NoMapError("x[...] by anything but numbers, slices, None and ... has no map to ONNX")
    taken = sum(one is not None and one is not Ellipsis for one in keys)
    if Ellipsis in keys:
        at = keys.index(Ellipsis)
        keys[at : at + 1] = [slice(None)] * (len(x.shape) - taken)
    cuts: list[tuple[int, int, int, int]] = []
    gone: list[int] = []
    added: list[int] = []
    axis = kept = 0
    for one in keys:
        if one is None:
            added.append(kept)
            kept += 1
            continue
        if isinstance(one, int):
            cuts.append((one, FARTHEST if one == -1 else one + 1, axis, 1))
            gone.append(axis)
        else:
            cuts += _cut(one, axis)
            kept += 1
        axis += 1
    made = x.name
    if cuts:
        made = graph.add("Slice", made, *(graph.whole(*column) for column in zip(*cuts, strict=True)))
    if gone:
        made = graph.add("Squeeze", made, graph.whole(*gone))
    return graph.add("Unsqueeze", made, graph.whole(*added)) if added else made


def _cut(given: slice, axis: int) -> list[tuple[int, int, int, int]]:
    if given == slice(None):
        return []
    step = 1 if given.step is None else int(given.step)
    first, last = (0, FARTHEST) if step > 0 else (-1, -FARTHEST)
    return [(first if given.start is None else given.start, last if given.stop is None else given.stop, axis, step)]


def cast(graph: Graph, operation: Any, x: Value) -> str:
    """keras.ops.cast between whole and other numbers."""
    return graph.cast(x, "int32" if "int" in str(operation.dtype) else "float32").name


MAPS: dict[Any, Any] = {
    arrays.Absolute: _element("Abs"),
    arrays.Add: _element("Add"),
    arrays.Concatenate: concatenate,
    arrays.Divide: _element("Div"),
    arrays.Exp: _element("Exp"),
    arrays.ExpandDims: expand_dims,
    arrays.GetItem: item,
    arrays.Log: _element("Log"),
    arrays.Matmul: _element("MatMul"),
    arrays.Max: _over_axes("ReduceMax"),
    arrays.Maximum: _element("Max"),
    arrays.Mean: _over_axes("ReduceMean"),
    arrays.Min: _over_axes("ReduceMin"),
    arrays.Minimum: _element("Min"),
    arrays.Multiply: _element("Mul"),
    arrays.Negative: _element("Neg"),
    arrays.Power: _element("Pow"),
    arrays.Reshape: reshape,
    arrays.Sqrt: _element("Sqrt"),
    arrays.Square: square,
    arrays.Squeeze: squeeze,
    arrays.Stack: stack,
    arrays.Subtract: _element("Sub"),
    arrays.Sum: _over_axes("ReduceSum"),
    arrays.Tanh: _element("Tanh"),
    arrays.Transpose: transpose,
    arrays.TrueDivide: _element("Div"),
    core.Cast: cast,
    functions.ReLU: relu,
    nn.LeakyRelu: leaky_relu,
    nn.Normalize: normalize,
    nn.Relu: _element("Relu"),
    nn.Selu: _element("Selu"),
    nn.Sigmoid: _element("Sigmoid"),
    nn.Softmax: softmax,
    nn.Softplus: _element("Softplus"),
}
