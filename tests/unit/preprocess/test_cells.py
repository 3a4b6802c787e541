"""Cells of any type as numbers, truths, moments and text: many at once as one by one."""

from __future__ import annotations

import datetime
import decimal
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.preprocess import cells

NAN = float("nan")


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.floats().map(repr),
            st.integers().map(str),
            st.from_regex(r"\A[+-]?[0-9]{0,3}\.?[0-9]{0,3}([eE][+-]?[0-9]{0,2})?\Z"),
            st.sampled_from(
                ["1_0", "0x10", "１", " 7\t", "\u00a08", "inf", "-Infinity", "NaN", "1,5", "", "-", "1e999"]
            ),
        ),
        min_size=9,
        max_size=30,
    )
)
def test_numbers_read_at_once_are_those_read_one_by_one(texts: list[str | None]) -> None:
    one_by_one = [None if text is None else cells.number_of(text.strip(cells.BLANKS)) for text in texts]
    expected = [NAN if number is None else number for number in one_by_one]
    np.testing.assert_array_equal(cells.numbers(pa.array(texts, pa.string())), expected)
    # Where all are numbers, Arrow's own reading is taken.
    numbers = [text for text, number in zip(texts, one_by_one, strict=True) if number is not None]
    known = [number for number in one_by_one if number is not None]
    np.testing.assert_array_equal(cells.numbers(pa.array(numbers, pa.string())), known)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-02", 86400.0),
        ("1970-01-01 00:01", 60.0),
        ("1970-01-01T00:00:01.5", 1.5),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01T00:00:00Z", 0.0),
        ("2011-02-30", None),
        ("0000-00-00", None),
        ("2011-01", None),
        ("20110101", None),
        ("2011-1-1", None),
        ("2011-01-01 10", None),
        ("", None),
    ],
)
def test_moments_are_iso_dates_and_timestamps(text: str, expected: float | None) -> None:
    assert cells.moment_of(text) == expected
    found = cells.moments(pa.array([text] * 20))
    np.testing.assert_array_equal(found, [NAN if expected is None else expected] * 20)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None, -3], pa.int8()), [1, NAN, -3]),
        (pa.array([1.5, None], pa.float32()), [1.5, NAN]),
        (pa.array(np.array([1.5, -2], np.float16)), [1.5, -2]),
        (pa.array([True, None, False]), [1, NAN, 0]),
        (pa.array([decimal.Decimal("1.25"), None]), [1.25, NAN]),
        (pa.array([datetime.timedelta(seconds=90), None]), [90, NAN]),
        (pa.array([datetime.time(1, 0, 0, 500000), None]), [3600.5, NAN]),
        (pa.array([None, None]), [NAN, NAN]),
        (pa.array([[1], [2]]), [NAN, NAN]),
        (pa.array([b"1"]), [NAN]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_numbers_of_every_type(array: pa.Array, expected: list[float]) -> None:
    np.testing.assert_array_equal(cells.numbers(array), expected)


@pytest.mark.parametrize("repeats", [1, 10])
def test_truths(repeats: int) -> None:
    texts = ["True", "false", " TRUE ", "1", "0", "yes", "", None] * repeats
    np.testing.assert_array_equal(cells.truths(pa.array(texts)), [1, 0, 1, 1, 0, NAN, NAN, NAN] * repeats)
    np.testing.assert_array_equal(cells.truths(pa.array([0, 1, 2] * repeats)), [0, 1, NAN] * repeats)


def test_text_of_numbers_is_the_same_whatever_their_type() -> None:
    assert cells.texts(pa.array([3, None])) == ["3", None]
    assert cells.texts(pa.array([3.0, 0.1, None, NAN])) == ["3", "0.1", None, None]
    assert cells.texts(pa.array(["  3 ", "\u00a0"])) == ["3", ""]
    assert cells.texts(cells.plain(pa.array(["b", "a", None]).dictionary_encode())) == ["b", "a", None]


@pytest.mark.parametrize("repeats", [1, 10])
def test_times_are_read_from_dates_numbers_and_text(repeats: int) -> None:
    texts = ["1970-01-01 00:00:05", "5", "5.0", "19700101000005", "soon", "inf", None] * repeats
    np.testing.assert_array_equal(cells.seconds(pa.array(texts)), [5, 5, 5, 5, NAN, NAN, NAN] * repeats)
    zone = datetime.timezone(datetime.timedelta(hours=1))
    local = pa.array([datetime.datetime(1970, 1, 1, 1, 0, 5, tzinfo=zone), None], pa.timestamp("ns", "+01:00"))
    np.testing.assert_array_equal(cells.seconds(local), [5, NAN])
    np.testing.assert_array_equal(cells.seconds(pa.array([datetime.date(1970, 1, 2)])), [86400])
    np.testing.assert_array_equal(cells.seconds(pa.array([7, None])), [7, NAN])


def test_numbers_of_one_batch_become_a_matrix() -> None:
    batch = pa.record_batch({"a": pa.array([1, None], pa.int32()), "t": ["x", "y"], "b": pa.array([0.5, math.inf])})
    np.testing.assert_array_equal(cells.matrix(batch, [0, 2]), [[1, 0.5], [NAN, math.inf]])
    assert cells.matrix(batch.slice(0, 0), [0, 2]).shape == (0, 2)
    assert cells.matrix(batch, []).shape == (2, 0)
    assert cells.matrix(pa.record_batch({"a": pa.array([1, 2], pa.int64())}), [0]).dtype == np.float64
