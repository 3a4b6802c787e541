"""`model: network:` of a use case: a list of Keras layers, judged without Keras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ConfigDict, Field, model_validator

from afield.train.networks.catalogue import EXPORTED_ACTIVATIONS, EXPORTED_LAYERS, catalogue, judge, nearest
from afield.train.networks.exportable import uncarried, unexportable
from afield.usecase.base import Component, Problem
from afield.usecase.components import name_of

if TYPE_CHECKING:
    from pathlib import Path

    from afield.train.base import Task, Trainer
    from afield.usecase.model import UseCase


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
            "`units: classes` stands for the number of classes, `units: inputs` for that of the numbers that enter,"
            " `units: columns` for that of a step of a window. On text the first layer is dense."
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

    def lint_in(self, case: UseCase, folder: Path) -> Sequence[Problem]:
        """A first layer that does not fit the preprocessing, a last one that does not fit the question."""
        if case.question.kind == "group":
            return [Problem((), "a network does not answer `kind: group`; write `groups: {layers: [...]}`")]
        if case.question.kind == "abnormal" and any(name_of(step) == "text" for step in case.preprocess):
            message = "a network gives back numbers, not text; for `kind: abnormal` take `sklearn: IsolationForest`"
            return [Problem((), message)]
        known = catalogue()["layers"]
        if any(len(layer) != 1 or next(iter(layer)) not in known for layer in self.layers):
            return ()
        text = [name_of(step) for step in case.preprocess] == ["text"]
        carried = self._carried() if case.question.kind == "write" else ()
        return [*self._ends(case.question.kind, text), *carried]

    def open(self, task: Task) -> Trainer:
        """What fits this network to a task."""
        from afield.train.networks.trainer import NetworkTrainer

        return NetworkTrainer(self, task)

    def named(self) -> list[tuple[str, dict[str, Any]]]:
        """The layers as (name, arguments)."""
        return [(name, arguments or {}) for layer in self.layers for name, arguments in layer.items()]

    def _problems(self) -> Iterator[Problem]:
        known = catalogue()["layers"]
        for place, layer in enumerate(self.layers):
            if len(layer) != 1:
                yield Problem(
                    (place,),
                    f"expected one layer, found {len(layer)} keys; write each layer as its own `- name: {{...}}`",
                )
                continue
            ((name, arguments),) = layer.items()
            if name not in known:
                yield Problem((place, name), f'Keras has no layer "{name}"{nearest(name, known)}')
                continue
            wrong = list(self._arguments(place, name, arguments or {}, known[name]["arguments"]))
            yield from wrong
            # A value that is none of its kind has been named; what it would mean for the export says nothing more.
            if not wrong:
                yield from (Problem((place, name, at), said) for at, said in unexportable(name, arguments or {}))
            if name not in EXPORTED_LAYERS:
                expected = ", ".join(sorted(EXPORTED_LAYERS))
                yield Problem((place, name), f'layer "{name}" cannot be exported; expected one of {expected}')

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

    def _carried(self) -> Iterator[Problem]:
        for place, (name, arguments) in enumerate(self.named()):
            for path, message in uncarried(name, arguments):
                yield Problem((place, name, *path), message)

    def _ends(self, kind: str, text: bool) -> Iterator[Problem]:
        layers = self.named()
        first, arguments = layers[0]
        if text and first != "dense":
            yield Problem((0, first), f'the first layer on text must be "dense", found "{first}"')
        elif text and arguments.get("trainable") is False:
            yield Problem((0, first, "trainable"), "the first layer must be trainable")
        last, arguments = layers[-1]
        wanted = _LAST.get(kind)
        if wanted is None or any(_like(last, arguments, form) for form in wanted.forms):
            return
        yield Problem((len(layers) - 1, last), f"the last layer must give {wanted.what}")


@dataclass(frozen=True)
class _Last:
    """What the last layer must be for one kind of question: dense, with one of these forms of its arguments."""

    what: str
    forms: tuple[dict[str, Any], ...]


_LAST = {
    "classify": _Last(
        "one probability a class: `dense: {units: classes, activation: softmax}`",
        ({"activation": "softmax"}, {"units": 1, "activation": "sigmoid"}),
    ),
    "tag": _Last("one probability a tag: `dense: {units: classes, activation: sigmoid}`", ({"activation": "sigmoid"},)),
    "regress": _Last("one value: `dense: {units: 1}`", ({"units": 1},)),
    "abnormal": _Last(
        "what entered the first: `dense: {units: inputs}`, or at each step of a window `dense: {units: columns}`",
        ({"units": "inputs"}, {"units": "columns"}),
    ),
    "write": _Last(
        "one probability a character: `dense: {units: classes, activation: softmax}`", ({"activation": "softmax"},)
    ),
}


def _like(name: str, arguments: dict[str, Any], form: dict[str, Any]) -> bool:
    return name == "dense" and all(arguments.get(key) == value for key, value in form.items())
