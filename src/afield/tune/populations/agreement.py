"""What the networks of a population must agree in, read from their configurations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras.src.models.functional import Functional  # `keras.Model` makes these; no public name leads here

WIDTHS: dict[type[Any], str] = {
    keras.layers.Dense: "units",
    keras.layers.Embedding: "output_dim",
    keras.layers.GRU: "units",
    keras.layers.LSTM: "units",
}
"""Layers whose width may vary in a population, and the argument that says it."""
ELEMENTWISE = frozenset(
    {
        keras.optimizers.Adadelta,
        keras.optimizers.Adagrad,
        keras.optimizers.Adam,
        keras.optimizers.Adamax,
        keras.optimizers.AdamW,
        keras.optimizers.Lion,
        keras.optimizers.Nadam,
        keras.optimizers.RMSprop,
        keras.optimizers.SGD,
    }
)
"""Optimizers that change a weight by its own gradients alone, and read their weight decay anew in each step."""
_EXCLUDED = ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern")
"""Variables without weight decay, of which an optimizer's configuration says nothing."""
_PLAIN = ("__keras_tensor__", "__numpy__", "__tensor__", "__tuple__")
"""Values that Keras writes as if they were objects."""
_READ_FROM_THE_MODEL = ("build_config", "registered_name", "seed", "shape")

Call = Callable[[list[Any]], Any]
"""Makes (name of a layer, node, tensor) independent of the name."""


class OpaqueNetworkError(Exception):
    """A network has a part that may be anything: it shares no program with another."""


@dataclass(frozen=True)
class Agreement:
    """What decides whether two networks share a program.

    Args:
        form: equal for networks that may share one, if their widths agree too or can be padded.
        widths: of each layer that has one, in order.
    """

    form: str
    widths: tuple[int, ...]


def agreement(model: keras.Model) -> Agreement:
    """What a compiled network must have in common with the others of its population.

    Learning rate, weight decay, dropout rates, weights and seeds are left out: they may vary.

    Raises:
        OpaqueNetworkError: the network, or what it is compiled with, has a part that is not Keras's own.
    """
    functional = graph(model)
    try:
        form = json.dumps([_network(functional), _compiled(model)], sort_keys=True)
    except (NotImplementedError, TypeError, ValueError):
        raise OpaqueNetworkError from None  # a part that does not say what it is made of
    widths = [getattr(layer, WIDTHS[type(layer)]) for layer in functional.operations if type(layer) in WIDTHS]
    return Agreement(form, tuple(widths))


def graph(model: keras.Model) -> Functional:
    """The graph of layers that a network is.

    Raises:
        OpaqueNetworkError: it is none, or may have a training step of its own.
    """
    inner = model._functional if type(model) is keras.Sequential else model  # pyright: ignore[reportPrivateUsage]
    if type(inner) is not Functional:
        raise OpaqueNetworkError
    return inner


def schedule(optimizer: keras.optimizers.Optimizer) -> Any:
    """What gives the learning rate of each step: a schedule, or the variable that holds it."""
    return optimizer._learning_rate  # pyright: ignore[reportPrivateUsage]


def _network(functional: Functional) -> Any:
    config: dict[str, Any] = functional.get_config()
    layers = config["layers"]
    numbers = {layer["name"]: place for place, layer in enumerate(layers)}
    ends = [_ends(config[side]) for side in ("input_layers", "output_layers")]
    # Rows find their inputs, and losses their outputs, by name where there are several.
    named = {end[0] for side in ends if len(side) > 1 for end in side}

    def call(history: list[Any]) -> Any:
        return [numbers[history[0]], *history[1:]]

    def layer(given: dict[str, Any]) -> Any:
        kind, arguments = given["class_name"], given["config"]
        varied = ["rate"] if kind == "Dropout" else []
        varied += [argument for known, argument in WIDTHS.items() if known.__name__ == kind]
        kept = {key: value for key, value in arguments.items() if key != "name" and key not in varied}
        name = given["name"] if given["name"] in named else ""
        own = {key: given[key] for key in ("module", "class_name")} | {"config": kept}
        return name, _plain(own, call), _plain(given["inbound_nodes"], call)

    return [layer(given) for given in layers], [list(map(call, side)) for side in ends]


def _ends(given: Any) -> list[list[Any]]:
    """(layer, node, tensor) of each input or output, in whatever structure they stand."""
    if isinstance(given, dict):
        given = list(given.values())
    if isinstance(given, list | tuple) and given and isinstance(given[0], str):
        return [list(given)]
    return [end for part in given for end in _ends(part)]


def _compiled(model: keras.Model) -> Any:
    config: Any = model.get_compile_config()
    optimizer: dict[str, Any] = config.pop("optimizer")
    if any(getattr(model.optimizer, name, None) for name in _EXCLUDED):
        raise OpaqueNetworkError
    rates = {key: value for key, value in optimizer["config"].items() if key != "name"}
    known = ("learning_rate", "weight_decay") if type(model.optimizer) in ELEMENTWISE else ("learning_rate",)
    # None is another program, and so is a schedule.
    varied: dict[str, Any] = {name: "varies" for name in known if isinstance(rates.get(name), float | int)}
    if isinstance(schedule(model.optimizer), keras.optimizers.schedules.CosineDecay):
        of_schedule = rates["learning_rate"]
        plain = of_schedule["config"] | {"initial_learning_rate": "varies", "name": ""}
        varied["learning_rate"] = of_schedule | {"config": plain}
    optimizer["config"] = rates | varied
    # What an optimizer has gathered is laid out as its network is.
    return _plain(optimizer), _plain(config), bool(model.optimizer.built)


def _plain(value: Any, call: Call | None = None) -> Any:
    """A configuration without what is read from the network itself.

    Raises:
        OpaqueNetworkError: it has an object that is not Keras's own.
    """
    if isinstance(value, list | tuple):
        return [_plain(part, call) for part in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("class_name")
    if kind is not None and kind not in _PLAIN and not re.match(r"keras(\.|$)", value.get("module") or ""):
        raise OpaqueNetworkError
    kept = {
        key: _plain(part, call)
        for key, part in value.items()
        if key not in _READ_FROM_THE_MODEL and not key.endswith("_initializer")
    }
    if isinstance(kept.get("name"), str):
        # Keras counts up the names of a process: the second `keras.metrics.AUC()` is auc_1.
        kept["name"] = re.sub(r"_\d+$", "", kept["name"])
    if call is not None and "keras_history" in kept:
        kept["keras_history"] = call(value["keras_history"])
    return kept
