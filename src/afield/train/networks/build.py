"""From the layers of a use case to a compiled Keras network."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import keras

from afield.errors import UseCaseError
from afield.preprocess.base import StepInput
from afield.report.model import LayerRow
from afield.train.base import Task
from afield.train.networks.catalogue import catalogue
from afield.train.networks.spec import Network

_SIZES = ("units", "input_dim")
"""Arguments in which a size may be given by its name."""
LARGEST_EMBEDDING = 50
"""Numbers that a category is embedded in, at most."""


def network(spec: Network, inputs: Sequence[StepInput], task: Task) -> keras.Model:
    """The network, not compiled.

    One feature enters the layers as it is. Of several, categories are embedded first, and all are joined to one vector.

    Args:
        spec: the layers.
        inputs: what enters.
        task: what is to be learned.

    Raises:
        UseCaseError: Keras refuses a layer, or the last layer does not fit the question.
    """
    layers = _layers(spec, inputs, task)
    entered = [keras.layers.Input(one.shape, dtype=one.dtype, name=one.feature) for one in inputs]
    if len(inputs) == 1 and not inputs[0].cardinalities:
        given = tuple(_applied(layers, entered[0]).shape)[1:]
        stacked = [layer for _, _, layer in layers]
        if task.kind == "abnormal" and given != inputs[0].shape and prod(given) == prod(inputs[0].shape):
            stacked.append(keras.layers.Reshape(inputs[0].shape, name="as_entered"))
        model: keras.Model = keras.Sequential([entered[0], *stacked])
    else:
        value = _applied(layers, _joined(inputs, entered))
        model = keras.Model(entered[0] if len(entered) == 1 else entered, value)
    _fits(model, task)
    return model


def optimizer(name: str, arguments: dict[str, Any], decay: dict[str, Any] | None, steps: int) -> keras.Optimizer:
    """A Keras optimizer by its name in a use case.

    Args:
        name: as Keras spells it, in lower case.
        arguments: Keras's own; `learning_rate` is the rate at the first step.
        decay: arguments of a cosine decay over all steps, or None for a constant rate.
        steps: steps of the whole training.

    Raises:
        UseCaseError: Keras refuses an argument.
    """
    kinds = {spelling.lower(): spelling for spelling in dir(keras.optimizers)}
    kind = getattr(keras.optimizers, kinds[name])
    try:
        made = kind(**arguments)
        if decay is not None:
            schedule = keras.optimizers.schedules.CosineDecay(float(made.learning_rate), steps, **decay)
            made = kind(**arguments | {"learning_rate": schedule})
    except (TypeError, ValueError) as refused:
        raise UseCaseError(f"train.optimizer: Keras refuses {name}: {str(refused).splitlines()[0]}") from None
    return made


def table(model: keras.Model, width: int | None = None) -> list[LayerRow]:
    """One row a layer for people: layer, name, output shape, parameters.

    Args:
        model: the network.
        width: columns of sparse rows that the first layer reads, where the model was built on fewer.
    """
    rows: list[LayerRow] = []
    for place, layer in enumerate(model.layers):
        parameters = layer.count_params()
        if width is not None and place == 0:
            kernel: Any = layer.kernel
            parameters += (width - kernel.shape[0]) * kernel.shape[1]
        output: Any = layer.output
        shape = "(" + ", ".join("rows" if size is None else f"{size:,}" for size in output.shape) + ")"
        nodes: Any = layer._inbound_nodes[0].parent_nodes  # Keras has no public way to ask what a layer reads
        rows.append(
            LayerRow(
                layer=type(layer).__name__,
                name=layer.name,
                output_shape=shape,
                parameters=parameters,
                follows=list(dict.fromkeys(node.operation.name for node in nodes)),
            )
        )
    return rows


def _layers(spec: Network, inputs: Sequence[StepInput], task: Task) -> list[Any]:
    known = catalogue()["layers"]
    sizes = {
        "classes": len(task.classes),
        "inputs": sum(prod(one.shape) for one in inputs),
        "columns": sum(one.shape[-1] for one in inputs),
    }
    made: list[Any] = []
    for place, (name, given) in enumerate(spec.named()):
        arguments = {"name": f"{name}_{place + 1}"} | given
        arguments |= {key: sizes[value] for key, value in arguments.items() if key in _SIZES and value in sizes}
        try:
            made.append((place, name, getattr(keras.layers, known[name]["class"])(**arguments)))
        except (TypeError, ValueError) as refused:
            raise UseCaseError(
                f"model.network[{place}]: Keras refuses {name}: {str(refused).splitlines()[0]}"
            ) from None
    return made


def _applied(layers: list[Any], value: Any) -> Any:
    """What the layers make of a value.

    Raises:
        UseCaseError: a layer does not fit what enters it.
    """
    for place, name, layer in layers:
        try:
            value = layer(value)
        except (TypeError, ValueError) as refused:
            raise UseCaseError(
                f"model.network[{place}]: {name} does not fit what enters it, of shape {_shape(value)}: "
                f"{str(refused).splitlines()[0]}"
            ) from None
    return value


def _joined(inputs: Sequence[StepInput], entered: list[Any]) -> Any:
    """All features as one vector a record (or a step of a window), categories embedded."""
    parts: list[Any] = []
    for one, value in zip(inputs, entered, strict=True):
        if not one.cardinalities:
            parts.append(value)
            continue
        for column, cardinality in enumerate(one.cardinalities):
            # Source of the rule of thumb: Howard and Gugger, Deep Learning for Coders (2020), chapter 9.
            size = min(LARGEST_EMBEDDING, round(1.6 * cardinality**0.56))
            embedding = keras.layers.Embedding(cardinality, size, name=f"{one.feature}_{column + 1}")
            parts.append(embedding(value[..., column]))
    ranks = {len(part.shape) for part in parts}
    if len(ranks) > 1:
        parts = [keras.layers.Flatten()(part) for part in parts]
    return parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="features")(parts)


def _fits(model: keras.Model, task: Task) -> None:
    """Refuses an output that cannot answer the question."""
    (output,) = model.outputs
    shape = tuple(output.shape)[1:]
    count = len(task.classes)
    expected: dict[str, tuple[str, bool]] = {
        "classify": (
            f"one unit for each of {count} classes: `units: classes`",
            shape == (count,) or (shape == (1,) and count == 2),
        ),
        "tag": (f"one unit for each of {count} tags: `units: classes`", shape == (count,)),
        "regress": ("one unit", shape == (1,)),
    }
    if task.kind == "abnormal":
        each = "as many numbers as enter it: `units: inputs`, or at each step of a window `units: columns`"
        expected["abnormal"] = (each, shape == task.inputs[0].shape)
    if task.kind == "write":
        each = f"one unit for each of {count} characters at every place: `units: classes`"
        expected["write"] = (each, shape == (*task.inputs[0].shape, count))
    wanted, fits = expected.get(task.kind, ("", True))
    if not fits:
        units = ", ".join(map(str, shape))
        raise UseCaseError(f"model.network: the last layer gives {units} numbers a record; the question needs {wanted}")


def _shape(value: Any) -> str:
    return "(" + ", ".join("rows" if size is None else str(size) for size in value.shape) + ")"
