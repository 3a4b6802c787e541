"""`model: network:` of a use case: a list of Keras layers, judged without Keras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ConfigDict, Field, model_validator

from afield.train.networks.catalogue import EXPORTED_ACTIVATIONS, EXPORTED_LAYERS, catalogue, judge, nearest
from afield.usecase.base import Component, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from afield.train.base import Trainer
    from afield.usecase.training import Train


def _or_a_list(schema: dict[str, Any]) -> None:
    """Lets JSON Schema allow what `_from_list` reads: the list of layers without `layers:`."""
    layers = schema["properties"]["layers"]
    mapping = {key: schema.pop(key) for key in ("type", "properties", "required", "additionalProperties")}
    schema["anyOf"] = [{**layers, "items": {"anyOf": [layers["items"], {"type": "string"}]}}, mapping]


class Network(Component):
    """A neural network as a list of Keras layers."""

    model_config = ConfigDict(json_schema_extra=_or_a_list)

    summary: ClassVar[str] = "A neural network: a list of Keras layers, by their names in snake case."

    layers: list[dict[str, dict[str, Any] | None]] = Field(
        description=(
            "Keras layers from the input to the answer, each by its name in snake case with Keras's own arguments. "
            "`units: classes` stands for the number of classes. On text the first layer is dense."
        ),
        examples=[[{"dense": {"units": 512, "activation": "relu"}}, {"dense": {"units": "classes"}}]],
        min_length=1,
    )

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        if isinstance(value, list):
            return {"layers": [{layer: None} if isinstance(layer, str) else layer for layer in value]}
        return value

    def lint(self) -> Sequence[Problem]:
        """Layers that Keras does not have, arguments that do not fit, and what cannot be exported."""
        return [*self._problems()]

    def open(self, train: Train, classes: Sequence[str], checkpoints: Path | None, identity: str) -> Trainer:
        """What fits this network.

        Args:
            train: how to fit.
            classes: names of the classes.
            checkpoints: folder in which an interrupted training is kept, or None.
            identity: what must be equal for an interrupted training to go on.
        """
        from afield.train.networks.trainer import NetworkTrainer

        return NetworkTrainer(self, train, classes, checkpoints, identity)

    def named(self) -> list[tuple[str, dict[str, Any]]]:
        """The layers as (name, arguments)."""
        return [(name, arguments or {}) for layer in self.layers for name, arguments in layer.items()]

    def _problems(self) -> Iterator[Problem]:
        known = catalogue()["layers"]
        sound = True
        for place, layer in enumerate(self.layers):
            if len(layer) != 1:
                sound = False
                yield Problem(
                    (place,),
                    f"expected one layer, found {len(layer)} keys; write each layer as its own `- name: {{...}}`",
                )
                continue
            ((name, arguments),) = layer.items()
            if name not in known:
                sound = False
                yield Problem((place, name), f'Keras has no layer "{name}"{nearest(name, known)}')
                continue
            yield from self._arguments(place, name, arguments or {}, known[name]["arguments"])
            if name not in EXPORTED_LAYERS:
                yield Problem(
                    (place, name),
                    f'layer "{name}" cannot be exported from one vector a record;'
                    f" expected one of {', '.join(sorted(EXPORTED_LAYERS))}",
                )
        if sound:
            yield from self._ends()

    def _arguments(
        self, place: int, name: str, given: dict[str, Any], known: dict[str, dict[str, Any]]
    ) -> Iterator[Problem]:
        for argument, value in given.items():
            if argument not in known:
                yield Problem(
                    (place, name, argument), f'layer "{name}" has no argument "{argument}"{nearest(argument, known)}'
                )
                continue
            kind = known[argument]["kind"]
            expected = judge(value, kind)
            if expected:
                yield Problem((place, name, argument), f"expected {expected}, found {value!r}")
            elif kind == "activation" and value is not None and value not in EXPORTED_ACTIVATIONS:
                yield Problem((place, name, argument), f'activation "{value}" cannot be exported')
        for argument, entry in known.items():
            if entry.get("required") and argument not in given:
                yield Problem((place, name), f'layer "{name}" needs the argument "{argument}"')

    def _ends(self) -> Iterator[Problem]:
        layers = self.named()
        first, arguments = layers[0]
        if first != "dense":
            yield Problem((0, first), f'the first layer on text must be "dense", found "{first}"')
        elif arguments.get("trainable") is False:
            yield Problem((0, first, "trainable"), "the first layer must be trainable")
        last, arguments = layers[-1]
        place = len(layers) - 1
        if last != "dense" or arguments.get("activation") != "softmax":
            message = "the last layer must give one probability a class: `dense: {units: classes, activation: softmax}`"
            yield Problem((place, last), message)
