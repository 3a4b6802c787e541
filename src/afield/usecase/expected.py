"""Says in plain words what a JSON Schema allows, and what was found instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from afield.usecase.schema import Schema, alternatives, is_choice, of_any_name

_LONGEST_SHOWN = 60


def expected(standing: Sequence[Schema], root: Schema) -> str:
    """What may stand here: "a whole number of at least 1", "'random', 'time' or 'group'"."""
    choices = [schema for schema in standing if is_choice(schema)]
    words: list[str] = []
    for schema in choices or standing:
        words += [f"'{value}'" if isinstance(value, str) else shown(value) for value in _values(schema)]
    for schema in choices or standing:
        if not _values(schema) and schema.get("type") != "null":
            words.append(_word(schema, root))
    return either(list(dict.fromkeys(words))) or "nothing"


def _values(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _word(schema: Schema, root: Schema) -> str:
    match schema.get("type"):
        case "integer":
            return f"a whole number{_bounds(schema)}"
        case "number":
            return f"a number{_bounds(schema)}"
        case "boolean":
            return "true or false"
        case "string":
            return _text(schema)
        case "array":
            return _list(schema, root)
        case "object":
            return _mapping(schema, root)
        case _:
            return "any value"


def _text(schema: Schema) -> str:
    if "pattern" not in schema:
        return "text"
    example = f", such as '{schema['examples'][0]}'" if schema.get("examples") else ""
    return f"text of the form {schema['pattern']}{example}"


def _list(schema: Schema, root: Schema) -> str:
    if "prefixItems" in schema:
        items = [expected(alternatives(item, root), root) for item in schema["prefixItems"]]
        return f"a list of {len(items)} ({', '.join(items)})"
    item = expected(alternatives(schema.get("items") or {}, root), root)
    if schema.get("minItems") == schema.get("maxItems") == 1:
        return f"a list with {item}"
    least = f" of at least {schema['minItems']}" if schema.get("minItems") else ""
    return f"a list{least}, each item {item}"


def _mapping(schema: Schema, root: Schema) -> str:
    if is_choice(schema):
        return f"one {schema['title']} ({either([repr(name) for name in schema['properties']])})"
    named = of_any_name(schema)
    if named is not None:
        return f"a mapping from names to {expected(alternatives(named, root), root)}"
    return "a mapping"


def _bounds(schema: Schema) -> str:
    words = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minimum", "of at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "of at most"),
            ("exclusiveMaximum", "below"),
        )
        if key in schema
    ]
    return f" {' and '.join(words)}" if words else ""


def found(value: Any) -> str:
    """What a value is: "the text 'ten'", "0", "a list"."""
    match value:
        case dict():
            return "a mapping" if value else "an empty mapping"
        case list():
            return "a list" if value else "an empty list"
        case str():
            return f"the text '{shown(value)}'"
        case None:
            return "nothing"
        case _:
            return shown(value)


def shown(value: Any) -> str:
    """A value as YAML writes it, cut where it is long."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."


def either(words: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
