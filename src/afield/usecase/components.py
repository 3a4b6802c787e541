"""Finds the components of a use case by entry point: those that come with Afield and a third party's alike."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from afield.usecase.base import Component
from afield.usecase.choice import Choice, choice, spelt_out

GROUPS: Mapping[str, str] = {
    "source": "afield.sources",
    "step": "afield.steps",
    "model": "afield.models",
    "trigger": "afield.triggers",
    "sink": "afield.sinks",
}
"""What a component is called -> the entry-point group that names it."""


@dataclass(frozen=True)
class Offer:
    """What one entry-point group offers.

    Args:
        found: name -> class, in the order of the names.
        broken: name -> why it cannot be used.
    """

    found: Mapping[str, type[Component]]
    broken: Mapping[str, str]


@cache
def offered(noun: str) -> Offer:
    """All components of one kind; one that fails to import is kept apart and breaks no other.

    Args:
        noun: a key of `GROUPS`.
    """
    found: dict[str, type[Component]] = {}
    broken: dict[str, str] = {}
    first: dict[str, importlib.metadata.EntryPoint] = {}
    for entry in sorted(importlib.metadata.entry_points(group=GROUPS[noun]), key=lambda entry: entry.name):
        other = first.setdefault(entry.name, entry)
        if other.value != entry.value:
            found.pop(entry.name, None)
            broken[entry.name] = f"comes with both {_package(other)} and {_package(entry)}; uninstall one of them"
            continue
        try:
            found[entry.name] = _load(entry)
        except Exception as error:  # whatever a third party's module raises while it is imported
            broken[entry.name] = (
                f"comes with {_package(entry)}, which cannot be loaded ({type(error).__name__}: {error}); "
                "reinstall or remove that package"
            )
    return Offer(found, broken)


def _load(entry: importlib.metadata.EntryPoint) -> type[Component]:
    loaded = entry.load()
    if not (isinstance(loaded, type) and issubclass(loaded, Component)):
        raise TypeError(f"{entry.value} is not a subclass of afield.usecase.base.Component")
    return loaded


def _package(entry: importlib.metadata.EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unnamed package"


def name_of(component: Component) -> str:
    """The name that a component is written with in a use case."""
    for noun in GROUPS:
        for name, kind in offered(noun).found.items():
            if kind is type(component):
                return name
    raise LookupError(f"{type(component).__name__} is not named by an entry point")


def answer_columns(source: Component) -> list[str]:
    """The columns that hold the known answer of a source: no model is to see them."""
    label: Any = getattr(source, "label", None)
    if label is None:
        return []
    return [label] if isinstance(label, str) else list(label.columns)


@dataclass(frozen=True)
class OneOf:
    """Annotation of a field that holds one component: written `{name: arguments}`, read as the component itself.

    Args:
        noun: a key of `GROUPS`.
    """

    noun: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        offer = offered(self.noun)
        mapping = handler.generate_schema(choice(self.noun, offer.found, offer.broken))

        def chosen(value: Choice) -> Component:
            return value.chosen()

        def dumped(component: Component, info: core_schema.SerializationInfo) -> dict[str, Any]:
            written = component.model_dump(
                mode=info.mode, exclude_unset=info.exclude_unset, by_alias=bool(info.by_alias)
            )
            return {name_of(component): written}

        return core_schema.no_info_before_validator_function(
            spelt_out,
            core_schema.no_info_after_validator_function(chosen, mapping),
            serialization=core_schema.plain_serializer_function_ser_schema(dumped, info_arg=True),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        mapping = handler(schema)
        bare = [name for name, kind in offered(self.noun).found.items() if not _required(kind)]
        return {"anyOf": [mapping, {"type": "string", "enum": bare}]} if bare else mapping


def _required(kind: type[BaseModel]) -> bool:
    return any(declared.is_required() for declared in kind.model_fields.values())
