"""What a model must not see: the columns of a source that hold the known answer, however they are declared."""

from __future__ import annotations

from typing import Any

import pytest

from afield.connectors.sources.files.spec import Files
from afield.connectors.sources.redis.spec import Redis
from afield.runtime.triggers import OnArrival
from afield.usecase.base import Component
from afield.usecase.components import answer_columns

REDIS: dict[str, Any] = {"url": "redis://localhost", "stream": "logs"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Redis.model_validate(REDIS | {"label": "class"}), ["class"]),
        (Redis.model_validate(REDIS), []),
        (Files.model_validate({"path": "data", "label": {"from": ["folder", "EventId"]}}), ["EventId"]),
        (Files.model_validate({"path": "data", "label": "file_name"}), []),
        (Files.model_validate({"path": "data"}), []),
        (OnArrival(), []),
    ],
)
def test_the_columns_of_the_answer(source: Component, expected: list[str]) -> None:
    assert answer_columns(source) == expected
