"""JSON Schema of usecase.yaml: for editors, for the reference page, and for saying what a value should have been."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from afield.usecase.model import UseCase

Schema = dict[str, Any]


class Step(NamedTuple):
    """One part of a location: a key or an index, and whether it is in the file or only implied by a shorthand."""

    part: str | int
    written: bool = True


def json_schema() -> Schema:
    """JSON Schema 2020-12 of a use case with every component that is installed here."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **UseCase.model_json_schema()}


def alternatives(schema: Schema, root: Schema) -> list[Schema]:
    """The schemas that a value may follow: references resolved, `anyOf` and `oneOf` laid side by side."""
    if "$ref" in schema:
        target = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        return alternatives({**target, **{key: value for key, value in schema.items() if key != "$ref"}}, root)
    either = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    shared = {"examples": schema["examples"]} if "examples" in schema else {}
    return [found for inner in either for found in alternatives({**shared, **inner}, root)] if either else [schema]


def at(steps: Sequence[Step], root: Schema) -> list[Schema]:
    """What may stand at a location; steps that the schema does not know are passed over."""
    standing = alternatives(root, root)
    for step in steps:
        below = [found for schema in standing for inner in _below(schema, step) for found in alternatives(inner, root)]
        standing = below or standing
    return standing


def _below(schema: Schema, step: Step) -> Iterator[Schema]:
    named = of_any_name(schema)
    if step.part in schema.get("properties", {}):
        yield schema["properties"][step.part]
    elif step.written and isinstance(step.part, str) and named is not None:
        yield named
    if isinstance(step.part, int):
        prefix = schema.get("prefixItems", [])
        items = prefix[step.part] if step.part < len(prefix) else schema.get("items")
        if isinstance(items, dict):
            yield items


def of_any_name(schema: Schema) -> Schema | None:
    """What may stand under the keys of a mapping whose names are free; None where they are not."""
    for found in (*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")):
        if isinstance(found, dict):
            return found
    return None


def keys_of(standing: Sequence[Schema]) -> list[str]:
    """The keys a mapping may have."""
    return [key for schema in standing for key in schema.get("properties", {})]


def is_choice(schema: Schema) -> bool:
    """Whether a mapping has exactly one key, which says which of several it is."""
    return schema.get("maxProperties") == 1 and "properties" in schema
