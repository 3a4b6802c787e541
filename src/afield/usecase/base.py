"""What every component of a use case is declared with: a strict model, found by entry point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

Path = tuple[str | int, ...]
"""Where a value stands in the use case: keys and list indices from the root of the component."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a value of a use case.

    Args:
        path: where it stands, relative to the component that reports it.
        message: what was expected, what was found, what to do; one line.
        severity: "error" stops the command, "warning" is only shown.
    """

    path: Path
    message: str
    severity: str = "error"


class Declared(BaseModel):
    """A part of a use case: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Component(Declared):
    """A part that can be swapped: a source, a step, a model, a trigger or a sink.

    Subclasses declare their fields (each with description and examples) and are named by an entry point of the group
    `afield.sources`, `afield.steps`, `afield.models`, `afield.triggers` or `afield.sinks`. The module of a subclass
    imports nothing heavy: the work is imported where it is done.
    """

    summary: ClassVar[str] = ""
    """One line for the reference page."""

    def lint(self) -> Sequence[Problem]:
        """Problems that types alone cannot say, found without reading data."""
        return ()

    def lint_in(self, case: Any, folder: FilePath) -> Sequence[Problem]:
        """Problems that depend on the rest of the use case, or on the files beside it.

        Args:
            case: the use case, `afield.usecase.model.UseCase`.
            folder: that relative paths in it start from.
        """
        return ()


def or_alone(field: str) -> Any:
    """What lets JSON Schema allow the value of one field in the place of the component's whole mapping.

    Args:
        field: its name; the component reads the value alone too.
    """

    def allow(schema: dict[str, Any]) -> None:
        alone = schema["properties"][field]
        mapping = {key: schema.pop(key) for key in _MAPPING if key in schema}
        schema["anyOf"] = [alone, mapping]

    return allow


_MAPPING = ("type", "properties", "required", "additionalProperties")


def shorthand(name: str) -> Any:
    """A validator that lets `name: VALUE` be written for a mapping with one field."""

    def expand(value: Any) -> Any:
        return value if isinstance(value, dict | BaseModel) or value is None else {name: value}

    return expand
