"""What a column holds, whatever way it is written."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.explore import columns
from afield.explore.columns import Column
from afield.explore.keys import identifies, keys


def column(values: list[object], name: str = "x") -> Column:
    return columns.read(name, pa.chunked_array([pa.array(values)]))


@pytest.mark.parametrize(
    ("values", "kind", "missing", "distinct"),
    [
        (["1", "2", "2"], "whole number", 0, 2),
        (["1.5", " 2 ", "?"], "number", 1, 2),
        (["+1", "-2e3", ".5"], "number", 0, 3),
        (["true", "False", ""], "truth", 1, 2),
        (["2020-01-02", "2020-01-03 10:00:00", "NA"], "date", 1, 2),
        (["02.01.2020", "03.01.2020"], "date", 0, 2),
        (["red", "green", "red"], "category", 0, 2),
        (["", "NA", None], "empty", 3, 0),
        ([1, 2, None], "whole number", 1, 2),
        ([1.5, math.nan, math.inf], "number", 2, 1),
        ([True, False], "truth", 0, 2),
        ([None, None], "empty", 2, 0),
        ([[1, 2], [3]], "other", 0, 0),
    ],
)
def test_types(values: list[object], kind: str, missing: int, distinct: int) -> None:
    found = column(values)
    assert (found.type, found.missing, found.distinct) == (kind, missing, distinct)


def test_text_is_several_words() -> None:
    assert column([f"the line number {n} of a log" for n in range(60)]).type == "text"
    assert column([f"word{n}" for n in range(60)]).type == "category"


def test_nearly_numbers_keep_the_rows_that_are_none() -> None:
    found = column(["1", "2", "unknown", *map(str, range(20))])
    assert (found.type, found.odd.tolist()) == ("whole number", [2])
    assert np.isnan(found.values[2]) if found.values is not None else False


def test_numbers_among_text_are_named() -> None:
    assert column(["A1", "17", "B2", "23", "C3"]).odd.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["1,234", "5,678.5", "12"], "with separators of thousands, as in 1,234.5"),
        (["3,14", "2,71"], "with a decimal comma, as in 3,14"),
        (["12 kg", "7 kg"], "with a unit or a sign, as in 12 kg, $5 or 40%"),
        (["$5", "€7"], "with a unit or a sign, as in 12 kg, $5 or 40%"),
        (["40%", "7.5%"], "with a unit or a sign, as in 12 kg, $5 or 40%"),
    ],
)
def test_numbers_that_are_kept_as_text(values: list[object], form: str) -> None:
    found = column(values)
    assert (found.type, list(found.forms)) == ("category", [form])


def test_dates_of_several_forms_are_of_one_time() -> None:
    found = column(["2020-01-02", "02.01.2020", "2020/01/02", "2 Jan 2020", "Jan 2, 2020"])
    assert len(found.forms) == 5
    assert found.values is not None
    assert set(found.values.tolist()) == {1577923200.0}


@given(st.lists(st.one_of(st.none(), st.floats(allow_infinity=False), st.integers(-(2**50), 2**50)), min_size=1))
def test_numbers_are_the_same_as_text(values: list[float | None]) -> None:
    typed = column([None if value is None else float(value) for value in values])
    text = column([None if value is None else repr(float(value)) for value in values])
    assert (typed.missing, typed.distinct) == (text.missing, text.distinct)
    if typed.values is not None and text.values is not None:
        np.testing.assert_array_equal(typed.values, text.values)


@pytest.mark.parametrize(
    ("values", "name", "identifier"),
    [
        (list(range(100)), "x", True),
        ([n * 997 for n in range(100)], "x", False),
        ([n * 997 for n in range(100)], "customer_id", True),
        ([10**9 + n * 997 for n in range(100)], "x", True),
        ([f"u{n}" for n in range(100)], "x", True),
        ([f"u{n % 50}" for n in range(100)], "x", False),
        ([n / 7 for n in range(100)], "x", False),
        (list(range(10)), "x", False),
    ],
)
def test_identifiers(values: list[object], name: str, identifier: bool) -> None:
    assert identifies(column(values, name)) is identifier


def test_keys_of_rows_that_are_nearly_the_same() -> None:
    numbers = column([1.0, 1.0 + 1e-8, 1.1, -0.0, 0.0])
    words = column(["Big  Dog", "big dog", "big dog", "x", "x"])
    same = keys([numbers, words], near=False, text=False)
    near = keys([numbers, words], near=True, text=False)
    assert (same[:, None] == same).tolist() == (np.eye(5, dtype=bool) | _pair(5, 3, 4)).tolist()
    assert (near[:, None] == near).tolist() == (np.eye(5, dtype=bool) | _pair(5, 0, 1) | _pair(5, 3, 4)).tolist()
    some = np.array([4, 0])
    assert keys([numbers, words], near=True, text=False, rows=some).tolist() == near[some].tolist()


def test_lines_are_nearly_the_same_but_for_their_numbers() -> None:
    text = column(["took 5 ms", "took 17 ms", "took long"], "text")
    found = keys([text], near=True, text=True)
    assert found[0] == found[1] != found[2]


def _pair(size: int, first: int, second: int) -> np.ndarray:
    found = np.zeros((size, size), bool)
    found[first, second] = found[second, first] = True
    return found
