"""What an ONNX file may not hold to travel in a bundle: values kept in other files, and operators of strangers.

An ONNX file is a protobuf message. This walks its wire format without the `onnx` package, which a site does not
install, and looks only at what matters; anything that a lenient reader might take in two ways is refused.

References: the encoding of protobuf.dev/programming-guides/encoding; the field numbers of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator

from afield.errors import BundleError

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""Whose operators a network may use: those that ONNX Runtime itself brings."""

NESTED: dict[str, dict[int, str]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto",
        6: "GraphProto",
        10: "TensorProto",
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
    "TensorProto": {},
}
"""Message -> field -> message, for every message on a way to a tensor or a node."""

_GRAPH = ("ModelProto", 7)
_NODE = ("GraphProto", 1)
_OPERATOR = ("NodeProto", 4)
_DOMAIN = {("NodeProto", 7), ("FunctionProto", 10)}
_EXTERNAL = {("TensorProto", 13), ("TensorProto", 14)}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def check_network(network: bytes) -> None:
    """Refuses a network that reaches outside of its own bytes.

    Args:
        network: the content of an ONNX file.

    Raises:
        BundleError: not an ONNX file, values in another file, or an operator that is not in `DOMAINS`.
    """
    if network[4:8] == b"ORTM":
        raise BundleError("network.onnx is a model in ONNX Runtime's own format; export it as ONNX")
    whole = memoryview(network)
    graphs = 0
    left = [("ModelProto", 0, len(network))]
    while left:
        message, start, end = left.pop()
        for field, wire, first, last in _fields(whole, start, end):
            nested = NESTED[message].get(field)
            place = (message, field)
            graphs += place == _GRAPH
            if nested or place in _DOMAIN or place == _OPERATOR:
                if wire != _BYTES:
                    raise _broken(first)
                if nested:
                    left.append((nested, first, last))
                else:
                    _check_text(place, bytes(whole[first:last]))
            elif place in _EXTERNAL and (wire != _VARINT or any(whole[first:last])):
                raise BundleError("network.onnx keeps values in another file; save it with all values inside")
    if graphs != 1:
        raise BundleError(f"network.onnx is not an ONNX model: it holds {graphs} graphs instead of one")


def operators(network: bytes) -> set[str]:
    """The kinds of operator that a network is made of, those of graphs inside of operators left out.

    Args:
        network: the content of an ONNX file.

    Raises:
        BundleError: not an ONNX file.
    """
    whole = memoryview(network)
    spans = [(0, len(network))]
    for _, wanted in (_GRAPH, _NODE, _OPERATOR):
        spans = [
            (first, last)
            for start, end in spans
            for field, _, first, last in _fields(whole, start, end)
            if field == wanted
        ]
    return {bytes(whole[first:last]).decode(errors="backslashreplace") for first, last in spans}


def _check_text(place: tuple[str, int], text: bytes) -> None:
    name = text.decode(errors="backslashreplace")
    if place in _DOMAIN and name not in DOMAINS:
        allowed = ", ".join(repr(domain) for domain in sorted(DOMAINS))
        raise BundleError(f"network.onnx uses operators of {name!r}; only those of {allowed} are allowed")
    if place == _OPERATOR and name == "EPContext":
        raise BundleError("network.onnx holds a program compiled for one device; export it as plain operators")


def _fields(whole: memoryview, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Field number, wire type, first and last byte + 1 of each value between two offsets."""
    while at < end:
        tag, at = _varint(whole, at, min(end, at + 5))
        field, wire = tag >> 3, tag & 7
        first = at
        if wire == _VARINT:
            _, at = _varint(whole, at, min(end, at + 10))
        elif wire == _BYTES:
            length, first = _varint(whole, at, min(end, at + 10))
            at = first + length
        elif wire in (_FIXED32, _FIXED64):
            at += 4 if wire == _FIXED32 else 8
        else:
            raise _broken(first)
        if at > end or not 0 < field < 1 << 29:
            raise _broken(first)
        yield field, wire, first, at


def _varint(whole: memoryview, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end:
        byte = whole[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
    raise _broken(at)


def _broken(at: int) -> BundleError:
    return BundleError(f"network.onnx is not an ONNX model, or was cut short: byte {at:,} cannot be read")
