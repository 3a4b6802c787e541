"""Searches in a use case: `{search: [a, b]}` or `{range: [low, high]}` where a value would stand, for `afield tune`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from afield.usecase.base import Path
from afield.usecase.document import Document
from afield.usecase.expected import found, shown
from afield.usecase.findings import Finding, Place, dotted

FIXED: Mapping[str, str] = {
    "name": "it names the use case",
    "question": "trials answer the same question",
    "source": "trials learn from the same records",
    "models": "`afield tune` searches `model`; put what is searched there",
    "trigger": "it has no effect on the score",
    "sink": "it has no effect on the score",
    "train.split": "trials are compared on the same rows",
    "train.seed": "trials are compared on the same rows, which it draws",
    "train.metrics": "it has no effect on the score",
    "train.device": "it has no effect on the score",
    "train.baseline_rows": "it has no effect on the score",
}
"""What a search cannot vary, and why."""


@dataclass(frozen=True)
class Dimension:
    """One value that is searched for.

    Args:
        name: its path as `--set` writes it; in an alternative of another search, with the number of that alternative:
            `train.optimizer[1].sgd.momentum`.
        path: of the search in the document.
        choices: the alternatives, as they are written; empty for a range.
        bounds: lowest and highest value, both included; whole numbers where only whole ones are meant.
        log: whether the logarithm of the value is searched evenly.
    """

    name: str
    path: Path
    choices: tuple[Any, ...] = ()
    bounds: tuple[float, float] | None = None
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether the values are whole numbers."""
        return self.bounds is not None and all(isinstance(bound, int) for bound in self.bounds)

    @property
    def inner(self) -> bool:
        """Whether it stands in an alternative of another search."""
        return "search" in self.path

    @property
    def ends(self) -> Sequence[float]:
        """Decisions that reach every value it is written with: each alternative's number, or both bounds."""
        return range(len(self.choices)) if self.bounds is None else self.bounds


Decide = Callable[[Dimension], Any]
"""A dimension -> the number of the alternative, or the value in the range."""


def first(dimension: Dimension) -> Any:
    """The first alternative, or the lower bound."""
    return dimension.ends[0]


def settled(document: Document, decide: Decide) -> Document:
    """The document with a value in place of each search; each value keeps the place where it is written.

    Args:
        document: whose searches are well formed.
        decide: says which value; asked about a search inside an alternative only where that alternative was taken.
    """
    settling = _Settling(document, decide)
    data = settling.build(document.data, (), (), "")
    return replace(document, data=data, keys=settling.keys, values=settling.values, overridden=settling.overridden)


def asked(document: Document, decided: Mapping[str, Any]) -> list[Dimension]:
    """The searches that stand in the document once some are decided, in the order in which they are written.

    Args:
        document: whose searches are well formed.
        decided: name -> decision; of all others the first alternative is taken.
    """
    found: list[Dimension] = []

    def decide(dimension: Dimension) -> Any:
        found.append(dimension)
        return decided.get(dimension.name, first(dimension))

    settled(document, decide)
    return found


def corners(document: Document) -> Iterator[Mapping[str, Any]]:
    """Decisions that together show each alternative and each bound; none at first, for the first of each."""
    known: set[str] = set()
    waiting: list[dict[str, Any]] = [{}]
    while waiting:
        decided = waiting.pop(0)
        yield decided
        for dimension in asked(document, decided):
            if dimension.name not in known:
                known.add(dimension.name)
                waiting += [decided | {dimension.name: end} for end in dimension.ends[1:]]


def misplaced(document: Document) -> list[Finding]:
    """Searches that are not well formed, or stand where nothing can vary."""
    findings: list[Finding] = []
    for path, node in _searches(document.data, ()):
        name = dotted(tuple(part for part in path if part != "search"))
        held = next((why for where, why in FIXED.items() if _within(name, where) or _within(where, name)), None)
        message = f"a search over a value that cannot vary: {held}; write one value" if held else wrong(node)
        if message:
            findings.append(Finding(_place(document, path), path, message))
    return findings


def still_open(document: Document, space: Sequence[Dimension], folder: str) -> list[Finding]:
    """A finding for each search, for commands that need values.

    Args:
        document: as it is written.
        space: its searches.
        folder: of the use case.
    """
    return [
        Finding(
            _place(document, dimension.path),
            (dimension.name,),
            f"a search, not yet a value; `afield tune {folder}` finds one, or give it: --set {dimension.name}=VALUE",
        )
        for dimension in space
        if not dimension.inner
    ]


@dataclass(frozen=True)
class _Settling:
    document: Document
    decide: Decide
    keys: dict[Path, Place] = field(default_factory=dict[Path, Place])
    values: dict[Path, Place] = field(default_factory=dict[Path, Place])
    overridden: dict[Path, str] = field(default_factory=dict[Path, str])

    def build(self, node: Any, old: Path, new: Path, name: str) -> Any:
        """What stands at `old` in the document, settled; it will stand at `new`."""
        self.placed(old, new)
        if old and _is_search(node):
            return self.decided(_dimension(node, old, name), old, new)
        if isinstance(node, dict):
            return {key: self.below(inner, key, old, new, name) for key, inner in node.items()}
        if isinstance(node, list):
            return [self.below(inner, index, old, new, name) for index, inner in enumerate(node)]
        return node

    def below(self, node: Any, key: str | int, old: Path, new: Path, name: str) -> Any:
        if (*old, key) in self.document.keys:
            self.keys[(*new, key)] = self.document.keys[(*old, key)]
        return self.build(node, (*old, key), (*new, key), f"{name}.{key}" if name else str(key))

    def decided(self, dimension: Dimension, old: Path, new: Path) -> Any:
        decided = self.decide(dimension)
        if dimension.bounds is None:
            taken = dimension.choices[decided]
            return self.build(taken, (*old, "search", decided), new, f"{dimension.name}[{decided}]")
        if decided in dimension.bounds:
            self.placed((*old, "range", dimension.bounds.index(decided)), new)
        return decided

    def placed(self, old: Path, new: Path) -> None:
        if old in self.document.values:
            self.values[new] = self.document.values[old]
        if old in self.document.overridden:
            self.overridden[new] = self.document.overridden[old]


def _dimension(node: dict[str, Any], path: Path, name: str) -> Dimension:
    if "search" in node:
        return Dimension(name, path, choices=tuple(node["search"]))
    low, high = node["range"]
    return Dimension(name, path, bounds=(low, high), log=node.get("log", False))


def _is_search(node: Any) -> bool:
    return isinstance(node, dict) and set(node) in ({"search"}, {"range"}, {"range", "log"})


def _searches(node: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    if path and _is_search(node):
        yield path, node
    if isinstance(node, dict | list):
        for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _searches(inner, (*path, key))


def _within(name: str, where: str) -> bool:
    return f"{name}.".startswith(f"{where}.")


def _place(document: Document, path: Path) -> Place:
    place = document.place(path)
    return place if place.line is None else document.values.get(path, place)


def wrong(node: Mapping[str, Any]) -> str:
    """What is wrong with a search, as a mapping with `search`, or with `range` and `log`; nothing where all is well."""
    return _wrong_choices(node["search"]) if "search" in node else _wrong_range(node["range"], node.get("log", False))


def _wrong_choices(choices: Any) -> str:
    if not isinstance(choices, list):
        return f"search: expected a list of the values to try, found {found(choices)}"
    if len(choices) < 2:
        return f"search: expected at least two values to try, found {len(choices)}; add others, or write one value"
    seen: set[str] = set()
    for choice in choices:
        # 1, 1.0 and true are equal in Python, and three values in a file.
        if repr(choice) in seen:
            return f"search: the value {shown(choice)} stands in it twice; write each once"
        seen.add(repr(choice))
    return ""


def _wrong_range(bounds: Any, log: Any) -> str:
    numbers = isinstance(bounds, list) and all(_is_number(bound) for bound in bounds)
    if not numbers or len(bounds) != 2:
        return "range: expected two numbers, [low, high]; for a list of values write {search: [...]}"
    low, high = bounds
    if not low < high:
        return f"range: an empty range, expected the first number below the second, found {low} and {high}"
    if not isinstance(log, bool):
        return f"log: expected true or false, found {found(log)}"
    if log and low <= 0:
        return f"range: with `log: true` it must begin above 0, found {low}"
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
