"""A YAML text as plain values that remember where each of them was written."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import Node, ScalarNode
from ruamel.yaml.reader import ReaderError

from afield.usecase.base import Path
from afield.usecase.findings import Finding, InvalidUseCaseError, Place

MAX_BYTES = 1 << 18
"""A use case is a page or two; more than this is another file."""

MAX_VALUES = 20_000
"""Values after aliases are written out: a few short lines of aliases of aliases would be billions."""

_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Document:
    """The values of a use case and their places.

    Args:
        origin: the file as the person named it.
        data: mappings with text keys, lists and scalars.
        keys: path -> where its key, or its list item, starts.
        values: path -> where its value starts.
        overridden: path -> the override that gave the value.
    """

    origin: str
    data: Any
    keys: Mapping[Path, Place]
    values: Mapping[Path, Place]
    overridden: Mapping[Path, str] = field(default_factory=dict[Path, str])

    def place(self, path: Path) -> Place:
        """Where a value is written: a scalar itself, else the key it stands under; else what it would stand in."""
        prefixes = [path[:length] for length in range(len(path), -1, -1)]
        for part in prefixes:
            if part in self.overridden:
                return Place(self.overridden[part])
        if path in self.values and not isinstance(self.value(path), dict | list | None):
            return self.values[path]
        return next((self.keys[part] for part in prefixes if part in self.keys), Place(self.origin, 1, 1))

    def key_place(self, path: Path) -> Place:
        """Where the key at the end of a path is written."""
        place = self.place(path)
        return self.keys.get(path, place) if place.line else place

    def value(self, path: Path) -> Any:
        """The value at a path that exists."""
        value = self.data
        for part in path:
            value = value[part]
        return value


def parse(text: str, origin: str) -> Document:
    """Reads YAML 1.2.

    Args:
        text: the YAML.
        origin: how places name it.

    Raises:
        InvalidUseCaseError: it is not YAML, has a key twice, a tag, or more values than a use case can have.
    """
    node = _compose(text, origin)
    builder = _Builder(origin)
    data = None if node is None else builder.build(node, ())
    return Document(origin, data, builder.keys, builder.values)


def _compose(text: str, origin: str) -> Node | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)
            return YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        context = f"{error.context}, " if error.context else ""
        place = Place(origin, mark.line + 1, mark.column + 1) if mark else Place(origin, 1, 1)
        tab = "; indent with spaces, not tabs" if "'\\t'" in str(error.problem) else ""
        raise _invalid(place, f"not valid YAML: {context}{error.problem}{tab}") from None
    except ReaderError as error:
        before = text[: error.position]
        place = Place(origin, before.count("\n") + 1, error.position - before.rfind("\n"))
        raise _invalid(place, "a character that YAML does not allow; remove it or write it as an escape") from None
    except YAMLError as error:
        raise _invalid(Place(origin, 1, 1), f"not valid YAML: {error}") from None
    except RecursionError:
        raise _invalid(Place(origin, 1, 1), "nested too deeply for a use case") from None


class _Builder:
    """Turns the nodes of a YAML text into plain values, and notes where each stood."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.open: list[Node] = []
        self.scalars = YAML(typ="safe", pure=True).constructor

    def build(self, node: Node, path: Path) -> Any:
        if len(self.values) >= MAX_VALUES:
            raise self.invalid(node, f"more than {MAX_VALUES} values once aliases are written out; shorten it")
        if any(node is parent for parent in self.open):
            raise self.invalid(node, "an alias that stands for the value it is in; write the value out")
        self.values[path] = self.place(node)
        self.open.append(node)
        value = self.mapping(node, path) if node.tag == f"{_TAG}map" else self.other(node, path)
        self.open.pop()
        return value

    def mapping(self, node: Node, path: Path) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or key.tag == f"{_TAG}merge":
                raise self.invalid(
                    key, "a key must be a plain name; merge keys and keys of several values are not read"
                )
            name = self.text(key)
            inner = (*path, name)
            if name in built:
                first = self.keys[inner]
                raise self.invalid(key, f"the key '{name}' is already on line {first.line}; keep one of the two")
            self.keys[inner] = self.place(key)
            built[name] = self.build(value, inner)
        return built

    def other(self, node: Node, path: Path) -> Any:
        match node.tag.removeprefix(_TAG):
            case "seq":
                return self.sequence(node, path)
            case "str" | "timestamp":
                return self.text(node)
            case "int" | "float" | "bool" | "null":
                return self.scalar(node)
            case _:
                raise self.invalid(node, f"the tag {node.tag} is not read; write the value without it")

    def sequence(self, node: Node, path: Path) -> list[Any]:
        items: list[Any] = []
        for index, item in enumerate(node.value):
            self.keys[(*path, index)] = self.place(item)
            items.append(self.build(item, (*path, index)))
        return items

    def text(self, node: Node) -> str:
        """The text, with characters that were written as two escapes (as JSON does) put together."""
        try:
            return str(node.value).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise self.invalid(node, "half of a character, written as an escape; write the whole character") from None

    def scalar(self, node: Node) -> Any:
        try:
            return self.scalars.construct_object(node)
        except ValueError as error:  # digits without end
            raise self.invalid(node, f"a number that cannot be read: {error}") from None

    def place(self, node: Node) -> Place:
        return Place(self.origin, node.start_mark.line + 1, node.start_mark.column + 1)

    def invalid(self, node: Node, message: str) -> InvalidUseCaseError:
        return _invalid(self.place(node), message)


def _invalid(place: Place, message: str) -> InvalidUseCaseError:
    return InvalidUseCaseError([Finding(place, (), message)])
