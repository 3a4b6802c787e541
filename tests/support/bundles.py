"""A small bundle to pack, open and damage."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
from onnx import TensorProto, helper, numpy_helper

from afield.bundle import Manifest, pack
from afield.preprocess.base import Frozen

FACTS: dict[str, Any] = {
    "kind": "classify",
    "classes": ["app", "kernel"],
    "inputs": [{"name": "x", "dtype": "float32", "feature": "x", "form": "dense"}],
    "data": "4e1243bd",
    "libraries": {"afield": "0.1.0", "keras": "3.15.0"},
    "revision": None,
    "seed": 7,
}


def model(**changes: Any) -> onnx.ModelProto:
    weights = numpy_helper.from_array(np.eye(2, dtype=np.float32), "weights")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weights"], ["y"])],
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])],
        [weights],
    )
    return helper.make_model(graph, **changes)


@functools.cache
def network() -> bytes:
    return model().SerializeToString()


def examples() -> pa.Table:
    probability = pa.array([0.75, 0.5], pa.float32())
    return pa.table({"text": ["a", "b"], "_expected": ["app", "kernel"], "_figure": probability})


def steps() -> list[tuple[str, Frozen]]:
    arrays = {"idf": np.arange(3, dtype=np.float32), "words": np.array(["a", "bé", ""]), "one": np.array(5)}
    return [("text", Frozen({"min_df": 2, "masks": ["ip"]}, arrays)), ("scale", Frozen({}))]


def packed(path: Path, **changes: Any) -> Manifest:
    parts: dict[str, Any] = {
        "name": "logs",
        "version": "v1",
        "created": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "usecase": "question: {kind: classify}\n",
        "network": network(),
        "steps": steps(),
        "decision": ("classes", Frozen({"classes": ["app", "kernel"], "cut": None})),
        "examples": examples(),
        "report": '{"accuracy": 0.5}',
        "facts": FACTS,
    }
    return pack(path, **(parts | changes))
