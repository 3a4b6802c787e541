"""A recurrent network that carries its state from call to call, as ONNX: what it has read is never read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from afield.errors import UseCaseError
from afield.train.export.graph import ROWS, Graph, NoMapError, Value
from afield.train.export.keras_model import MAPS, graph_of, walk
from afield.train.export.recurrent import KINDS, run

STEPWISE = frozenset(
    {
        keras.layers.Activation,
        keras.layers.Add,
        keras.layers.AlphaDropout,
        keras.layers.BatchNormalization,
        keras.layers.Concatenate,
        keras.layers.Dense,
        keras.layers.Dropout,
        keras.layers.Embedding,
        keras.layers.GaussianDropout,
        keras.layers.GaussianNoise,
        keras.layers.Identity,
        keras.layers.LayerNormalization,
        keras.layers.ReLU,
        keras.layers.Softmax,
        keras.layers.SpatialDropout1D,
    }
)
"""Layers whose answer at a place depends on that place alone."""


@dataclass(frozen=True)
class State:
    """A state that is carried: fed as `name`, zeros at first, and found as `out` for the next call.

    Args:
        name: of the ONNX input, float32[rows, units].
        out: of the ONNX output, of the same shape.
        units: its width.
    """

    name: str
    out: str
    units: int


def export_stateful(model: Any, ids: str = "ids", output: str = "probabilities") -> tuple[bytes, list[State]]:
    """Writes a network on a sequence of ids as one step of any length, with its state carried.

    Args:
        model: Sequential or Functional of one input and one output: an embedding, recurrent layers that return
            sequences, and layers that act on each place alone.
        ids: name of the ONNX input int32[rows, time].
        output: name of the ONNX output float32[rows, time, C].

    Returns:
        The content of an ONNX file, and its states in the order of its inputs after `ids`.

    Raises:
        UseCaseError: a layer looks at more places than its own, or has no map.
    """
    graph = Graph()
    carried: list[State] = []
    ended: list[str] = []

    def step(graph: Graph, layer: Any, sequences: Value, initial_state: Any = None) -> str:
        if initial_state is not None or layer.go_backwards or not layer.return_sequences or layer.return_state:
            raise NoMapError("a state can be carried through return_sequences: true alone, forwards, from zeros")
        begun: list[Value] = []
        for _ in range(KINDS[type(layer)].states):
            name = f"state_{len(carried)}"
            carried.append(State(name, f"{name}_out", layer.units))
            begun.append(graph.input(name, "float32", [ROWS, layer.units]))
        ran = run(graph, layer, sequences, begun, want_states=True)
        ended.extend(ran.states)
        return ran.output

    maps = {kind: write for kind, write in MAPS.items() if kind in STEPWISE} | dict.fromkeys(KINDS, step)
    value = graph.input(ids, "int32", [ROWS, "time"])
    if len(graph_of(model).inputs) != 1 or len(graph_of(model).outputs) != 1:
        raise UseCaseError(f'model: network "{model.name}" must have one input and one output to carry its state')
    try:
        (result,) = walk(graph, model, [value], maps)
    except NoMapError as missing:
        raise UseCaseError(f"model: {missing}, where the state is carried from call to call") from None
    graph.output(output, result.name, [ROWS, "time", *result.shape[2:]])
    for state, name in zip(carried, ended, strict=True):
        graph.output(state.out, name, [ROWS, state.units])
    return graph.model(), carried
