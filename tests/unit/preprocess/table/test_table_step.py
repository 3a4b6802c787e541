"""What a table becomes: kinds of columns, unknown values, missing ones, and what is said of columns left out."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afield.checks.step import STEP_CHECKS, StepCase
from afield.errors import DataError
from afield.preprocess.base import Frozen, StepInput
from afield.preprocess.table import learn
from afield.preprocess.table.spec import Table
from afield.preprocess.table.step import TableStep

RECORDS = pa.record_batch(
    {
        "_line": pa.array(range(1, 11)),
        "age": [" 31", "?", "45.5 ", "18", None, "77", "31", "2e1", "-1", "50"],
        "colour": ["red", "blue ", "red", "green", None, "NA", "blue", "red", "red", "blue"],
        "when": [f"2024-0{1 + row % 3}-1{row} 0{row}:30:00" for row in range(10)],
        "alive": ["True", "false", "TRUE", "true", "", "False", "false", "true", "true", "false"],
        "amount": pa.array([1.5, None, 3, float("nan"), float("inf"), 6, 7, 8, 9, 10], pa.float32()),
        "count": pa.array([5, 3, 5, 5, 9, 5, 5, 5, 5, 4], pa.int64()),
        "day": pa.array([datetime.date(2020, 1, 1 + row) for row in range(10)]),
        "flag": pa.array([True, None] * 5),
        "same": ["x"] * 10,
    }
)
DECLARATIONS = [
    Table(),
    Table(numbers="quantile", categories="embedding", as_category=["count"]),
    Table(numbers="min_max", missing_indicator=False, max_categories=1, dates=["weekday", "hour"]),
    Table(numbers="robust", whiten=True),
    Table(columns=["a*", "colour"], exclude=["alive"], numbers="none", min_count=3, as_number=["age"]),
]


def fitted(declared: Table, records: pa.RecordBatch) -> tuple[TableStep, Frozen]:
    step = declared.open()
    return step, step.freeze(step.observe(None, records))


def rows(declared: Table, records: pa.RecordBatch, given: pa.RecordBatch | None = None) -> dict[str, list[float]]:
    """Name of each column -> what it holds."""
    step, frozen = fitted(declared, records)
    found: Any = step.transform(frozen, None, records if given is None else given)[0]["table"]
    return dict(zip(step.names(frozen), found.T.tolist(), strict=True))


@pytest.mark.parametrize("declared", DECLARATIONS, ids=lambda declared: str(declared.model_dump(exclude_defaults=True)))
@pytest.mark.parametrize("check", STEP_CHECKS)
def test_the_suite_of_the_seam(check: Callable[[StepCase], None], declared: Table) -> None:
    check(StepCase(declared.open, RECORDS))


@pytest.mark.parametrize("check", STEP_CHECKS)
def test_the_suite_over_more_rows_than_a_block(check: Callable[[StepCase], None], monkeypatch: Any) -> None:
    monkeypatch.setattr("afield.preprocess.table.learn.BLOCK", 3)
    monkeypatch.setattr("afield.preprocess.table.step.BLOCK", 3)
    check(StepCase(Table(numbers="quantile").open, RECORDS))


def test_names_and_kinds() -> None:
    step, frozen = fitted(Table(dates=["year", "month", "weekday", "hour"]), RECORDS)
    assert step.names(frozen) == [
        "age",
        "alive",
        "amount",
        "count",
        *(f"when.{part} {wave}" for part in ("month", "weekday", "hour") for wave in ("sin", "cos")),
        *("day.weekday sin", "day.weekday cos"),
        *("age missing", "alive missing", "amount missing", "flag missing"),
        *("colour=red", "colour=blue", "colour=green", "colour missing"),
    ]
    assert step.columns(frozen, RECORDS.schema) == [
        *("age", "when", "alive", "amount", "count", "day", "flag", "colour"),
    ]
    assert step.inputs(frozen) == [StepInput("table", (20,))]
    assert frozen.config["notes"] == [
        "'flag': only where it is missing is read, for it has one value in training",
        "'same' is left out: it has one value in training",
    ]


def test_embedded_categories_are_numbered_from_one() -> None:
    declared = Table(columns=["colour", "count"], categories="embedding", as_category=["count"], max_categories=2)
    step, frozen = fitted(declared, RECORDS)
    found = step.transform(frozen, None, RECORDS)[0]
    assert list(found) == ["categories"]
    assert found["categories"].dtype == np.int32  # type: ignore[union-attr]
    # red, blue, missing; then 5, 3.
    assert np.asarray(found["categories"]).T.tolist() == [
        [1, 2, 1, 0, 3, 3, 2, 1, 1, 2],
        [1, 2, 1, 1, 0, 1, 1, 1, 1, 0],
    ]
    assert step.inputs(frozen) == [StepInput("categories", (2,), "int32", cardinalities=(4, 3))]
    assert step.names(frozen) == []


def test_rare_values_are_other_ones_and_unknown_ones_too() -> None:
    given = pa.record_batch({"colour": ["red", "green", "pink", None]})
    found = rows(Table(columns=["colour"], max_categories=2), RECORDS, given)
    assert found == {
        "colour=red": [1, 0, 0, 0],
        "colour=blue": [0, 0, 0, 0],
        "colour missing": [0, 0, 0, 1],
        "colour other": [0, 1, 1, 0],
    }
    # Where training met no other value, an unknown one is none of those known.
    assert rows(Table(columns=["colour"]), RECORDS, given.slice(2, 1)) == {
        "colour=red": [0],
        "colour=blue": [0],
        "colour=green": [0],
        "colour missing": [0],
    }
    assert list(rows(Table(columns=["colour"], missing_indicator=False, min_count=3), RECORDS)) == [
        "colour=red",
        "colour=blue",
        "colour other",
    ]


def test_text_in_a_column_of_numbers_counts_as_missing_later() -> None:
    given = pa.record_batch({"age": ["31", "unknown", "", None, "1e999", "-1e39"]})
    ages = [31, 45.5, 18, 77, 31, 20, -1, 50]
    found = rows(Table(columns=["age"], numbers="none"), RECORDS, given)
    assert found == {"age": [31, *[31] * 5], "age missing": [0, 1, 1, 1, 1, 1]}
    assert np.median(ages) == 31


def test_columns_may_come_in_another_type_than_in_training() -> None:
    declared = Table(columns=["age", "count", "day", "colour"], as_category=["count"])
    expected = rows(declared, RECORDS)
    given = pa.record_batch(
        {
            "age": pa.array([31, None, 45.5, 18, None, 77, 31, 20, -1, 50]),
            "count": pa.array([str(one) for one in RECORDS.column("count").to_pylist()]),
            "day": pa.array([str(one) for one in RECORDS.column("day").to_pylist()]),
            "colour": RECORDS.column("colour").dictionary_encode(),
        }
    )
    assert rows(declared, RECORDS, given) == expected


def test_numbers_that_stand_for_nothing() -> None:
    records = pa.record_batch({"x": [1.0, -999.0, 3.0], "y": ["1", "-999", "3"]})
    found = rows(Table(numbers="none", missing=["-999"]), records)
    assert found == {"x": [1, 2, 3], "y": [1, 2, 3], "x missing": [0, 1, 0], "y missing": [0, 1, 0]}


def test_far_numbers_are_clipped() -> None:
    records = pa.record_batch({"x": [0.0, 1.0]})
    found = rows(Table(clip=4), records, pa.record_batch({"x": [1e30, -1e300, 0.5, 3.0]}))
    # What 32 bits cannot hold is missing: the median.
    assert found == {"x": [4, 0, 0, 4]}
    assert rows(Table(clip=None), records, pa.record_batch({"x": [3.0]})) == {"x": [5]}


@pytest.mark.parametrize(
    ("records", "note"),
    [
        (
            {"id": [f"user-{row}" for row in range(1000)]},
            "'id' is left out: 1,000 of 1,000 values differ, as those of a name or number that identifies a record; "
            "list it under as_category to read it nevertheless",
        ),
        ({"id": ["", None, "?"] * 5}, "'id' is left out: it has no value in training"),
        ({"id": [[1], [2], [3]]}, "'id' is left out: columns of type list<item: int64> are not read"),
        ({"id": ["a", "a"]}, "'id' is left out: it has one value in training"),
        ({"id": pa.array([None, None])}, "'id' is left out: it has no value in training"),
        (
            {"id": [str(row % 7) for row in range(50)] + ["n.k."]},
            "'id' is taken as categories: 2.0% of its values are no numbers, such as 'n.k.'; list it under as_number "
            "to read those as missing",
        ),
    ],
)
def test_what_is_left_out_is_said(records: dict[str, Any], note: str) -> None:
    size = len(records["id"])
    step, frozen = fitted(Table(), pa.record_batch({**records, "x": [row % 2 for row in range(size)]}))
    assert frozen.config["notes"] == [note]
    assert "x" in step.names(frozen)


def test_columns_are_as_they_are_declared() -> None:
    records = pa.record_batch({"id": [str(row % 7) for row in range(50)] + ["n.k."]})
    assert list(rows(Table(as_number=["id"]), records)) == ["id", "id missing"]
    assert len(rows(Table(as_category=["i?"]), records)) == 8
    names = pa.record_batch({"id": [f"user-{row}" for row in range(30)]})
    assert len(rows(Table(as_category=["id"]), names)) == 30


def test_a_column_of_many_numbers_stays_one() -> None:
    most = learn.COUNTED
    texts = [str(row) for row in range(most + 1)]
    assert list(rows(Table(), pa.record_batch({"x": [*texts, "oops"]}))) == ["x", "x missing"]
    # The text stands before so many numbers were met.
    step, frozen = fitted(Table(), pa.record_batch({"x": ["oops", *texts], "y": [*texts, "0"]}))
    assert step.names(frozen) == ["y"]


@pytest.mark.parametrize("field", ["columns", "as_category", "as_number"])
def test_a_column_that_is_not_there_is_named(field: str) -> None:
    step = Table.model_validate({field: ["colour", "agee"]}).open()
    message = f"preprocess.table.{field}[1]: the records have no column 'agee'; did you mean 'age'?"
    for look in (lambda: step.columns(None, RECORDS.schema), lambda: step.observe(None, RECORDS)):
        with pytest.raises(DataError) as raised:
            look()
        assert str(raised.value) == message


def test_a_column_that_is_gone_is_named() -> None:
    step, frozen = fitted(Table(columns=["age", "colour"]), RECORDS)
    with pytest.raises(DataError) as raised:
        step.columns(frozen, RECORDS.select(["colour", "count"]).schema)
    assert str(raised.value) == ("preprocess.table.columns: the records have no column 'age'; there are colour, count")


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(DataError) as raised:
        fitted(Table(columns=["same"]), RECORDS)
    assert str(raised.value) == (
        "preprocess.table: no column is left to learn from in 10 records: 'same' is left out: it has one value in "
        "training; name the columns under as_category or as_number, or read others"
    )
    with pytest.raises(DataError) as raised:
        fitted(Table(exclude=["*"]), RECORDS.select(["age", "same"]))
    assert str(raised.value) == ("preprocess.table: no column is left to read of age, same; change columns or exclude")
    with pytest.raises(DataError, match="no column is left to learn from in 0 records: 'age' is left out"):
        fitted(Table(), RECORDS.slice(0, 0))


def test_what_may_be_stored_is_what_is_there() -> None:
    shown = Table(exclude=["same"]).open().masked(RECORDS, "names")
    assert list(shown) == [name for name in RECORDS.schema.names if name not in ("_line", "same")]
    assert shown["age"].equals(RECORDS.column("age"))


def test_a_large_table_is_ranked_by_a_sample(monkeypatch: Any) -> None:
    monkeypatch.setattr("afield.preprocess.table.moments.ROWS", 2000)
    values = np.random.default_rng(3).normal(size=30_000)
    records = pa.record_batch({"x": values, "y": values * 2})
    step, frozen = fitted(Table(numbers="quantile"), records)
    knots = frozen.arrays["knots"][:1000]
    np.testing.assert_allclose(knots[[250, 500, 750]], np.quantile(values, [0.25, 0.5, 0.75]), atol=0.1)
    # The sample is of whole rows, and does not depend on the batches.
    np.testing.assert_allclose(frozen.arrays["knots"][1000:], 2 * knots)
    state = None
    for begin in range(0, 30_000, 700):
        state = step.observe(state, records.slice(begin, 700))
    assert state is not None
    np.testing.assert_array_equal(step.freeze(state).arrays["knots"], frozen.arrays["knots"])


cell = st.one_of(st.none(), st.sampled_from(["", "?", "a", "b", " a", "1", "2.5", "true", "2024-05-01", "nan", "é"]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cell, st.one_of(st.none(), st.floats(width=32)), cell), min_size=12, max_size=30))
def test_any_table_is_read_the_same_row_by_row(table: list[tuple[Any, Any, Any]]) -> None:
    first, second, third = zip(*table, strict=True)
    records = pa.record_batch(
        {"a": pa.array(first, pa.string()), "b": pa.array(second, pa.float32()), "c": pa.array(third, pa.string())}
    )
    step = Table(as_number=["c"]).open()
    try:
        frozen = step.freeze(step.observe(None, records))
    except DataError:
        return
    whole: Any = step.transform(frozen, None, records)[0]["table"]
    assert np.isfinite(whole).all()
    single: list[Any] = [step.transform(frozen, None, records.slice(row, 1))[0]["table"] for row in range(len(table))]
    np.testing.assert_array_equal(np.concatenate(single), whole)
