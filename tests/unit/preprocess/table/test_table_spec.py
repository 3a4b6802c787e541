"""What can be declared of a table, and what is said of impossible values."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from afield.preprocess.table.spec import Table
from afield.usecase.components import name_of


def test_defaults_are_possible_and_named() -> None:
    assert Table().lint() == []
    assert name_of(Table()) == "table"


@pytest.mark.parametrize(
    ("values", "path", "message"),
    [
        ({"output": ""}, ("output",), "expected a name, found an empty one"),
        (
            {"output": "categories", "categories": "embedding"},
            ("output",),
            "`categories` is the name of the feature for embeddings; choose another",
        ),
        (
            {"whiten": True, "numbers": "min_max"},
            ("whiten",),
            "needs numbers of one size: `numbers: robust` or `standardize`, not min_max",
        ),
        ({"columns": []}, ("columns",), "expected a column or more, or null for all, found an empty list"),
        ({"clip": 0}, ("clip",), "expected more than 0, or null for no limit, found 0"),
        ({"max_categories": 0}, ("max_categories",), "expected 1 or more, found 0"),
        ({"min_count": 0}, ("min_count",), "expected 1 or more, found 0"),
        (
            {"as_category": ["a"], "as_number": ["b", "a"]},
            ("as_number", 1),
            "'a' stands under as_category too; keep one of them",
        ),
    ],
)
def test_impossible_values_are_named(values: dict[str, Any], path: tuple[str | int, ...], message: str) -> None:
    (problem,) = Table.model_validate(values).lint()
    assert (problem.path, problem.message) == (path, message)


def test_unknown_words_are_refused() -> None:
    for values in ({"numbers": "log"}, {"categories": "hash"}, {"dates": ["minute"]}):
        with pytest.raises(ValidationError):
            Table.model_validate(values)


def test_every_field_is_described() -> None:
    for field in Table.model_fields.values():
        assert field.description
        assert field.examples


def test_declaring_imports_nothing_heavy() -> None:
    code = (
        "import sys, afield.preprocess.table.spec, afield.preprocess.window.spec, afield.preprocess.characters.spec; "
        "print([name for name in ('numba', 'numpy', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
