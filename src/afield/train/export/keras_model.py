"""A Keras model as ONNX: its graph of operations is walked, each layer written by its own map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
from keras import tree

from afield.errors import UseCaseError
from afield.preprocess.base import StepInput
from afield.train.export import activations, convolution, dense, merging, native, operations, recurrent, shaping
from afield.train.export.graph import ROWS, Graph, NoMapError, Value

POINTWISE = frozenset(
    {keras.layers.Dense, keras.layers.Activation, keras.layers.Dropout, keras.layers.Softmax, keras.layers.ReLU}
)
"""Layers that act on the last axis alone: over time they are the same as at one time."""


def export_keras(
    model: keras.Model, inputs: Sequence[StepInput], outputs: Sequence[str], scale: tuple[float, float] | None = None
) -> bytes:
    """Writes a model as ONNX whose first axis, `rows`, is free.

    Layers with a map become ONNX operators (LSTM and GRU the operators of that name); a model with any other layer is
    given to Keras's own export, where the package for it is installed.

    Args:
        model: Functional or Sequential, on Keras's JAX backend; weights are taken from its variables.
        inputs: what is fed, in the order of the model's inputs, each as a whole array; the ONNX inputs bear the names
            of the features.
        outputs: names of the ONNX outputs, in the order of the model's outputs.
        scale: factor and shift applied to the output, of a model that learned standardised values; None for neither.

    Returns:
        The content of an ONNX file: float32 outputs, opset 21.

    Raises:
        UseCaseError: a layer can be exported in neither way, or inputs and outputs are not those of the model.
    """
    taken, given = graph_of(model).inputs, graph_of(model).outputs
    if len(taken) != len(inputs) or len(given) != len(outputs):
        raise UseCaseError(
            f"model: the network has {len(taken)} inputs and {len(given)} outputs,"
            f" expected {len(inputs)} and {len(outputs)}"
        )
    graph = Graph()
    values = [_fed(graph, one, tensor) for one, tensor in zip(inputs, taken, strict=True)]
    try:
        results = walk(graph, model, values, MAPS)
    except NoMapError as missing:
        return native.export(model, inputs, outputs, scale, str(missing))
    for name, result in zip(outputs, results, strict=True):
        value = graph.cast(result, "float32").name
        if scale is not None:
            value = graph.add("Mul", value, graph.constant(float(scale[0])))
            value = graph.add("Add", value, graph.constant(float(scale[1])))
        graph.output(name, value, [ROWS, *result.shape[1:]])
    return graph.model()


def graph_of(model: Any) -> Any:
    """The graph of operations of a Functional or Sequential model.

    Raises:
        UseCaseError: the model has none: a subclass with code of its own in `call`, or one that was never built.
    """
    found = getattr(model, "_functional", None) if isinstance(model, keras.Sequential) else model
    if not hasattr(found, "_nodes_by_depth"):
        raise UseCaseError(
            f'model: network "{model.name}" has no graph of layers; expected keras.Sequential with an Input layer,'
            " or keras.Model(inputs, outputs)"
        )
    return found


def walk(graph: Graph, model: Any, values: Sequence[Value], maps: Mapping[Any, Any]) -> list[Value]:
    """Writes a model on the given values.

    Args:
        values: what its inputs are.
        maps: class of a layer or operation -> what writes it.

    Returns:
        Its outputs.

    Raises:
        NoMapError: a layer that cannot be written, by name.
    """
    function = graph_of(model)
    known = {id(tensor): value for tensor, value in zip(function.inputs, values, strict=True)}
    for node in _in_order(function):
        positional, named = node.arguments.convert(lambda given: known.get(id(given), given))
        names = _written(graph, node.operation, positional, named, maps, _is_whole(node.outputs[0].dtype))
        for tensor, name in zip(node.outputs, names, strict=True):
            known[id(tensor)] = Value(name, tuple(tensor.shape), "int32" if _is_whole(tensor.dtype) else "float32")
    return [known[id(tensor)] for tensor in function.outputs]


def _in_order(function: Any) -> Iterator[Any]:
    for depth in sorted(function._nodes_by_depth, reverse=True):
        yield from (node for node in function._nodes_by_depth[depth] if not node.is_input)


def _written(
    graph: Graph,
    operation: Any,
    positional: tuple[Any, ...],
    named: dict[str, Any],
    maps: Mapping[Any, Any],
    whole: bool,
) -> list[str]:
    kind, name = type(operation).__name__, operation.name
    named.pop("training", None)  # Keras itself overrides it outside of training
    if named.pop("mask", None) is not None:
        raise NoMapError(f'layer "{name}" ({kind}) is called with a mask, which has no map to ONNX')
    if not whole and type(operation) is not keras.layers.Embedding and not _is_model(operation):
        # Keras computes in floating point from here on.
        computed: Any = tree.map_structure(
            lambda given: graph.cast(given, "float32") if isinstance(given, Value) else given, (positional, named)
        )
        positional, named = computed
    if _is_model(operation):
        values = [given for given in tree.flatten((positional, named)) if isinstance(given, Value)]
        return [value.name for value in walk(graph, operation, values, maps)]
    write = maps.get(type(operation))
    try:
        if write is None and type(operation) is keras.layers.TimeDistributed:
            return [_at_each_time(graph, operation.layer, maps, *positional)]
        if write is None:
            raise NoMapError("it has no map to ONNX")
        made = write(graph, operation, *positional, **named)
    except NoMapError as missing:
        raise NoMapError(f'layer "{name}" ({kind}): {missing}') from None
    return made if isinstance(made, list) else [made]


def _at_each_time(graph: Graph, layer: Any, maps: Mapping[Any, Any], x: Value) -> str:
    """A layer on each time step: all steps of all rows become rows."""
    if type(layer) in POINTWISE:
        return _written(graph, layer, (x,), {}, maps, False)[0]
    _, steps, *sizes = x.shape
    if steps is None or None in sizes:
        raise NoMapError("over a free number of time steps it has no map to ONNX; fix the length")
    rows = Value(graph.add("Reshape", x.name, graph.whole(-1, *(size or 1 for size in sizes))), (None, *sizes))
    made = _written(graph, layer, (rows,), {}, maps, False)[0]
    after = layer.compute_output_shape((None, *sizes))[1:]
    return graph.add("Reshape", made, graph.whole(-1, steps, *after))


def _fed(graph: Graph, given: StepInput, tensor: Any) -> Value:
    """A new input as the model takes it."""
    sizes = tuple(tensor.shape[1:])
    if len(sizes) != len(given.shape) or any(a not in (None, b) for a, b in zip(sizes, given.shape, strict=True)):
        raise UseCaseError(
            f'model: the network takes {sizes} a record for input "{given.feature}", found {given.shape}'
        )
    value = graph.input(given.feature, given.dtype, [ROWS, *sizes])
    return graph.cast(value, "int32" if _is_whole(tensor.dtype) else "float32")


def _is_model(operation: Any) -> bool:
    return isinstance(operation, keras.Model)


def _is_whole(dtype: str) -> bool:
    return "int" in dtype


MAPS: dict[Any, Any] = {
    **activations.MAPS,
    **convolution.MAPS,
    **dense.MAPS,
    **merging.MAPS,
    **operations.MAPS,
    **recurrent.MAPS,
    **shaping.MAPS,
}
"""Class of a layer or operation -> what writes it: a function of the graph, the layer and what the layer was given."""
