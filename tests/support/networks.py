"""Small networks, made without a framework."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def softmax_of_sums(kernel: np.ndarray) -> bytes:
    """An ONNX network: the softmax of each record's weighted sum of the kernel's rows.

    Args:
        kernel: float32[columns, classes].
    """
    nodes = [
        helper.make_node("Gather", ["kernel", "ids"], ["rows"]),
        helper.make_node("Unsqueeze", ["weights", "last"], ["column"]),
        helper.make_node("Mul", ["rows", "column"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "second"], ["logits"], keepdims=0),
        helper.make_node("Softmax", ["logits"], ["y"]),
    ]
    constants = {"kernel": kernel.astype(np.float32), "last": np.array([2]), "second": np.array([1])}
    graph = helper.make_graph(
        nodes,
        "network",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT32, ["rows", "entries"]),
            helper.make_tensor_value_info("weights", TensorProto.FLOAT, ["rows", "entries"]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", kernel.shape[1]])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()


def weighted_sum(weights: np.ndarray) -> bytes:
    """An ONNX network: one number a record, the sum of its columns by weight.

    Args:
        weights: float32[columns].
    """
    nodes = [helper.make_node("MatMul", ["x", "weights"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", len(weights)])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 1])],
        [numpy_helper.from_array(weights.astype(np.float32)[:, None], "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()


def last_state(inputs: int, units: int) -> bytes:
    """An ONNX network: the last state of an LSTM whose weights are all 0.1, float32[rows, units].

    Args:
        inputs: numbers a step of time.
        units: of the LSTM.
    """
    weights = {
        "kernel": np.full((1, 4 * units, inputs), 0.1, np.float32),
        "recurrent": np.full((1, 4 * units, units), 0.1, np.float32),
        "first": np.array([0]),
    }
    nodes = [
        helper.make_node("Transpose", ["x"], ["steps"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["steps", "kernel", "recurrent"], ["", "state"], hidden_size=units),
        helper.make_node("Squeeze", ["state", "first"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", "steps", inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", units])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()
