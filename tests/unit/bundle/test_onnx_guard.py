"""The guard against networks that reach outside of their file, on models that the `onnx` package made."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from bundles import model, network
from hypothesis import example, given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto, helper, numpy_helper, onnx_ml_pb2

from afield.bundle.onnx_guard import NESTED, check_network, operators
from afield.errors import BundleError

OUTSIDE = "network.onnx keeps values in another file; save it with all values inside"


def refused(content: bytes | onnx.ModelProto) -> str:
    with pytest.raises(BundleError) as error:
        check_network(content if isinstance(content, bytes) else content.SerializeToString())
    return str(error.value)


def outside() -> TensorProto:
    tensor = numpy_helper.from_array(np.zeros(2, np.float32), "far")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return tensor


def node_with(**attributes: object) -> onnx.NodeProto:
    return helper.make_node("If", ["x"], ["y"], **attributes)


def graph_with(tensor: TensorProto) -> onnx.GraphProto:
    return helper.make_graph([], "inner", [], [], [tensor])


def sparse(values: TensorProto, indices: TensorProto) -> onnx.SparseTensorProto:
    return helper.make_sparse_tensor(values, indices, [4])


def inside() -> TensorProto:
    return numpy_helper.from_array(np.zeros(2, np.int64), "near")


def test_a_plain_network_passes() -> None:
    check_network(network())


def test_the_table_names_every_way_to_a_tensor_or_node() -> None:
    described = onnx_ml_pb2.DESCRIPTOR.message_types_by_name
    found = {
        name: {
            field.number: field.message_type.name
            for field in described[name].fields
            if field.message_type is not None and field.message_type.name in NESTED
        }
        for name in NESTED
    }
    assert found == NESTED
    elsewhere = {name for name, message in described.items() if name not in NESTED}
    for name in elsewhere:
        assert not {field.message_type.name for field in described[name].fields if field.message_type} & NESTED.keys()


def test_values_outside_are_found_everywhere() -> None:
    places = {
        "initializer": lambda m: m.graph.initializer.append(outside()),
        "sparse values": lambda m: m.graph.sparse_initializer.append(sparse(outside(), inside())),
        "sparse indices": lambda m: m.graph.sparse_initializer.append(sparse(inside(), outside())),
        "attribute": lambda m: m.graph.node.append(node_with(value=outside())),
        "attribute list": lambda m: m.graph.node.append(node_with(values=[outside()])),
        "sparse attribute": lambda m: m.graph.node.append(node_with(value=sparse(outside(), inside()))),
        "subgraph": lambda m: m.graph.node.append(node_with(then_branch=graph_with(outside()))),
        "subgraph list": lambda m: m.graph.node.append(node_with(branches=[graph_with(outside())])),
        "subgraph in subgraph": lambda m: m.graph.node.append(
            node_with(then_branch=helper.make_graph([node_with(then_branch=graph_with(outside()))], "g", [], []))
        ),
        "function": lambda m: m.functions.add().node.append(node_with(value=outside())),
        "default of a function": lambda m: m.functions.add().attribute_proto.append(
            AttributeProto(name="a", type=AttributeProto.TENSOR, t=outside())
        ),
        "training start": lambda m: m.training_info.add().initialization.initializer.append(outside()),
        "training step": lambda m: m.training_info.add().algorithm.initializer.append(outside()),
    }
    for place, add in places.items():
        found = model()
        add(found)
        assert refused(found) == OUTSIDE, place


def test_either_trace_of_values_outside_is_enough() -> None:
    located = model()
    located.graph.initializer[0].data_location = TensorProto.EXTERNAL
    assert refused(located) == OUTSIDE
    listed = model()
    listed.graph.initializer[0].external_data.add().key = "location"
    assert refused(listed) == OUTSIDE
    default = model()
    default.graph.initializer[0].data_location = TensorProto.DEFAULT
    check_network(default.SerializeToString())


@pytest.mark.parametrize("location", [b"\x70\x01", b"\x70\x81\x80\x80\x80\x10", b"\x70\x01\x70\x00", b"\x72\x01\x01"])
def test_a_location_written_in_an_odd_way(location: bytes) -> None:
    tensor = b"\x2a" + bytes([len(location)]) + location
    assert refused(b"\x3a" + bytes([len(tensor)]) + tensor) == OUTSIDE


@pytest.mark.parametrize("domain", ["", "ai.onnx", "ai.onnx.ml", "com.microsoft"])
def test_operators_of_the_runtime_pass(domain: str) -> None:
    found = model()
    found.graph.node[0].domain = domain
    check_network(found.SerializeToString())


def test_operators_of_strangers_are_refused() -> None:
    message = (
        "network.onnx uses operators of 'evil'; only those of '', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft' are allowed"
    )
    direct = model()
    direct.graph.node[0].domain = "evil"
    assert refused(direct) == message
    inner = model()
    strange = helper.make_node("Op", [], [], domain="evil")
    inner.graph.node.append(node_with(then_branch=helper.make_graph([strange], "g", [], [])))
    assert refused(inner) == message
    function = model()
    function.functions.add().domain = "evil"
    assert refused(function) == message


def test_a_compiled_program_is_refused() -> None:
    found = model()
    found.graph.node[0].op_type = "EPContext"
    assert refused(found) == "network.onnx holds a program compiled for one device; export it as plain operators"


def test_other_files_are_refused() -> None:
    assert refused(b"") == "network.onnx is not an ONNX model: it holds 0 graphs instead of one"
    assert refused(network() + network()) == "network.onnx is not an ONNX model: it holds 2 graphs instead of one"
    assert refused(network()[:-1]).startswith("network.onnx is not an ONNX model, or was cut short: byte ")
    assert refused(b"\x08\x07\x12\x06ORTM12") == (
        "network.onnx is a model in ONNX Runtime's own format; export it as ONNX"
    )


def test_deep_nesting_needs_no_stack() -> None:
    content = b""
    while len(content) < 60_000:
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            content = tag + varint(len(content)) + content
    check_network(b"\x3a" + varint(len(content)) + content)


def varint(value: int) -> bytes:
    return bytes([value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14])


@settings(max_examples=500, deadline=None)
@given(content=st.binary(max_size=300))
@example(content=b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
@example(content=b"\xff" * 11)
@example(content=b"\x3b\x3c")
def test_random_bytes_are_refused_or_pass(content: bytes) -> None:
    for found in (content, b"\x3a\x7f" + content):
        try:
            check_network(found)
        except BundleError:
            continue


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 1000), byte=st.integers(0, 255))
def test_whatever_onnx_loads_with_values_outside_is_refused(at: int, byte: int) -> None:
    found = model()
    found.graph.initializer.append(outside())
    content = bytearray(found.SerializeToString())
    content[at % len(content)] = byte
    try:
        loaded = onnx.load_model_from_string(bytes(content))
    except Exception:
        return
    if any(tensor.data_location == TensorProto.EXTERNAL or tensor.external_data for tensor in loaded.graph.initializer):
        refused(bytes(content))


def test_the_operators_of_a_network_are_found_without_those_inside_of_others() -> None:
    inner = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "inner", [], [])
    nodes = [helper.make_node("LSTM", ["x", "w", "r"], ["y"]), node_with(then_branch=inner)]
    nodes += [helper.make_node("Relu", ["y"], ["z"], name="GRU")] * 2
    assert operators(helper.make_model(helper.make_graph(nodes, "outer", [], [])).SerializeToString()) == {
        "LSTM",
        "If",
        "Relu",
    }
    with pytest.raises(BundleError) as error:
        operators(network()[:-1])
    assert str(error.value).startswith("network.onnx is not an ONNX model, or was cut short: byte ")
