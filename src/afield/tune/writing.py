"""Puts found values into the text of a use case, and leaves everything else in it as it was written."""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, Node

from afield.errors import StateError, UseCaseError
from afield.usecase.base import Path
from afield.usecase.document import parse
from afield.usecase.load import LoadedUseCase
from afield.usecase.searches import Decide, settled


def applied(loaded: LoadedUseCase, decide: Decide) -> str:
    """The text of a use case with a value in place of each search: comments, order and layout stay.

    Args:
        loaded: the use case, with searches in it.
        decide: says which value.

    Raises:
        UseCaseError: a search does not stand in the file.
    """
    outer = [dimension.path for dimension in loaded.space if not dimension.inner]
    for name in unwritten(loaded):
        raise UseCaseError(
            f"--apply: the search of {name} is given by --set and does not stand in {loaded.path}; write it there"
        )
    found = settled(loaded.document, decide)
    text = loaded.text
    root = YAML(typ="safe", pure=True).compose(text)
    nodes = [(_node(root, path), found.value(path)) for path in outer]
    for node, value in sorted(nodes, key=lambda pair: -pair[0].start_mark.index):
        start, end = node.start_mark.index, _end(text, node)
        text = text[:start] + _written(node, value) + text[end:]
    written = settled(parse(loaded.text, loaded.document.origin), decide).data
    if parse(text, loaded.document.origin).data != written:
        raise StateError(
            f"{loaded.path}: the values cannot be put into its layout; write each search as {{search: [...]}} on a line"
        )
    return text


def unwritten(loaded: LoadedUseCase) -> list[str]:
    """The searches that were given on the command line, and do not stand in the file."""
    outer = [dimension.path for dimension in loaded.space if not dimension.inner]
    return [".".join(map(str, path)) for path in outer if loaded.document.place(path).line is None]


def _node(root: Any, path: Path) -> CollectionNode:
    for part in path:
        if isinstance(part, int):
            root = root.value[part]
        else:
            root = next(value for key, value in root.value if key.value == part)
    return root


def _end(text: str, node: Node) -> int:
    """Where a node's own text ends: a block's mark stands where the next one begins."""
    last = node
    while isinstance(last, CollectionNode) and last.value and not last.flow_style:
        inner = last.value[-1]
        last = inner[1] if isinstance(inner, tuple) else inner
    return last.end_mark.index


def _written(node: CollectionNode, value: Any) -> str:
    yaml, out = YAML(), io.StringIO()
    yaml.width = 1 << 16
    if isinstance(value, dict | list) and not node.flow_style:
        yaml.default_flow_style = None  # what holds plain values alone stands on one line
        yaml.dump(value, out)
        return out.getvalue().rstrip("\n").replace("\n", "\n" + " " * node.start_mark.column)
    yaml.default_flow_style = True
    yaml.dump(value, out)
    # A plain value ends a document of its own.
    return out.getvalue().removesuffix("...\n").rstrip("\n")
