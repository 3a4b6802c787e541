"""Turns what Pydantic says about a use case into findings in plain words, each at its line and column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

from afield.usecase.base import Path
from afield.usecase.document import Document
from afield.usecase.expected import either, expected, found
from afield.usecase.findings import Finding
from afield.usecase.schema import Schema, Step, at, is_choice, keys_of

_OWN_WORDS = {"value_error", "assertion_error", "one_only"}
"""Errors whose message the component wrote itself."""
_NAME = "[key]"
"""What Pydantic calls the key of a mapping from names."""


def explain(errors: Sequence[ErrorDetails], document: Document, schema: Schema) -> list[Finding]:
    """One finding for each value that is wrong, in the order in which they are written.

    Args:
        errors: what validation found.
        document: the use case as it was written.
        schema: JSON Schema of the use case.
    """
    located = [(error, steps_of(error["loc"], document.data)) for error in errors]
    paths = [written(steps) or error["loc"] for error, steps in located]
    findings: dict[Path, Finding] = {}
    meant: set[Path] = set()
    missing: set[Path] = set()
    for error, steps in located:
        path, key = written(steps), _key(error, steps)
        if error["type"] == "extra_forbidden":
            message, near = _unknown(steps, schema)
            if near:
                meant.add((*key[:-1], near))
            finding = Finding(document.key_place(key), key, message)
        elif error["type"] == "missing":
            message = f"missing; expected {expected(at(steps, schema), schema)}"
            missing.add(key)
            finding = Finding(document.key_place(path), key, message)
        elif error["loc"][-1:] == (_NAME,):
            message = f"expected a name of the form {error.get('ctx', {}).get('pattern')}; choose another"
            finding = Finding(document.key_place(path), path, message)
        elif _is_covered(error, path or key, steps, paths):
            continue
        else:
            finding = Finding(document.place(path), path or key, _value(error, steps, document, schema))
        findings.setdefault(finding.path, finding)
    for path in meant & missing:  # it stands there, misspelt
        del findings[path]
    return sorted(findings.values(), key=lambda finding: (finding.place.line or 0, finding.place.column or 0))


def booleans(document: Document, schema: Schema) -> list[Finding]:
    """Findings for `true` and `false` where only a number may stand, which Pydantic would read as 1 and 0."""
    findings: list[Finding] = []
    for path in [path for path, value in leaves(document.data, ()) if isinstance(value, bool)]:
        standing = at([Step(part) for part in path], schema)
        if {form.get("type") for form in standing} <= {"integer", "number", "null"}:
            message = f"expected {expected(standing, schema)}, found {found(document.value(path))}"
            findings.append(Finding(document.place(path), path, message))
    return findings


def leaves(data: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every value that is no mapping and no list, with its path."""
    if not isinstance(data, dict | list):
        yield path, data
        return
    for key, inner in data.items() if isinstance(data, dict) else enumerate(data):
        yield from leaves(inner, (*path, key))


def _key(error: ErrorDetails, steps: Sequence[Step]) -> Path:
    """The path with the key that the error is about; of a default nothing is written, and its location is the path."""
    path = written(steps)
    if not path:
        return error["loc"]
    return path if steps[-1].written else (*path, steps[-1].part)


def _is_covered(error: ErrorDetails, path: Path, steps: Sequence[Step], paths: Sequence[Path]) -> bool:
    """Whether an error deeper inside says it all: about the form that was meant, or the item that made a list short."""
    deeper = any(len(other) > len(path) and other[: len(path)] == path for other in paths)
    in_between = bool(steps) and not steps[-1].written
    return deeper and (in_between or error["type"] == "too_short")


def steps_of(location: Sequence[str | int], data: Any) -> list[Step]:
    """Marks which parts of a location stand in the data, and which a shorthand or a choice of types put in between."""
    steps: list[Step] = []
    for part in location:
        inside: Any = dict(enumerate(data)) if isinstance(data, list) else data
        here = isinstance(inside, dict) and part in inside
        data = inside[part] if here else data
        steps.append(Step(part, here))
    return steps


def written(steps: Sequence[Step]) -> Path:
    """The parts that stand in the data."""
    return tuple(step.part for step in steps if step.written)


def _value(error: ErrorDetails, steps: Sequence[Step], document: Document, schema: Schema) -> str:
    if error["type"] in _OWN_WORDS:
        return error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    value = document.value(written(steps))
    there = f"a list of {len(value)}" if error["type"] == "too_long" else found(value)
    return f"expected {expected(at(steps, schema), schema)}, found {there}"


def _unknown(steps: Sequence[Step], schema: Schema) -> tuple[str, str | None]:
    """What to say about a key that is not known, and the key that was probably meant."""
    key, standing = str(steps[-1].part), at(steps[:-1], schema)
    known = keys_of(standing)
    noun = next((str(choice["title"]) for choice in standing if is_choice(choice)), "key")
    sections = [name for name in schema["properties"] if key in keys_of(at([Step(name)], schema))]
    if len(steps) == 1 and sections:
        return f"unknown key; it stands under '{sections[0]}'", None
    near = get_close_matches(key, known, n=1, cutoff=0.7)
    if near:
        return f"unknown {noun}; did you mean '{near[0]}'?", near[0]
    return f"unknown {noun}; expected {either([repr(name) for name in known]) or 'none'}", None
