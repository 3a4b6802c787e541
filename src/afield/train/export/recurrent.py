"""Recurrent layers as ONNX's own LSTM, GRU and RNN operators: neither unrolled nor a loop.

Keras orders the gates of an LSTM i, f, c, o and those of a GRU z, r, h; ONNX orders them i, o, f, c and z, r, h.
Reference: operators LSTM-14, GRU-14 and RNN-14 of onnx.ai/onnx/operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from afield.train.export.graph import Graph, NoMapError, Value

act: Any = keras.activations

GATE_ACTIVATIONS: dict[Any, tuple[str, float, float]] = {
    act.elu: ("Elu", 1.0, 0.0),
    act.hard_sigmoid: ("HardSigmoid", 1 / 6, 0.5),
    act.leaky_relu: ("LeakyRelu", 0.2, 0.0),
    act.linear: ("Affine", 1.0, 0.0),
    act.relu: ("Relu", 0.0, 0.0),
    act.sigmoid: ("Sigmoid", 0.0, 0.0),
    act.softplus: ("Softplus", 0.0, 0.0),
    act.softsign: ("Softsign", 0.0, 0.0),
    act.tanh: ("Tanh", 0.0, 0.0),
}
"""Activation -> its name inside a recurrent operator, alpha and beta."""


@dataclass(frozen=True)
class _Kind:
    operator: str
    order: tuple[int, ...]
    states: int


KINDS: dict[Any, _Kind] = {
    keras.layers.LSTM: _Kind("LSTM", (0, 3, 1, 2), 2),
    keras.layers.GRU: _Kind("GRU", (0, 1, 2), 1),
    keras.layers.SimpleRNN: _Kind("RNN", (0,), 1),
}


@dataclass(frozen=True)
class Ran:
    """What a recurrent operator gave.

    Args:
        output: (rows, time, units), or (rows, units) without return_sequences.
        states: the last ones, (rows, units) each; none where they were not wanted.
    """

    output: str
    states: list[str]


def recurrent(graph: Graph, layer: Any, sequences: Value, initial_state: Any = None) -> str | list[str]:
    """Layers LSTM, GRU and SimpleRNN."""
    states = [initial_state] if isinstance(initial_state, Value) else list(initial_state or [])
    ran = run(graph, layer, sequences, states, want_states=layer.return_state)
    output = ran.output
    if layer.go_backwards and layer.return_sequences:  # Keras leaves the outputs in the order of its walk
        lowest = np.iinfo(np.int64).min
        output = graph.add("Slice", output, graph.whole(-1), graph.whole(lowest), graph.whole(1), graph.whole(-1))
    return [output, *ran.states] if layer.return_state else output


def run(graph: Graph, layer: Any, sequences: Value, states: Sequence[Value], want_states: bool) -> Ran:
    """A recurrent layer as one operator, its outputs in the order of the sequence.

    Args:
        sequences: (rows, time, features).
        states: that it starts from, (rows, units) each; empty for zeros.
        want_states: whether its last states are used.

    Raises:
        NoMapError: an activation, or a state that Keras would keep between batches.
    """
    kind = KINDS[type(layer)]
    if layer.stateful:
        raise NoMapError("stateful: true has no map to ONNX; leave it off")
    gates = len(kind.order)
    first = graph.constant(np.array([_by_gate(graph.weight(layer.cell.kernel), kind)]))
    second = graph.constant(np.array([_by_gate(graph.weight(layer.cell.recurrent_kernel), kind)]))
    bias = ""
    if layer.use_bias:
        given = np.atleast_2d(graph.weight(layer.cell.bias))
        both = np.zeros((2, gates * layer.units), np.float32)
        both[: len(given)] = given
        bias = graph.constant(np.concatenate([_by_gate(side[None], kind)[:, 0] for side in both])[None])
    begun = [graph.add("Unsqueeze", state.name, graph.whole(0)) for state in states]
    attributes: dict[str, Any] = {"hidden_size": layer.units, **_activations(layer, kind)}
    if kind.operator == "GRU":
        attributes["linear_before_reset"] = int(layer.reset_after)
    wanted = [layer.return_sequences, want_states or not layer.return_sequences, want_states]
    outputs = graph.several(
        kind.operator,
        [graph.transpose(sequences.name, 1, 0, 2), first, second, bias, *(["", *begun] if begun else [])],
        wanted[: kind.states + 1],
        direction="reverse" if layer.go_backwards else "forward",
        **attributes,
    )
    last = [graph.add("Squeeze", name, graph.whole(0)) if name else "" for name in outputs[1:]]
    if layer.return_sequences:
        output = graph.transpose(graph.add("Squeeze", outputs[0], graph.whole(1)), 1, 0, 2)
    else:
        output = last[0]
    return Ran(output, last if want_states else [])


def bidirectional(graph: Graph, layer: Any, sequences: Value, initial_state: Any = None) -> str | list[str]:
    """Layer Bidirectional around LSTM, GRU or SimpleRNN: one operator a direction."""
    ways = [layer.forward_layer, layer.backward_layer]
    if any(type(way) not in KINDS for way in ways):
        raise NoMapError(f"Bidirectional around {type(ways[0]).__name__} has no map to ONNX; use LSTM or GRU")
    if ways[0].go_backwards:
        raise NoMapError("a forward layer with go_backwards has no map to ONNX; leave go_backwards off")
    given = list(initial_state or [])
    half = len(given) // 2
    ran = [
        run(graph, way, sequences, states, want_states=layer.return_state)
        for way, states in zip(ways, (given[:half], given[half:]), strict=True)
    ]
    merged = _merged(graph, layer.merge_mode, [one.output for one in ran])
    states = [state for one in ran for state in one.states]
    return [*merged, *states] if len(merged) > 1 or states else merged[0]


def _merged(graph: Graph, mode: str | None, both: list[str]) -> list[str]:
    match mode:
        case None:
            return both
        case "concat":
            return [graph.add("Concat", *both, axis=-1)]
        case "mul":
            return [graph.add("Mul", *both)]
        case "ave":
            return [graph.add("Mul", graph.add("Add", *both), graph.constant(0.5))]
        case _:
            return [graph.add("Add", *both)]


def _by_gate(kernel: np.ndarray, kind: _Kind) -> np.ndarray:
    """(inputs, gates * units) in Keras's order as (gates * units, inputs) in ONNX's."""
    gates = np.split(kernel, len(kind.order), axis=1)
    return np.concatenate([gates[place] for place in kind.order], axis=1).T


def _activations(layer: Any, kind: _Kind) -> dict[str, Any]:
    used = [layer.activation]
    if kind.operator != "RNN":
        used = [layer.recurrent_activation, layer.activation] + [layer.activation] * (kind.states - 1)
    for one in used:
        if one not in GATE_ACTIVATIONS:
            raise NoMapError(f"activation {getattr(one, '__name__', one)} has no map inside a recurrent layer")
    found = [GATE_ACTIVATIONS[one] for one in used]
    if all(name in ("Sigmoid", "Tanh") for name, _, _ in found):
        return {"activations": [name for name, _, _ in found]}
    return {
        "activations": [name for name, _, _ in found],
        "activation_alpha": [alpha for _, alpha, _ in found],
        "activation_beta": [beta for _, _, beta in found],
    }


MAPS: dict[Any, Any] = dict.fromkeys(KINDS, recurrent) | {keras.layers.Bidirectional: bidirectional}
