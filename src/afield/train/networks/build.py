"""From the layers of a use case to a compiled Keras network."""

from __future__ import annotations

from typing import Any

import keras

from afield.errors import UseCaseError
from afield.report.model import LayerRow
from afield.train.networks.catalogue import catalogue
from afield.train.networks.spec import Network


def network(spec: Network, columns: int, classes: int) -> keras.Sequential:
    """The network on rows of `columns` numbers, not compiled.

    Args:
        spec: the layers.
        columns: width of its input.
        classes: what `units: classes` stands for.

    Raises:
        UseCaseError: Keras refuses a layer, or the last layer has not one unit a class.
    """
    made: list[Any] = [keras.layers.Input((columns,), name="text")]
    known = catalogue()["layers"]
    for place, (name, given) in enumerate(spec.named()):
        arguments = {"name": f"{name}_{place + 1}"} | given
        if arguments.get("units") == "classes":
            arguments["units"] = classes
        try:
            made.append(getattr(keras.layers, known[name]["class"])(**arguments))
        except (TypeError, ValueError) as refused:
            raise UseCaseError(
                f"model.network[{place}]: Keras refuses {name}: {str(refused).splitlines()[0]}"
            ) from None
    last = spec.named()[-1][1]["units"]
    if last not in ("classes", classes):
        raise UseCaseError(
            f"model.network: the last layer has {last} units, the data has {classes} classes; write `units: classes`"
        )
    return keras.Sequential(made)


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


def table(spec: Network, columns: int, classes: int) -> list[LayerRow]:
    """One row a layer for people: layer, name, output shape, parameters; computed without allocating the network."""
    model = network(spec, 1, classes)
    units = model.layers[0].units
    rows: list[LayerRow] = []
    for place, layer in enumerate(model.layers):
        parameters = layer.count_params()
        if place == 0:
            parameters += (columns - 1) * units
        output: Any = layer.output
        shape = "(" + ", ".join("rows" if size is None else f"{size:,}" for size in output.shape) + ")"
        rows.append(LayerRow(layer=type(layer).__name__, name=layer.name, output_shape=shape, parameters=parameters))
    return rows
