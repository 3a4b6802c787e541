"""The JSON Schema and the reference page say what the models say."""

from __future__ import annotations

import importlib.resources
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from afield.gallery.copying import names
from afield.usecase.document import parse
from afield.usecase.load import check
from afield.usecase.reference import main, page
from afield.usecase.schema import alternatives, json_schema
from afield.usecase.training import OPTIMIZERS, SCHEDULES


def gallery_texts() -> list[str]:
    gallery = importlib.resources.files("afield.gallery")
    return [gallery.joinpath(name, "usecase.yaml").read_text(encoding="utf-8") for name in names()]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_gallery_follows_the_schema(validator: jsonschema.Draft202012Validator) -> None:
    for text in gallery_texts():
        assert [error.message for error in validator.iter_errors(parse(text, "usecase.yaml").data)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("epochs: 5", "epocs: 5"),
        ("epochs: 5", "epochs: 0"),
        ("files:", "fles:"),
        ("label: file_name", "labl: file_name"),
        ("adam:", "adm:"),
        ("  - on_arrival", "  - on_arival"),
    ],
)
def test_what_the_linter_refuses_an_editor_marks(
    validator: jsonschema.Draft202012Validator, tmp_path: Path, old: str, new: str
) -> None:
    text = gallery_texts()[names().index("logs")].replace(old, new, 1)
    (tmp_path / "usecase.yaml").write_text(text)
    assert any(finding.severity == "error" for finding in check(tmp_path, ["name=x"]))
    assert list(validator.iter_errors(parse(text, "usecase.yaml").data))


def test_every_key_is_described() -> None:
    schema = json_schema()
    described = {path: [key, *alternatives(key, schema)] for path, key in keys(schema)}
    assert [path for path, texts in described.items() if not any("description" in text for text in texts)] == []


def keys(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All declared keys, but for the arguments of Keras's optimizers, which Keras describes."""
    for name, definition in {"usecase": schema, **schema["$defs"]}.items():
        if name in OPTIMIZERS or name in {"optimizer", "schedule", "cosine_decay", "reduce_on_plateau"}:
            continue
        for key, declared in definition.get("properties", {}).items():
            yield f"{name}.{key}", declared


def test_the_page_names_every_key() -> None:
    schema = json_schema()
    text = page(schema)
    for path, _ in keys(schema):
        key = path.rpartition(".")[2]
        assert f"`{key}`" in text or f".{key}\n" in text, path


def test_stale_files_are_named(tmp_path: Path) -> None:
    run = CliRunner().invoke
    folder = ["--folder", str(tmp_path)]
    assert run(main, ["--write", *folder]).exit_code == 0
    assert run(main, ["--check", *folder]).exit_code == 0
    (tmp_path / "usecase.md").write_text("old")
    outcome = run(main, ["--check", *folder])
    assert outcome.exit_code == 1
    assert outcome.output == (
        f"Error: stale: {tmp_path / 'usecase.md'}; run python -m afield.usecase.reference --write\n"
    )


def test_optimizers_and_schedules_are_those_of_keras() -> None:
    pytest.importorskip("jax")
    from afield.train.backend import prepare

    prepare("cpu")
    keras = pytest.importorskip("keras")
    kinds = {name: type(keras.optimizers.get(name)) for name in OPTIMIZERS}
    kinds["cosine_decay"] = keras.optimizers.schedules.CosineDecay
    kinds["reduce_on_plateau"] = keras.callbacks.ReduceLROnPlateau
    for name, arguments in {**OPTIMIZERS, **SCHEDULES}.items():
        parameters = inspect.signature(kinds[name]).parameters
        assert {argument: parameters[argument].default for argument in arguments} == arguments, name
