"""A trained network on sparse rows as ONNX: ids and weights in, probabilities out, standard operators only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from afield.errors import UseCaseError

OPSET = 21
IR_VERSION = 10
IDS, WEIGHTS, ANSWER = "ids", "weights", "probabilities"


@dataclass
class Graph:
    """An ONNX graph that grows at its end.

    Args:
        value: name of the value that the next node takes.
    """

    value: str
    nodes: list[onnx.NodeProto] = field(default_factory=list[onnx.NodeProto])
    constants: list[onnx.TensorProto] = field(default_factory=list[onnx.TensorProto])

    def constant(self, array: np.ndarray | float) -> str:
        """Stores an array (a float becomes a scalar float32) and returns its name."""
        name = f"c{len(self.constants)}"
        stored = np.asarray(array, np.float32) if isinstance(array, float) else np.asarray(array)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(stored), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Appends a node on the given inputs and returns its output."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def then(self, operator: str, *others: str, **attributes: Any) -> None:
        """Appends a node on the current value, which its output becomes."""
        self.value = self.add(operator, self.value, *others, **attributes)


def export(layers: Sequence[keras.Layer], weights: Sequence[np.ndarray]) -> bytes:
    """Writes the network as an ONNX model of inputs ids int32[B, L] and weights float32[B, L].

    Args:
        layers: Keras layers in order, the first one dense.
        weights: their weights in order, the first kernel float32[V, H].

    Raises:
        UseCaseError: a layer or activation has no map.
    """
    graph = Graph(IDS)
    remaining = iter(weights)
    classes = 0
    for place, layer in enumerate(layers):
        own = [next(remaining) for _ in layer.weights]
        kind = type(layer).__name__
        if place == 0:
            _sparse_dense(graph, layer, own)
        elif kind in LAYERS:
            LAYERS[kind](graph, layer, own)
        else:
            raise UseCaseError(f"model.network[{place}]: layer {kind} has no map to ONNX")
        if kind == "Dense":
            classes = own[0].shape[1]
    graph.nodes.append(helper.make_node("Identity", [graph.value], [ANSWER]))
    pair = ["rows", "entries"]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "network",
            [
                helper.make_tensor_value_info(IDS, TensorProto.INT32, pair),
                helper.make_tensor_value_info(WEIGHTS, TensorProto.FLOAT, pair),
            ],
            [helper.make_tensor_value_info(ANSWER, TensorProto.FLOAT, ["rows", classes])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="afield",
    )
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _sparse_dense(graph: Graph, layer: Any, own: list[np.ndarray]) -> None:
    # One row vector times the gathered kernel rows: measured faster than Mul + ReduceSum and than Einsum.
    gathered = graph.add("Gather", graph.constant(own[0]), IDS)
    axis = graph.constant(np.array([1], np.int64))
    row = graph.add("Unsqueeze", WEIGHTS, axis)
    graph.value = graph.add("Squeeze", graph.add("MatMul", row, gathered), axis)
    if layer.use_bias:
        graph.then("Add", graph.constant(own[1]))
    _activation(graph, layer.activation)


def _dense(graph: Graph, layer: Any, own: list[np.ndarray]) -> None:
    graph.then("Gemm", *(graph.constant(array) for array in own))
    _activation(graph, layer.activation)


def _batch_normalization(graph: Graph, layer: Any, own: list[np.ndarray]) -> None:
    remaining = iter(own)
    size = own[0].shape
    gamma = next(remaining) if layer.scale else np.ones(size, np.float32)
    beta = next(remaining) if layer.center else np.zeros(size, np.float32)
    mean, variance = remaining
    graph.then(
        "BatchNormalization", *(graph.constant(a) for a in (gamma, beta, mean, variance)), epsilon=float(layer.epsilon)
    )


def _layer_normalization(graph: Graph, layer: Any, own: list[np.ndarray]) -> None:
    remaining = iter(own)
    size = own[0].shape if own else (graph_width(graph),)
    gamma = next(remaining) if layer.scale else np.ones(size, np.float32)
    scaled = [graph.constant(gamma)]
    if layer.center:
        scaled.append(graph.constant(next(remaining)))
    graph.then("LayerNormalization", *scaled, axis=-1, epsilon=float(layer.epsilon))


def graph_width(graph: Graph) -> int:
    """Width of the current value, from the last matrix that was stored."""
    matrices = [tensor for tensor in graph.constants if len(tensor.dims) == 2]
    return int(matrices[-1].dims[1])


def _rescaling(graph: Graph, layer: Any, own: list[np.ndarray]) -> None:
    graph.then("Mul", graph.constant(float(layer.scale)))
    graph.then("Add", graph.constant(float(layer.offset)))


def _relu(graph: Graph, layer: Any, own: list[np.ndarray]) -> None:
    if layer.threshold:
        raise UseCaseError("model.network: relu with a threshold has no map to ONNX")
    if layer.negative_slope:
        graph.then("LeakyRelu", alpha=float(layer.negative_slope))
    else:
        graph.then("Relu")
    if layer.max_value is not None:
        graph.then("Min", graph.constant(float(layer.max_value)))


def _nothing(graph: Graph, layer: Any, own: list[np.ndarray]) -> None:
    """Layers that act in training only."""


LAYERS: dict[str, Callable[[Graph, Any, list[np.ndarray]], None]] = {
    "Activation": lambda graph, layer, own: _activation(graph, layer.activation),
    "ActivityRegularization": _nothing,
    "AlphaDropout": _nothing,
    "BatchNormalization": _batch_normalization,
    "Dense": _dense,
    "Dropout": _nothing,
    "ELU": lambda graph, layer, own: graph.then("Elu", alpha=float(layer.alpha)),
    "GaussianDropout": _nothing,
    "GaussianNoise": _nothing,
    "Identity": _nothing,
    "LayerNormalization": _layer_normalization,
    "LeakyReLU": lambda graph, layer, own: graph.then("LeakyRelu", alpha=float(layer.negative_slope)),
    "ReLU": _relu,
    "Rescaling": _rescaling,
    "Softmax": lambda graph, layer, own: graph.then("Softmax", axis=-1),
}


def _activation(graph: Graph, activation: Any) -> None:
    name = activation.__name__
    if name not in ACTIVATIONS:
        raise UseCaseError(f"model.network: activation {name} has no map to ONNX")
    ACTIVATIONS[name](graph)


def _silu(graph: Graph) -> None:
    graph.then("Mul", graph.add("Sigmoid", graph.value))


def _relu6(graph: Graph) -> None:
    graph.then("Relu")
    graph.then("Min", graph.constant(6.0))


def _hard_sigmoid(graph: Graph) -> None:
    graph.then("HardSigmoid", alpha=1 / 6, beta=0.5)


def _hard_silu(graph: Graph) -> None:
    graph.then("HardSwish")


ACTIVATIONS: dict[str, Callable[[Graph], None]] = {
    "elu": lambda graph: graph.then("Elu", alpha=1.0),
    "exponential": lambda graph: graph.then("Exp"),
    "gelu": lambda graph: graph.then("Gelu"),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": _hard_silu,
    "leaky_relu": lambda graph: graph.then("LeakyRelu", alpha=0.2),
    "linear": lambda graph: None,
    "log_softmax": lambda graph: graph.then("LogSoftmax", axis=-1),
    "mish": lambda graph: graph.then("Mish"),
    "relu": lambda graph: graph.then("Relu"),
    "relu6": _relu6,
    "selu": lambda graph: graph.then("Selu"),
    "sigmoid": lambda graph: graph.then("Sigmoid"),
    "silu": _silu,
    "softmax": lambda graph: graph.then("Softmax", axis=-1),
    "softplus": lambda graph: graph.then("Softplus"),
    "softsign": lambda graph: graph.then("Softsign"),
    "tanh": lambda graph: graph.then("Tanh"),
}
