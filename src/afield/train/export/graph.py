"""An ONNX graph that grows node by node, and what becomes of it: opset 21, standard operators, all values inside."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 21
IR_VERSION = 10
ROWS = "rows"
"""Name of the first axis of every input and output: its size is free."""

DTYPES = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32}
Size = int | str | None


class NoMapError(Exception):
    """A layer, or an argument of it, that cannot be written in ONNX; the text says which and what to use instead."""


@dataclass(frozen=True)
class Value:
    """A value of the graph.

    Args:
        name: in the graph.
        shape: with None for the axes whose size is free.
        dtype: "float32" or "int32".
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"


class Graph:
    """An ONNX graph under construction.

    Args:
        given: id of a Keras variable -> the array to take in its place; other variables say their own value.
    """

    def __init__(self, given: Mapping[int, np.ndarray] | None = None) -> None:
        self._given = given or {}
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._stored: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._undone: dict[tuple[str, Any], str] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def weight(self, variable: Any) -> np.ndarray:
        """The value of a Keras variable, float32."""
        given = self._given.get(id(variable))
        return np.asarray(variable if given is None else given).astype(np.float32)

    def constant(self, array: np.ndarray | float) -> str:
        """Stores an array once (a float becomes a scalar float32) and returns its name."""
        value = np.asarray(array, np.float32) if isinstance(array, float) else np.asarray(array)
        value = np.ascontiguousarray(value).reshape(value.shape)
        key = (value.dtype.str, value.shape, hashlib.blake2b(value.tobytes()).digest())
        if key not in self._stored:
            self._stored[key] = f"c{len(self._constants)}"
            self._constants.append(numpy_helper.from_array(value, self._stored[key]))
        return self._stored[key]

    def whole(self, *numbers: int) -> str:
        """Stores a vector of whole numbers: axes, sizes, places."""
        return self.constant(np.array(numbers, np.int64))

    def operand(self, given: Any) -> str:
        """The name of a value, or of the constant that a number or an array becomes."""
        return given.name if isinstance(given, Value) else self.constant(self.weight(given))

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Appends a node of one output and returns its name."""
        return self.several(operator, inputs, [True], **attributes)[0]

    def several(self, operator: str, inputs: Sequence[str], wanted: Sequence[bool], **attributes: Any) -> list[str]:
        """Appends a node of several outputs and returns their names; those that are not wanted have none."""
        place = len(self._nodes)
        names = [f"v{place}" + (f"_{i}" if i else "") if want else "" for i, want in enumerate(wanted)]
        self._nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names

    def transpose(self, name: str, *order: int) -> str:
        """Reorders axes; what an earlier transposition did is undone instead of done twice."""
        earlier = self._undone.get((name, order))
        if earlier is not None:
            return earlier
        made = self.add("Transpose", name, perm=order)
        self._undone[made, tuple(int(place) for place in np.argsort(order))] = name
        return made

    def cast(self, value: Value, dtype: str) -> Value:
        """The value in another type; whole numbers that were made others are taken as they were."""
        if value.dtype == dtype:
            return value
        name = self._undone.get((value.name, dtype))
        if name is None:
            name = self.add("Cast", value.name, to=DTYPES[dtype])
            if value.dtype == "int32":
                self._undone[name, "int32"] = value.name
        return Value(name, value.shape, dtype)

    def input(self, name: str, dtype: str, sizes: Sequence[Size]) -> Value:
        """A new input; axes without a number are free."""
        self._inputs.append(helper.make_tensor_value_info(name, DTYPES[dtype], _named(name, sizes)))
        return Value(name, tuple(size if isinstance(size, int) else None for size in sizes), dtype)

    def output(self, name: str, value: str, sizes: Sequence[Size], dtype: str = "float32") -> None:
        """Makes a value an output, under a name of its own."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, DTYPES[dtype], _named(name, sizes)))

    def model(self) -> bytes:
        """The whole as the content of an ONNX file."""
        nodes = needed(self._nodes, {output.name for output in self._outputs})
        used = {name for node in nodes for name in read_by(node)}
        constants = [tensor for tensor in self._constants if tensor.name in used]
        made = helper.make_model(
            helper.make_graph(nodes, "network", self._inputs, self._outputs, constants),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="afield",
        )
        onnx.checker.check_model(made)
        return made.SerializeToString()


def needed(nodes: Sequence[Any], wanted: set[str]) -> list[Any]:
    """The nodes that the wanted values are made of; an ONNX graph stands in the order of computation."""
    kept: list[Any] = []
    for node in reversed(nodes):
        if wanted & set(node.output):
            kept.append(node)
            wanted = wanted | set(read_by(node))
    return kept[::-1]


def read_by(node: Any) -> Iterator[str]:
    """Names that a node reads, those inside of its branches and loops too."""
    yield from node.input
    for attribute in node.attribute:
        for inner in [attribute.g, *attribute.graphs]:
            yield from (value.name for value in inner.output)
            for one in inner.node:
                yield from read_by(one)


def _named(name: str, sizes: Sequence[Size]) -> list[int | str]:
    return [ROWS if not axis else (f"{name}_{axis}" if size is None else size) for axis, size in enumerate(sizes)]
