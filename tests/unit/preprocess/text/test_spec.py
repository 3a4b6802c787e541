"""What can be declared, and what is said of impossible values."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from afield.preprocess.text.spec import Text


def test_defaults_are_possible() -> None:
    assert Text().lint() == []


@pytest.mark.parametrize(
    ("values", "path", "message"),
    [
        ({"column": ""}, ("column",), "expected a name, found an empty one"),
        ({"ngrams": [0, 1]}, ("ngrams", 0), "expected 1 or more, found 0"),
        ({"ngrams": [2, 1]}, ("ngrams", 1), "expected 2 or more, the least number, found 1"),
        (
            {"min_df": 1.5},
            ("min_df",),
            "expected a share from 0.0 to 1.0, or a whole number of records, found 1.5",
        ),
        ({"min_df": -1}, ("min_df",), "expected 0 or more records, found -1"),
        ({"max_df": 0}, ("max_df",), "expected 1 or more records, found 0"),
        ({"min_df": 0.5, "max_df": 0.4}, ("min_df",), "expected at most max_df, which is 0.4, found 0.5"),
        (
            {"max_df": 1},
            ("max_df",),
            "1 drops every term that two records share; for a share of all records write 1.0",
        ),
        ({"max_features": 0}, ("max_features",), "expected 1 or more, or null for all terms, found 0"),
    ],
)
def test_impossible_values_are_named(values: dict[str, Any], path: tuple[str | int, ...], message: str) -> None:
    (problem,) = Text.model_validate(values).lint()
    assert (problem.path, problem.message) == (path, message)


def test_an_unknown_mask_is_refused() -> None:
    with pytest.raises(ValidationError):
        Text.model_validate({"mask": ["phone"]})


def test_every_field_is_described() -> None:
    for field in Text.model_fields.values():
        assert field.description
        assert field.examples


def test_declaring_imports_nothing_heavy() -> None:
    code = (
        "import sys, afield.preprocess.text.spec; print([name for name in ('numba', 'numpy') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
