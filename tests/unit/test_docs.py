"""What the documents name is there: links, files, modules, fields, verbs and their options."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from afield.cli import VERBS
from afield.usecase.components import GROUPS
from afield.usecase.schema import json_schema

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/afield/gallery/**/*.md")])
REFERENCE = ROOT / "docs" / "reference" / "usecase.md"

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(r"`((?:src|tests|docs|scripts|benchmarks|\.ci)/[\w./-]*|\.importlinter|[A-Z]+\.md|pyproject\.toml)`")
MODULE = re.compile(r"`(afield(?:\.[A-Za-z_]\w*)+)`")
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def prose(document: Path) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(document: Path) -> set[str]:
    """The names that links into a document may end with, as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.+)$", prose(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(prose(document)):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{document.name}: {link}: no such file"
        assert not anchor or anchor in anchors(target), f"{document.name}: {link}: no such heading"


@each_document
def test_files_that_are_named_exist(document: Path) -> None:
    missing = [name for name in FILE.findall(prose(document)) if not (ROOT / name).exists()]
    assert not missing


@each_document
def test_modules_that_are_named_exist(document: Path) -> None:
    for name in MODULE.findall(prose(document)):
        if name in GROUPS.values():
            continue
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            module, _, attribute = name.rpartition(".")
            assert hasattr(importlib.import_module(module), attribute), f"{document.name}: {name}"


def test_every_document_can_be_reached() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(prose(index))}
    by_hand = {path for path in DOCUMENTS if path.is_relative_to(ROOT / "docs")} - {index}
    assert sorted(by_hand - linked) == []
    assert "(docs/index.md)" in prose(ROOT / "README.md")


def test_every_field_stands_in_the_reference() -> None:
    page = REFERENCE.read_text()
    missing = {name for name in fields(json_schema()) if f"`{name}`" not in page and f".{name}\n" not in page}
    assert not missing


def fields(schema: Any) -> Iterator[str]:
    """The names of all keys that a JSON Schema knows, the arguments of optimizers and schedules left out."""
    if isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            if "description" in inner:
                yield name
            yield from fields(inner)
        for key, inner in schema.items():
            if key != "properties":
                yield from fields(inner)
    if isinstance(schema, list):
        for inner in schema:
            yield from fields(inner)


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_and_option_is_documented(verb: str) -> None:
    text = "".join(path.read_text() for path in DOCUMENTS)
    assert f"afield {verb}" in text
    module, _ = VERBS[verb]
    command: click.Command = importlib.import_module(module).command
    options = [option for option in command.params if isinstance(option, click.Option)]
    missing = [option.opts for option in options if not any(re.search(rf"{name}\b", text) for name in option.opts)]
    assert not missing


def test_every_room_is_described() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = [path.parent.name for path in (ROOT / "src" / "afield").glob("*/__init__.py")]
    assert [room for room in sorted(rooms) if f"| `{room}` |" not in page] == []


def test_every_benchmark_and_script_is_described() -> None:
    measured = (ROOT / "docs" / "benchmarks.md").read_text()
    benchmarks = [path for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text()]
    assert [path.stem for path in benchmarks if f"scripts/bench {path.stem}" not in measured] == []
    page = (ROOT / "CONTRIBUTING.md").read_text()
    scripts = [path for path in (ROOT / "scripts").iterdir() if path.is_file() and path.suffix != ".sh"]
    commands = [path.name for path in scripts if path.name != "demo-lines"]  # a part of the demo
    assert [name for name in sorted(commands) if f"`scripts/{name}`" not in page] == []


def test_the_changelog_begins_with_what_is_unreleased() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert headings[0] == "[Unreleased]"


def test_decisions_are_numbered_and_have_one_form() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        assert re.findall(r"^## (.+)$", page.read_text(), flags=re.MULTILINE) == ["Context", "Decision", "Consequence"]
        assert page.read_text().startswith(f"# {page.name[:4]} ")
