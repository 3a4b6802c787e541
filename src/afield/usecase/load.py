"""Reads a use case: the file, what the command line puts in its place, and everything that is wrong with it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any, Protocol, runtime_checkable

from pydantic import ValidationError
from ruamel.yaml import YAML

from afield.errors import UseCaseError
from afield.usecase.base import Component, Declared, Path, Problem
from afield.usecase.components import name_of
from afield.usecase.document import MAX_BYTES, Document, parse
from afield.usecase.explain import booleans, explain, steps_of, written
from afield.usecase.findings import Finding, InvalidUseCaseError, Place
from afield.usecase.model import NAME_PATTERN, UseCase
from afield.usecase.overrides import override
from afield.usecase.schema import json_schema
from afield.usecase.searches import Decide, Dimension, asked, corners, first, misplaced, settled, still_open

FILE_NAME = "usecase.yaml"


@dataclass(frozen=True)
class LoadedUseCase:
    """A use case without errors.

    Args:
        model: what it declares; with the first value of each search in its place.
        name: its name, or its folder's.
        folder: the folder that relative paths in it start from.
        path: its file.
        text: the file as it is written.
        overrides: what was put in place of the file's values.
        warnings: what is doubtful in it.
        document: the file with the overrides in it, its searches as they are written.
        space: the searches.
    """

    model: UseCase
    name: str
    folder: FilePath
    path: FilePath
    text: str
    overrides: tuple[str, ...]
    warnings: tuple[Finding, ...]
    document: Document
    space: tuple[Dimension, ...] = ()

    def at(self, decide: Decide) -> LoadedUseCase:
        """The use case with a value in place of each search.

        Raises:
            UseCaseError: the values do not go together.
        """
        document = settled(self.document, decide)
        model, findings = _checked(document, self.path)
        outer = [dimension for dimension in self.space if not dimension.inner]
        given = [f"{dimension.name}={json.dumps(document.value(dimension.path))}" for dimension in outer]
        return replace(
            self,
            model=model,
            overrides=(*self.overrides, *given),
            warnings=tuple(findings),
            document=document,
            space=(),
        )

    def refuse_searches(self) -> None:
        """For what needs a value in place of each search.

        Raises:
            UseCaseError: there are searches; the text lists them with line and column.
        """
        if self.space:
            raise InvalidUseCaseError(still_open(self.document, self.space, str(self.folder)))

    @property
    def resolved(self) -> str:
        """The text with the overrides in it; as it is written where there are none."""
        if not self.overrides:
            return self.text
        values = self.model.model_dump(mode="json", exclude_unset=True, by_alias=True)
        out = io.StringIO()
        yaml = YAML()
        yaml.dump(values, out)
        return f"# {self.path.name} with {', '.join(self.overrides)}\n{out.getvalue()}"


def load(path: FilePath | str, overrides: Sequence[str] = ()) -> LoadedUseCase:
    """Reads and checks a use case.

    Args:
        path: its folder, or its file.
        overrides: values put in place of the file's: "train.epochs=10".

    Raises:
        UseCaseError: it cannot be read, or has errors; the text lists all of them with line and column.
    """
    file, text = _read(FilePath(path))
    document = override(parse(text, str(file)), overrides)
    if wrong := misplaced(document):
        raise InvalidUseCaseError(wrong)
    model, warnings, space = _searched(document, file)
    name = model.name or file.resolve().parent.name
    return LoadedUseCase(model, name, file.parent, file, text, tuple(overrides), warnings, document, space)


def check(path: FilePath | str, overrides: Sequence[str] = ()) -> list[Finding]:
    """Everything that is wrong or doubtful in a use case; nothing where there is nothing.

    Raises:
        UseCaseError: there is no use case that could be read.
    """
    try:
        return list(load(path, overrides).warnings)
    except InvalidUseCaseError as invalid:
        return list(invalid.findings)


def _read(path: FilePath) -> tuple[FilePath, str]:
    file = path / FILE_NAME if path.is_dir() else path
    if not path.exists():
        raise UseCaseError(f"{path}: no such folder or file; `afield new logs {path}` makes a use case there")
    if not file.exists():
        raise UseCaseError(
            f"{path}: no {FILE_NAME} in this folder; `afield new logs NEW_FOLDER` makes one to start from"
        )
    try:
        size = file.stat().st_size
        content = file.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise UseCaseError(f"{file}: cannot be read: {error.strerror}") from None
    if size > MAX_BYTES:
        raise UseCaseError(
            f"{file}: {size} bytes is too large for a use case, at most {MAX_BYTES}; is it another file?"
        )
    try:
        return file, content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        place = Place(str(file), line, column)
        raise InvalidUseCaseError([Finding(place, (), "a byte that is not UTF-8; save the file as UTF-8")]) from None


def _searched(document: Document, file: FilePath) -> tuple[UseCase, tuple[Finding, ...], tuple[Dimension, ...]]:
    """The use case with the first value of each search, what is doubtful in it, and the searches.

    Every value that a search names is put in its place once, so that one that does not fit is an error here.
    """
    models: list[UseCase] = []
    findings: dict[str, Finding] = {}
    space: dict[str, Dimension] = {}
    for decided in corners(document):
        there = asked(document, decided)
        ends = {dimension.name: decided.get(dimension.name, first(dimension)) for dimension in there}
        try:
            model, found = _checked(settled(document, lambda dimension, ends=ends: ends[dimension.name]), file)
            models.append(model)
        except InvalidUseCaseError as invalid:
            found = invalid.findings
        findings |= {str(finding): finding for finding in found}
        space |= {dimension.name: dimension for dimension in there}
    _refuse(list(findings.values()))
    return models[0], tuple(findings.values()), tuple(space.values())


def _checked(document: Document, file: FilePath) -> tuple[UseCase, Sequence[Finding]]:
    """What a document without searches declares, and what is doubtful in it."""
    model = _validate(document)
    findings = [
        *_named(model, document, file),
        *_linted(model, document, file.parent),
        *_read_back(model, document, file.parent),
    ]
    _refuse(findings)
    return model, findings


def _refuse(findings: Sequence[Finding]) -> None:
    if any(finding.severity == "error" for finding in findings):
        raise InvalidUseCaseError(findings)


def _validate(document: Document) -> UseCase:
    if not isinstance(document.data, dict) or not document.data:
        message = "expected a use case, with at least 'source', 'preprocess' and 'model'; the file says nothing"
        if document.data:
            message = "expected keys such as 'source:' and 'model:' at the start of lines"
        raise InvalidUseCaseError([Finding(Place(document.origin, 1, 1), (), message)])
    try:
        model = UseCase.model_validate(document.data)
    except ValidationError as error:
        raise InvalidUseCaseError(explain(error.errors(include_url=False), document, json_schema())) from None
    if findings := booleans(document, json_schema()):
        raise InvalidUseCaseError(findings)
    return model


def _named(model: UseCase, document: Document, file: FilePath) -> Iterator[Finding]:
    folder = file.resolve().parent.name
    if model.name is None and not re.match(NAME_PATTERN, folder):
        message = (
            f"the folder's name '{folder}' cannot name a use case; add a name of letters, digits, '_', '.' and '-'"
        )
        yield Finding(Place(document.origin, 1, 1), ("name",), message)


def _linted(model: UseCase, document: Document, base: FilePath) -> list[Finding]:
    """What the parts of the use case say about themselves."""
    findings: list[Finding] = []
    for path, part in _parts(model, ()):
        problems = [*part.lint(), *(part.lint_in(model, base) if isinstance(part, Component) else ())]
        for problem in problems:
            location = written(steps_of((*path, *problem.path), document.data))
            findings.append(Finding(document.place(location), location, problem.message, problem.severity))
    return findings


def _read_back(model: UseCase, document: Document, base: FilePath) -> Iterator[Finding]:
    """Sinks whose answers the source would read as records, where both can tell."""
    source = model.source
    for index, sink in enumerate(model.sink):
        if not isinstance(source, _Reads) or not isinstance(sink, _Writes):
            continue
        file = next((file for file in sink.writes_to(base) if source.would_read(file, base)), None)
        if file:
            path = ("sink", index, name_of(sink))
            message = (
                f"writes {file.name} to {file.parent}, which the source reads too; "
                "give the sink a path outside of it, or the source an exclude: for these files"
            )
            yield Finding(document.place(path), path, message)


@runtime_checkable
class _Reads(Protocol):
    def would_read(self, path: FilePath, base: FilePath) -> bool: ...


@runtime_checkable
class _Writes(Protocol):
    def writes_to(self, base: FilePath) -> Sequence[FilePath]: ...


@runtime_checkable
class _Linted(Protocol):
    def lint(self) -> Sequence[Problem]: ...


def _parts(part: Declared, path: Path) -> Iterator[tuple[Path, _Linted]]:
    """The parts that have something to say; what is inside a component is that component's own affair."""
    if isinstance(part, _Linted):
        yield path, part
    if isinstance(part, Component):
        return
    for key in type(part).model_fields:
        value = getattr(part, key)
        several = isinstance(value, tuple | dict)
        inners: Any = value.items() if isinstance(value, dict) else enumerate(value if several else (value,))
        for index, inner in inners:
            if isinstance(inner, Declared):
                place = (*path, key, index) if several else (*path, key)
                yield from _parts(inner, (*place, name_of(inner)) if isinstance(inner, Component) else place)
