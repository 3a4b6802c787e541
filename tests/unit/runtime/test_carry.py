"""What is carried from one batch to the next, as bytes and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from afield.preprocess.window.spec import Window
from afield.runtime.carry import from_bytes, to_bytes


def same(found: Any, expected: Any) -> None:
    if isinstance(expected, np.ndarray):
        assert isinstance(found, np.ndarray)
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(found, expected)
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            same(found[name], value)
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
    else:
        assert found == expected


@pytest.mark.parametrize(
    "carry",
    [
        None,
        7,
        {},
        {"keys": ["a", None, "Größe"], "count": 2**40, "more": {"x": [1.5, {"y": True}]}},
        np.arange(6, dtype=np.int32).reshape(2, 3),
        {"latest": np.array([-np.inf, np.nan]), "tails": {"a": np.zeros((0, 4), np.float32)}, "list": [np.array(3)]},
    ],
)
def test_as_it_was(carry: Any) -> None:
    same(from_bytes(to_bytes(carry)), carry)


def test_a_tuple_comes_back_as_a_list() -> None:
    same(from_bytes(to_bytes((1, np.ones(2)))), [1, np.ones(2)])


def test_python_objects_are_refused() -> None:
    with pytest.raises(TypeError):
        to_bytes({"a": object()})
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        to_bytes({"a": np.array([object()])})


def test_windows_go_on_from_what_was_written() -> None:
    step = Window(length=3, key="node").open()
    rows = pa.record_batch({"node": ["a", "b", None, "a", None, "a", "b", None, "b"]})
    values = np.arange(9, dtype=np.float32)[:, None]
    whole, ends, _ = step.windows(None, {"x": values}, rows)
    carry, found = None, []
    for row in range(9):
        part, last, carry = step.windows(carry, {"x": values[row : row + 1]}, rows.slice(row, 1))
        carry = from_bytes(to_bytes(carry))
        found += [(row, part["x"].dense()[place, :, 0].tolist()) for place in range(len(last))]
    assert found == [(end, whole["x"].dense()[place, :, 0].tolist()) for place, end in enumerate(ends.tolist())]
    assert [row for row, _ in found] == [5, 7, 8]
