"""Networks that differ in widths alone, laid out in the network that is as wide as the widest of them everywhere.

A member's units stand at some places of each axis of the wide network, the rest is padded. A padded unit has weights
of zero on both sides, and gives zero: its inputs' weights are zero, and its activation of zero is zero or is masked.
So the gradients of all its weights are zero, an optimizer that looks at one number at a time leaves them there, and
what the other units compute is what the narrow network computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import keras
import numpy as np
from keras.src.models.functional import Functional  # `keras.Model` makes these; no public name leads here

from afield.tune.populations.agreement import ELEMENTWISE, WIDTHS, OpaqueNetworkError

L = keras.layers
ZERO_AT_ZERO = frozenset(
    {
        "celu",
        "elu",
        "gelu",
        "hard_shrink",
        "hard_silu",
        "hard_tanh",
        "leaky_relu",
        "linear",
        "mish",
        "relu",
        "relu6",
        "selu",
        "silu",
        "soft_shrink",
        "softsign",
        "tanh",
        "tanh_shrink",
    }
)
"""Activations of one number that leave zero as it is."""
MASKED = frozenset({"exponential", "hard_sigmoid", "log_sigmoid", "sigmoid", "softplus", "squareplus"})
"""Activations of one number that do not."""
_PASSING = (
    L.Activation,
    L.ActivityRegularization,
    L.AveragePooling1D,
    L.Dropout,
    L.ELU,
    L.GlobalAveragePooling1D,
    L.GlobalMaxPooling1D,
    L.Identity,
    L.LeakyReLU,
    L.MaxPooling1D,
    L.ReLU,
    L.RepeatVector,
)
"""Layers whose last axis is that of what enters, entry by entry, and which leave zero as it is."""
_MERGING = (L.Add, L.Average, L.Maximum, L.Multiply, L.Subtract)
_PENALTIES = (keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2)


@dataclass(frozen=True)
class Axis:
    """An axis that is shorter in some members than in the wide network.

    Args:
        size: in the wide network (W).
        places: of each member, int64[w]; where its entries stand.
    """

    size: int
    places: tuple[np.ndarray, ...]

    def same(self, other: Axis) -> bool:
        """Whether the entries of all members stand at the same places."""
        return self.size == other.size and all(map(np.array_equal, self.places, other.places))

    def masks(self) -> np.ndarray:
        """1 where a member has an entry: float32[M, W]."""
        masks = np.zeros((len(self.places), self.size), np.float32)
        for mask, places in zip(masks, self.places, strict=True):
            mask[places] = 1
        return masks

    def ranks(self) -> np.ndarray:
        """Which entry of a member stands at a place, 0 where none does: int32[M, W]."""
        ranks = np.zeros((len(self.places), self.size), np.int32)
        for rank, places in zip(ranks, self.places, strict=True):
            rank[places] = np.arange(len(places))
        return ranks

    def lengths(self) -> np.ndarray:
        """Entries of each member: int32[M]."""
        return np.array([len(places) for places in self.places], np.int32)

    def repeated(self, times: int) -> Axis:
        """The axis so many times, one after another."""
        steps = np.arange(times)[:, None] * self.size
        return Axis(times * self.size, tuple((steps + places).ravel() for places in self.places))


@dataclass
class Layout:
    """Where the members of a population stand in the wide network; layers by their place in its graph.

    Args:
        widths: layer -> its width, the largest of all members.
        weights: (layer, weight of the layer) -> the axes of the weight; None for one that all members have in full.
        dropouts: dropout layer -> the last axis of what enters it.
        masked: layer with an activation that gives no zero for zero -> its units.
    """

    widths: dict[int, int] = field(default_factory=dict[int, int])
    weights: dict[tuple[int, int], tuple[Axis | None, ...]] = field(
        default_factory=dict[tuple[int, int], tuple[Axis | None, ...]]
    )
    dropouts: dict[int, Axis] = field(default_factory=dict[int, Axis])
    masked: dict[int, Axis] = field(default_factory=dict[int, Axis])


def layout(graphs: Sequence[Functional], optimizer: keras.optimizers.Optimizer) -> Layout:
    """Lays out networks that agree in all but their widths.

    Args:
        graphs: of the members.
        optimizer: of one of them.

    Raises:
        OpaqueNetworkError: a part of the network, or the optimizer, may not leave padded units at zero.
    """
    found = Layout()
    operations = [graph.operations for graph in graphs]
    varying = [
        place
        for place, layers in enumerate(zip(*operations, strict=True))
        if len({_width(layer) for layer in layers}) > 1
    ]
    if not varying:
        return found
    if type(optimizer) not in ELEMENTWISE or optimizer.built or not getattr(optimizer, "epsilon", 1) > 0:
        raise OpaqueNetworkError
    numbers = {id(layer): place for place, layer in enumerate(operations[0])}
    axes: dict[int, Axis | None] = {}
    called: set[int] = set()
    for node in _nodes(graphs[0]):
        place = numbers[id(node.operation)]
        entering = [_Entering(axes.get(id(tensor)), tuple(tensor.shape)) for tensor in node.input_tensors]
        leaving = _through(found, place, [layers[place] for layers in operations], entering)
        if leaving is not None and place in called:
            raise OpaqueNetworkError
        called.add(place)
        axes |= {id(tensor): leaving for tensor in node.outputs}
    if any(axes.get(id(tensor)) is not None for tensor in graphs[0].outputs):
        raise OpaqueNetworkError
    return found


@dataclass(frozen=True)
class _Entering:
    """What enters a layer: its last axis, where members differ in it, and its shape in the first member."""

    axis: Axis | None
    shape: tuple[int | None, ...]


def _nodes(graph: Functional) -> list[Any]:
    by_depth: dict[int, list[Any]] = graph._nodes_by_depth  # pyright: ignore[reportPrivateUsage]
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth] if not node.is_input]


def _width(layer: Any) -> int:
    return getattr(layer, WIDTHS[type(layer)]) if type(layer) in WIDTHS else 0


def _through(found: Layout, place: int, layers: list[Any], entering: list[_Entering]) -> Axis | None:
    """The last axis of what a layer gives, where members differ in it; notes how its weights are laid out."""
    layer, kind = layers[0], type(layers[0])
    widths = [_width(layer) for layer in layers]
    if len(set(widths)) == 1 and all(one.axis is None for one in entering):
        return None
    if len(set(widths)) > 1:
        found.widths[place] = max(widths)
    axis = entering[0].axis
    if kind in WIDTHS:
        units = Axis(max(widths), tuple(np.arange(width) for width in widths)) if place in found.widths else None
        axes, leaving = _weighing(layer, axis, units), units
    elif kind is L.BatchNormalization:
        axes, leaving = dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (axis,)), axis
    else:
        axes, leaving = {}, _passing(layer, entering)
    if not _left_at_zero(layer, entering, leaving):
        raise OpaqueNetworkError
    if leaving is not None and _activation(layer) in MASKED:
        found.masked[place] = leaving
    if kind is L.Dropout and axis is not None:
        found.dropouts[place] = axis
    for number, weight in enumerate(layer.weights):
        found.weights[place, number] = axes[weight.name]
    return leaving


def _weighing(layer: Any, entering: Axis | None, units: Axis | None) -> dict[str, tuple[Axis | None, ...]]:
    """The axes of the weights of a layer with units, by their names."""
    if isinstance(layer, L.Embedding):
        return {"embeddings": (None, units)}
    if isinstance(layer, L.Dense):
        return {"kernel": (entering, units), "bias": (units,)}
    gates = units and units.repeated(4 if isinstance(layer, L.LSTM) else 3)
    bias = (None, gates) if getattr(layer, "reset_after", False) else (gates,)
    return {"kernel": (entering, gates), "recurrent_kernel": (units, gates), "bias": bias}


def _passing(layer: Any, entering: list[_Entering]) -> Axis | None:
    """The last axis of what a layer without units gives."""
    kind, axis = type(layer), entering[0].axis
    if len(entering) == 1 and axis is not None:
        if kind in _PASSING and getattr(layer, "data_format", "channels_last") == "channels_last":
            return axis
        outer = entering[0].shape[1:-1]
        if kind is L.Flatten and layer.data_format == "channels_last" and None not in outer:
            return axis.repeated(prod(size for size in outer if size is not None))
    if kind in _MERGING and axis is not None and all(one.axis is not None and one.axis.same(axis) for one in entering):
        return axis
    if kind is L.Concatenate and layer.axis in (-1, len(entering[0].shape) - 1):
        return _joined(entering)
    raise OpaqueNetworkError


def _joined(entering: list[_Entering]) -> Axis:
    members = next(len(one.axis.places) for one in entering if one.axis is not None)
    size, parts = 0, [[np.zeros(0, np.int64)] for _ in range(members)]
    for one in entering:
        length = one.axis.size if one.axis is not None else one.shape[-1]
        assert length is not None, "the last axis is the one that is joined"
        for number, part in enumerate(parts):
            part.append(size + (one.axis.places[number] if one.axis is not None else np.arange(length)))
        size += length
    return Axis(size, tuple(np.concatenate(part) for part in parts))


def _activation(layer: Any) -> str | None:
    activation = getattr(layer, "activation", None)
    return getattr(activation, "__name__", None)


def _left_at_zero(layer: Any, entering: list[_Entering], leaving: Axis | None) -> bool:
    """Whether padded units stay at zero in a layer, or can be masked, and are told no gradient."""
    kind = type(layer)
    names = [name for name in dir(layer) if name.endswith(("_regularizer", "_constraint"))]
    parts = [part for part in (getattr(layer, name) for name in names) if part is not None]
    if any(type(part) not in _PENALTIES for part in parts):
        return False
    if kind is L.BatchNormalization:
        return layer.axis in (-1, len(entering[0].shape) - 1) and not layer.renorm
    if kind is L.Dropout:
        return layer.noise_shape is None
    if kind in (L.LSTM, L.GRU):
        plain = not (layer.dropout or layer.recurrent_dropout or layer.stateful or layer.return_state)
        return plain and len(entering) == 1 and _activation(layer) in ZERO_AT_ZERO
    return leaving is None or _activation(layer) in (None, *ZERO_AT_ZERO, *MASKED)
