"""A text as the numbers of its characters, and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.errors import DataError
from afield.preprocess.base import Frozen, StepInput
from afield.preprocess.characters.spec import Characters
from afield.preprocess.characters.step import CharactersStep
from afield.usecase.components import name_of


def lines(*texts: str | None) -> pa.RecordBatch:
    return pa.record_batch({"text": pa.array(texts, pa.string())})


def fitted(declared: Characters, *batches: pa.RecordBatch) -> tuple[CharactersStep, Frozen]:
    step, state = declared.open(), None
    for batch in batches:
        state = step.observe(state, batch)
    assert state is not None
    return step, step.freeze(state)


@pytest.mark.parametrize(
    ("values", "path", "message"),
    [
        ({"column": ""}, ("column",), "expected a name, found an empty one"),
        ({"output": ""}, ("output",), "expected a name, found an empty one"),
        ({"min_count": 0}, ("min_count",), "expected 1 or more, found 0"),
        ({"max_size": 1}, ("max_size",), "expected 2 or more, found 1"),
        ({"window": 0}, ("window",), "expected 1 or more, found 0"),
        ({"stride": 0}, ("stride",), "expected 1 or more, or null for half a window, found 0"),
        ({"unknown": "??"}, ("unknown",), "expected one character, or null to leave them out, found '??'"),
    ],
)
def test_impossible_values_are_named(values: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    (problem,) = Characters.model_validate(values).lint()
    assert (problem.path, problem.message) == (path, message)


def test_defaults_are_possible_and_described() -> None:
    assert Characters().lint() == []
    assert name_of(Characters()) == "characters"
    for field in Characters.model_fields.values():
        assert field.description
        assert field.examples


def test_the_vocabulary_is_sorted_by_code_point() -> None:
    step, frozen = fitted(Characters(), lines("ba", None, "é€😀"))
    assert step.names(frozen) == ["\n", "a", "b", "é", "€", "😀"]
    assert step.size(frozen) == 6
    assert step.inputs(frozen) == [StepInput("characters", (40,), "int32")]
    assert step.encode(frozen, "ab\n😀").tolist() == [1, 2, 0, 5]
    assert step.encode(frozen, "").dtype == np.int32
    assert step.decode(frozen, np.array([1, 2, 0, 5])) == "ab\n😀"
    assert step.columns(frozen, lines().schema) == [step.line] == ["text"]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=20), st.integers(0, 20))
def test_a_text_is_the_same_again_whatever_batches_it_comes_in(texts: list[str], cut: int) -> None:
    batches = [lines(*texts[:cut]), lines(*texts[cut:])]
    whole = "\n".join(texts)
    if len(set(whole)) < 2:
        with pytest.raises(DataError):
            fitted(Characters(max_size=10_000), *batches)
        return
    step, frozen = fitted(Characters(max_size=10_000), *batches)
    assert step.names(frozen) == sorted(set(whole))
    numbers = step.encode(frozen, step.text(batches))
    assert numbers.dtype == np.int32
    assert step.decode(frozen, numbers) == whole
    np.testing.assert_array_equal(numbers, step.encode(frozen, whole))


def test_characters_that_are_not_learned() -> None:
    text = lines("aaaa", "bbb", "cc", "d")
    step, frozen = fitted(Characters(min_count=2), text)
    assert step.names(frozen) == ["\n", "a", "b", "c"]
    assert step.decode(frozen, step.encode(frozen, "abzdc")) == "abc"
    step, frozen = fitted(Characters(min_count=2, max_size=3, unknown="?"), text)
    # Of the line's end and b, which stand equally often, the lower code point is learned.
    assert step.names(frozen) == ["\n", "?", "a"]
    assert step.decode(frozen, step.encode(frozen, "azé😀")) == "a???"


def test_too_little_text_is_an_error() -> None:
    with pytest.raises(DataError) as raised:
        fitted(Characters(min_count=2), lines("ab", "ac"))
    assert str(raised.value) == (
        "column 'text': expected text of two characters or more, found 1 that stand 2 times or more in 2 records; name "
        "another column or lower min_count"
    )


def test_bad_columns_are_named() -> None:
    step = Characters(column="texts").open()
    with pytest.raises(DataError) as raised:
        step.columns(None, lines().schema)
    assert str(raised.value) == (
        "preprocess.characters.column: the records have no column 'texts'; did you mean 'text'?"
    )
    with pytest.raises(DataError, match=r"^column 'text': expected text, found binary that is none"):
        Characters().open().observe(None, pa.record_batch({"text": [b"\xff\xfe"]}))


def test_frozen_is_data_and_what_may_be_shown_is_the_text() -> None:
    step, frozen = fitted(Characters(), lines("ab"))
    assert frozen.config == {"characters": Characters().model_dump(mode="json"), "records": 1}
    assert frozen.arrays["characters"].tolist() == [97, 98]
    assert step.masked(lines("x"), "names")["text"].to_pylist() == ["x"]


def test_shakespeare(data: Path) -> None:
    text = (data / "text" / "tinyshakespeare_input.txt").read_text()
    batch = lines(*text.split("\n"))
    begin = time.process_time()
    step, frozen = fitted(Characters(), batch)
    numbers = step.encode(frozen, step.text([batch]))
    assert time.process_time() - begin < 1
    assert step.size(frozen) == 65
    assert len(numbers) == 1_115_394
    assert step.decode(frozen, numbers) == text
