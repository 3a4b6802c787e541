"""Keras's activations as ONNX operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from afield.train.export.graph import Graph, NoMapError, Value

act: Any = keras.activations


def _one(operator: str, **attributes: Any) -> Callable[[Graph, str], str]:
    return lambda graph, x: graph.add(operator, x, **attributes)


def _silu(graph: Graph, x: str) -> str:
    return graph.add("Mul", x, graph.add("Sigmoid", x))


def _relu6(graph: Graph, x: str) -> str:
    return graph.add("Min", graph.add("Relu", x), graph.constant(6.0))


def _hard_tanh(graph: Graph, x: str) -> str:
    return graph.add("Clip", x, graph.constant(-1.0), graph.constant(1.0))


def _log_sigmoid(graph: Graph, x: str) -> str:
    return graph.add("Neg", graph.add("Softplus", graph.add("Neg", x)))


def _tanh_shrink(graph: Graph, x: str) -> str:
    return graph.add("Sub", x, graph.add("Tanh", x))


def _squareplus(graph: Graph, x: str) -> str:
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", x, x), graph.constant(4.0)))
    return graph.add("Mul", graph.add("Add", x, root), graph.constant(0.5))


ACTIVATIONS: dict[Any, Callable[[Graph, str], str]] = {
    act.celu: _one("Celu", alpha=1.0),
    act.elu: _one("Elu", alpha=1.0),
    act.exponential: _one("Exp"),
    act.gelu: _one("Gelu"),
    act.hard_shrink: _one("Shrink", lambd=0.5, bias=0.0),
    act.hard_sigmoid: _one("HardSigmoid", alpha=1 / 6, beta=0.5),
    act.hard_silu: _one("HardSwish"),
    act.hard_tanh: _hard_tanh,
    act.leaky_relu: _one("LeakyRelu", alpha=0.2),
    act.linear: lambda graph, x: x,
    act.log_sigmoid: _log_sigmoid,
    act.log_softmax: _one("LogSoftmax", axis=-1),
    act.mish: _one("Mish"),
    act.relu: _one("Relu"),
    act.relu6: _relu6,
    act.selu: _one("Selu"),
    act.sigmoid: _one("Sigmoid"),
    act.silu: _silu,
    act.soft_shrink: _one("Shrink", lambd=0.5, bias=0.5),
    act.softmax: _one("Softmax", axis=-1),
    act.softplus: _one("Softplus"),
    act.softsign: _one("Softsign"),
    act.squareplus: _squareplus,
    act.tanh: _one("Tanh"),
    act.tanh_shrink: _tanh_shrink,
}
"""Keras function -> what it is in ONNX. By the function itself: a function of a user's may bear the same name."""


def activated(graph: Graph, activation: Any, x: str) -> str:
    """A value under an activation.

    Args:
        activation: Keras's function, or None for none.

    Raises:
        NoMapError: it has no map.
    """
    if activation is None:
        return x
    if activation not in ACTIVATIONS:
        name = getattr(activation, "__name__", type(activation).__name__)
        raise NoMapError(f"activation {name} has no map to ONNX")
    return ACTIVATIONS[activation](graph, x)


def activation(graph: Graph, layer: Any, x: Value) -> str:
    """Layer Activation."""
    return activated(graph, layer.activation, x.name)


def relu(graph: Graph, layer: Any, x: Value) -> str:
    """Layer ReLU with its slope, threshold and greatest value."""
    slope, threshold = float(layer.negative_slope or 0), float(layer.threshold or 0)
    if threshold:
        at = graph.constant(threshold)
        below = graph.add("Mul", graph.add("Sub", x.name, at), graph.constant(slope))
        made = graph.add("Where", graph.add("Greater", x.name, at), x.name, below)
    else:
        made = graph.add("LeakyRelu", x.name, alpha=slope) if slope else graph.add("Relu", x.name)
    return made if layer.max_value is None else graph.add("Min", made, graph.constant(float(layer.max_value)))


def leaky_relu(graph: Graph, layer: Any, x: Value) -> str:
    """Layer LeakyReLU."""
    return graph.add("LeakyRelu", x.name, alpha=float(layer.negative_slope))


def elu(graph: Graph, layer: Any, x: Value) -> str:
    """Layer ELU."""
    return graph.add("Elu", x.name, alpha=float(layer.alpha))


def prelu(graph: Graph, layer: Any, x: Value) -> str:
    """Layer PReLU."""
    return graph.add("PRelu", x.name, graph.constant(graph.weight(layer.alpha)))


def softmax(graph: Graph, layer: Any, x: Value) -> str:
    """Layer Softmax over one axis."""
    if not isinstance(layer.axis, int):
        raise NoMapError(f"softmax over several axes ({layer.axis}) has no map to ONNX; give one axis")
    return graph.add("Softmax", x.name, axis=layer.axis)


MAPS: dict[Any, Any] = {
    keras.layers.Activation: activation,
    keras.layers.ELU: elu,
    keras.layers.LeakyReLU: leaky_relu,
    keras.layers.PReLU: prelu,
    keras.layers.ReLU: relu,
    keras.layers.Softmax: softmax,
}
