"""Values given on the command line, `--set train.epochs=10`, put in place of what the file says."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from afield.usecase.base import Path
from afield.usecase.document import Document, parse
from afield.usecase.findings import Finding, InvalidUseCaseError, Place, dotted


def override(document: Document, overrides: Sequence[str]) -> Document:
    """The document with each `path=value` put in, in order.

    A path is keys and list indices joined by dots; in a list of one-key mappings the key may stand for the index
    (`preprocess.text.min_df`). The value is YAML.

    Raises:
        InvalidUseCaseError: one of them cannot be read, or its path leads through a plain value.
    """
    root = {"": copy.deepcopy(document.data if document.data is not None else {})}
    overridden = dict(document.overridden)
    for text in overrides:
        origin = f"--set {text}"
        keys, separator, value = text.partition("=")
        if not separator or not all(keys.split(".")):
            raise _invalid(origin, "expected KEY=VALUE, such as --set train.epochs=10")
        try:
            written = parse(value, origin).data
        except InvalidUseCaseError as refused:
            raise _invalid(origin, refused.findings[0].message) from None
        path = _put(root, keys.split("."), written, origin)
        overridden = {known: by for known, by in overridden.items() if known[: len(path)] != path}
        overridden[path] = origin
    return replace(document, data=root[""], overridden=overridden)


def _put(root: dict[str, Any], keys: list[str], value: Any, origin: str) -> Path:
    """Sets the value and returns its path; mappings on the way that are not there yet are made."""
    holder: Any = root
    last: str | int = ""
    path: list[str | int] = []
    for key in keys:
        below: Any = holder[last]
        if below is None or below == key:
            below = {} if below is None else {key: {}}
            holder[last] = below
        if isinstance(below, list):
            index = _index(below, key, path, origin)
            path.append(index)
            holder, last = below, index
            if key.isdigit():
                continue
            below = below[index]
        if not isinstance(below, dict):
            raise _invalid(origin, f"{dotted(tuple(path))} is {below!r}, which has no '{key}' in it; set it as a whole")
        path.append(key)
        holder, last = below, key
        holder.setdefault(key, None)
    holder[last] = value
    return tuple(path)


def _index(items: list[Any], key: str, path: list[str | int], origin: str) -> int:
    """Which item of a list is meant; one that is only a name becomes a mapping, so that something can be set in it."""
    if key.isdigit():
        if int(key) < len(items):
            return int(key)
        raise _invalid(origin, f"{dotted(tuple(path))} has {len(items)} items, counted from 0; there is no {key}")
    for index, item in enumerate(items):
        if item == key:
            items[index] = {key: {}}
        if isinstance(items[index], dict) and key in items[index]:
            return index
    raise _invalid(origin, f"{dotted(tuple(path))} has no item '{key}'; name one of its {len(items)} items")


def _invalid(origin: str, message: str) -> InvalidUseCaseError:
    return InvalidUseCaseError([Finding(Place(origin), (), message)])
