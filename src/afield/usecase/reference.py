"""Writes the reference of usecase.yaml, a page and a JSON Schema, from the models that read it.

`python -m afield.usecase.reference --write` writes both into docs/reference; `--check` says whether they are stale.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from afield.usecase.expected import expected, shown
from afield.usecase.schema import Schema, alternatives, is_choice, json_schema

_HEAD = """# usecase.yaml

One use case is one folder with this file in it. Its sections stand in the order the data flows. A component is written
as a mapping with one key, its name (`jsonl: {path: answers}`), or as the name alone where it needs no arguments
(`on_arrival`). Unknown keys are errors. Any value can be replaced on the command line: `--set train.epochs=10`,
`--set preprocess.text.min_df=2`.

This page is generated from the declarations in the code, as is [the JSON Schema](usecase.schema.json) for editors.
"""


def page(schema: Schema) -> str:
    """The reference page, in Markdown.

    Args:
        schema: JSON Schema of a use case.
    """
    lines = [_HEAD, *_table(schema, "", schema)]
    for key, inner in schema["properties"].items():
        lines += _sections(key, inner, schema, level=2)
    return "\n".join(lines).rstrip() + "\n"


def _sections(path: str, schema: Schema, root: Schema, level: int) -> Iterator[str]:
    """What stands below a key: a section for each mapping, for each component, and for the mappings in them."""
    for mapping in _mappings(schema, root):
        if not is_choice(mapping):
            text = schema.get("description") or mapping.get("description", "")
            yield from (f"{'#' * level} {path}", "", text, "", *_table(mapping, path, root))
            for key, inner in mapping["properties"].items():
                yield from _sections(f"{path}.{key}", inner, root, level + 1)
        elif _is_table_of_names(mapping, root):
            yield from (f"{'#' * level} {path}", "", schema.get("description", ""), "", *_names(mapping, root))
        else:
            yield from (f"{'#' * level} {path}", "", schema.get("description", ""), "")
            for name, inner in mapping["properties"].items():
                if not _mappings(inner, root):
                    yield from (
                        f"{'#' * (level + 1)} {path}.{name}",
                        "",
                        inner["description"],
                        "It has no arguments.",
                        "",
                    )
                yield from _sections(f"{path}.{name}", inner, root, level + 1)


def _mappings(schema: Schema, root: Schema) -> list[Schema]:
    """The mappings with known keys that may stand in a place, or be the items of a list in that place."""
    found: list[Schema] = []
    for standing in alternatives(schema, root):
        if standing.get("properties"):
            found.append(standing)
        elif isinstance(standing.get("items"), dict):
            found += _mappings(standing["items"], root)
    return [mapping for index, mapping in enumerate(found) if mapping not in found[:index]]


def _table(mapping: Schema, path: str, root: Schema) -> Iterator[str]:
    yield from ("| key | what it is | default | meaning | example |", "|---|---|---|---|---|")
    for key, inner in mapping["properties"].items():
        standing = [one for one in alternatives(inner, root) if one.get("type") != "null"]
        is_section = len(standing) == 1 and "properties" in standing[0] and not is_choice(standing[0])
        kind = f"the keys of {f'{path}.{key}'.strip('.')}" if is_section else expected(standing, root)
        default = _code(inner["default"]) if not is_section and inner.get("default") is not None else ""
        example = _code(inner["examples"][0]) if inner.get("examples") else ""
        needed = key in mapping.get("required", ())
        meaning = inner.get("description") or standing[0].get("description", "")
        yield _row([f"`{key}`", kind, "**needed**" if needed else default, meaning, example])
    yield ""


def _is_table_of_names(choice: Schema, root: Schema) -> bool:
    """Whether the arguments of the names explain themselves, as those of optimizers do to who knows them."""
    kinds = [kind for inner in choice["properties"].values() for kind in alternatives(inner, root)]
    arguments = [argument for kind in kinds for argument in kind.get("properties", {}).values()]
    return bool(arguments) and not any("description" in argument for argument in arguments)


def _names(choice: Schema, root: Schema) -> Iterator[str]:
    yield from ("| name | arguments, with their defaults |", "|---|---|")
    for name, inner in choice["properties"].items():
        (kind,) = alternatives(inner, root)
        arguments = {argument: given.get("default") for argument, given in kind.get("properties", {}).items()}
        yield _row([f"`{name}`", _code(arguments)])
    yield ""


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _code(value: Any) -> str:
    return f"`{_inline(value)}`"


def _inline(value: Any) -> str:
    """A value as it may be written on one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_inline(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(inner) for inner in value) + "]"
    if isinstance(value, str) and not re.fullmatch(r"[\w/.*-]+( [\w/.*?-]+)*", value):
        return json.dumps(value, ensure_ascii=False)
    return "none" if value is None else shown(value)


@click.command()
@click.option("--write", is_flag=True, help="Write the files.")
@click.option("--check", is_flag=True, help="Exit with 1 when a file is not what would be written.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("docs/reference"), show_default=True)
def main(write: bool, check: bool, folder: Path) -> None:
    """Write, or check, the reference page of usecase.yaml and its JSON Schema."""
    if write == check:
        raise click.UsageError("expected one of --write and --check")
    schema = json_schema()
    files = {
        folder / "usecase.md": page(schema),
        folder / "usecase.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n",
    }
    if write:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            file.write_text(text, encoding="utf-8")
        return
    stale = [file for file, text in files.items() if not file.exists() or file.read_text(encoding="utf-8") != text]
    if stale:
        names = ", ".join(str(file) for file in stale)
        raise click.ClickException(f"stale: {names}; run python -m afield.usecase.reference --write")


if __name__ == "__main__":
    main()
