"""The step as a component: batches however they are cut, Arrow however it is laid out, keys, errors."""

from __future__ import annotations

import gc
import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afield.errors import DataError, UseCaseError
from afield.preprocess.base import Frozen
from afield.preprocess.rows import SparseRows
from afield.preprocess.text.spec import Text
from afield.preprocess.text.step import TextStep, vocabulary

LINES = ["alpha beta beta", "", "Γάμμα delta", "alpha delta a", "x" * 300 + " beta"]


def batch_of(values: object, kind: pa.DataType | None = None) -> pa.RecordBatch:
    return pa.record_batch({"text": pa.array(values, kind)})


def fitted(lines: list[str], declared: Text | None = None) -> tuple[TextStep, Frozen]:
    step = (declared or Text()).open()
    return step, step.freeze(step.observe(None, batch_of(lines)))


def same(left: SparseRows, right: SparseRows) -> bool:
    return all(np.array_equal(getattr(left, name), getattr(right, name)) for name in ("indptr", "ids", "weights"))


@given(
    st.lists(st.text("abcdeé ", max_size=30), min_size=1, max_size=30),
    st.lists(st.integers(0, 30), max_size=5),
)
@settings(deadline=None, max_examples=100)
def test_how_batches_are_cut_changes_nothing(lines: list[str], cuts: list[int]) -> None:
    lines = [*lines, "always some"]
    step, whole = fitted(lines)
    state = None
    bounds = sorted({0, len(lines), *(min(cut, len(lines)) for cut in cuts)})
    for begin, end in pairwise(bounds):
        state = step.observe(state, batch_of(lines, pa.string()).slice(begin, end - begin))
    assert state is not None
    parts = step.freeze(state)
    assert parts.config == whole.config
    assert all(np.array_equal(parts.arrays[name], whole.arrays[name]) for name in whole.arrays)


def test_the_fit_grows_with_the_vocabulary() -> None:
    lines = [f"word{number} shared {'long' * 20}{number % 7000}" for number in range(30_000)]
    step, frozen = fitted(lines)
    assert vocabulary(frozen).to_pylist() == sorted({word for line in lines for word in line.split()})
    reduced = step.reduce(frozen, batch_of(lines))
    assert reduced.rows.lengths.tolist() == [3] * len(lines)


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_the_layout_of_the_column_changes_nothing(kind: pa.DataType) -> None:
    step, frozen = fitted(LINES)
    expected = step.reduce(frozen, batch_of(LINES)).rows
    assert same(step.reduce(frozen, batch_of(LINES, kind)).rows, expected)
    padded = batch_of(["before", *LINES, "after"], kind).slice(1, len(LINES))
    assert same(step.reduce(frozen, padded).rows, expected)
    with_nulls = batch_of([line or None for line in LINES], kind)
    assert same(step.reduce(frozen, with_nulls).rows, expected)


def test_a_null_that_covers_bytes_is_empty() -> None:
    array = pa.StringArray.from_buffers(
        3, pa.py_buffer(np.array([0, 5, 10, 14], np.int32)), pa.py_buffer(b"alphaalphabeta"), pa.py_buffer(b"\x05")
    )
    step, frozen = fitted(LINES)
    assert step.reduce(frozen, pa.record_batch({"text": array})).rows.lengths.tolist() == [1, 0, 1]


@pytest.mark.parametrize("values", [[], [None, None], ["", ""]])
def test_records_without_text_have_empty_rows(values: list[str | None]) -> None:
    step, frozen = fitted(LINES)
    for kind in (pa.string(), pa.null() if None in values else pa.large_string()):
        reduced = step.reduce(frozen, batch_of(values, kind))
        assert reduced.rows.indptr.tolist() == [0] * (len(values) + 1)
        assert reduced.terms.tolist() == [0] * len(values)


def test_bytes_that_are_not_utf8_are_no_words() -> None:
    step, frozen = fitted(LINES)
    content = b"alpha\xffbeta\xc3|\xe2\x82|\xf4\xbf\xbf\xbf|\x80alpha"
    offsets = np.array([0, len(content)], np.int32)
    array = pa.StringArray.from_buffers(1, pa.py_buffer(offsets), pa.py_buffer(content))
    assert step.reduce(frozen, pa.record_batch({"text": array})).terms.tolist() == [3]


def test_threads_change_nothing() -> None:
    lines = [f"{number} line of some length é {number % 17} {'word ' * 20}" for number in range(40_000)]
    declared = Text()
    one, many = TextStep(declared, threads=1), TextStep(declared, threads=3)
    frozen = one.freeze(one.observe(None, batch_of(lines)))
    left, right = one.reduce(frozen, batch_of(lines)), many.reduce(frozen, batch_of(lines))
    assert same(left.rows, right.rows)
    for name in ("keys", "terms", "unknown"):
        assert np.array_equal(getattr(left, name), getattr(right, name))


def test_transform_names_the_output_and_passes_the_carry_on() -> None:
    step = Text(output="words").open()
    frozen = step.freeze(step.observe(None, batch_of(LINES)))
    features, carry = step.transform(frozen, "carry", batch_of(LINES))
    assert list(features) == ["words"]
    assert carry == "carry"


def test_a_frozen_step_survives_json_and_bytes() -> None:
    step, frozen = fitted(LINES, Text(ngrams=(1, 2), mask=["number"], max_df=1.0))
    arrays = {name: np.frombuffer(array.tobytes(), array.dtype) for name, array in frozen.arrays.items()}
    again = Frozen(json.loads(json.dumps(frozen.config)), arrays)
    other = Text(tokens="characters").open()
    assert same(other.reduce(again, batch_of(LINES)).rows, step.reduce(frozen, batch_of(LINES)).rows)


def test_equal_keys_mean_equal_masked_text() -> None:
    lines = [
        "Repeated 1 time", "repeated  19 TIME", "time 19 repeated", "repeated time", "unseen words", "unseen word s",
        "", "!",
    ]  # fmt: skip
    step = Text(mask=["number"]).open()
    keys = step.keys(None, batch_of(lines)).tolist()
    assert keys[0] == keys[1]
    assert keys[6] == keys[7]
    assert len(set(keys)) == 5 + (keys[4] != keys[5])
    frozen = step.freeze(step.observe(None, batch_of(lines[:4])))
    assert step.keys(frozen, batch_of(lines)).tolist() == keys
    assert step.reduce(frozen, batch_of(lines)).keys.tolist() == keys


def test_what_was_prepared_goes_with_the_frozen_step() -> None:
    step, frozen = fitted(LINES)
    assert step.prepare(frozen) is step.prepare(frozen)
    other = Frozen(frozen.config, frozen.arrays)
    assert step.prepare(other) is not step.prepare(frozen)
    del other
    gc.collect()
    assert len(step._prepared) == 1


def test_a_missing_column_is_named() -> None:
    step = Text(column="mesage").open()
    with pytest.raises(UseCaseError) as caught:
        step.observe(None, pa.record_batch({"message": ["x"], "label": ["y"]}))
    assert str(caught.value) == (
        "column 'mesage': not in the data, whose columns are ['message', 'label']; did you mean 'message'?"
    )


def test_a_column_of_numbers_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        Text().open().observe(None, batch_of([1, 2]))
    assert str(caught.value) == "column 'text': expected text, found int64; name a column of text, or convert it"


def test_text_without_terms_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        fitted(["a", "-", ""])
    assert str(caught.value) == (
        "column 'text': expected text with terms in it, found none in 3 records; name another column, or count "
        "characters (tokens: characters)"
    )


def test_thresholds_that_leave_nothing_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        fitted(["aa bb", "cc dd"], Text(min_df=2))
    assert str(caught.value) == (
        "column 'text': expected terms in 2 to 2 of 2 records, found none among 4 terms; lower min_df or raise max_df"
    )
