"""What can be declared of windows, and what is said of impossible values."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from afield.preprocess.window.spec import Window, duration
from afield.usecase.components import name_of


def test_defaults_are_possible_and_named() -> None:
    assert Window(length=60).lint() == []
    assert name_of(Window(length=60)) == "window"
    with pytest.raises(ValidationError):
        Window.model_validate({})


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", 90), ("2m", 120), ("1.5h", 5400), ("1d", 86400), ("250ms", 0.25), ("90", None), ("1 d", None), ("", None)],
)
def test_durations(text: str, expected: float | None) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize(
    ("values", "path", "message"),
    [
        ({"length": 0}, ("length",), "expected 1 or more, found 0"),
        ({"stride": 0}, ("stride",), "expected 1 or more, found 0"),
        ({"forget": 0}, ("forget",), "expected 1 or more, found 0"),
        ({"key": ""}, ("key",), "expected a name, found an empty one"),
        (
            {"time": "at", "gap": "90"},
            ("gap",),
            "expected a time such as 90s, 2m, 1.5h or 1d, found '90'",
        ),
        ({"time": "at", "gap": "0s"}, ("gap",), "expected a time such as 90s, 2m, 1.5h or 1d, found '0s'"),
        ({"gap": "90s"}, ("gap",), "a gap needs a column of times; name it under time"),
    ],
)
def test_impossible_values_are_named(values: dict[str, Any], path: tuple[str | int, ...], message: str) -> None:
    (problem,) = Window.model_validate({"length": 2, **values}).lint()
    assert (problem.path, problem.message) == (path, message)


def test_every_field_is_described() -> None:
    for field in Window.model_fields.values():
        assert field.description
        assert field.examples
