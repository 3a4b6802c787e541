"""The table step beside scikit-learn's transformers, on real tables."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, QuantileTransformer, StandardScaler
from tables import ADULT, floats, read_table

from afield.preprocess.base import Frozen
from afield.preprocess.table.spec import Table
from afield.preprocess.table.step import TableStep

NUMERIC = ["age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
CATEGORICAL = [name for name in ADULT if name not in NUMERIC and name != "income"]


def fitted(declared: Table, *batches: pa.RecordBatch) -> tuple[TableStep, Frozen]:
    step, state = declared.open(), None
    for batch in batches:
        state = step.observe(state, batch)
    assert state is not None
    return step, step.freeze(state)


def features(step: TableStep, frozen: Frozen, batch: pa.RecordBatch) -> np.ndarray:
    found = step.transform(frozen, None, batch)[0]["table"]
    assert isinstance(found, np.ndarray)
    return found


@pytest.fixture(scope="module")
def adult(data: Path) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    return tuple(read_table(data / "tabular" / f"adult-{part}.csv", ADULT) for part in ("train", "test"))  # type: ignore[return-value]


def columns_of(batch: pa.RecordBatch, names: list[str]) -> np.ndarray:
    return np.array([[text.strip() for text in batch.column(name).to_pylist()] for name in names], object).T


def test_adult_as_standard_scaler_and_one_hot_encoder_give_it(adult: tuple[pa.RecordBatch, pa.RecordBatch]) -> None:
    train, test = adult
    step, frozen = fitted(Table(exclude=["income"], clip=None), train)
    names = step.names(frozen)
    assert frozen.config["notes"] == []
    assert names[: len(NUMERIC)] == NUMERIC
    found = features(step, frozen, test)
    assert found.dtype == np.float32
    numbers = StandardScaler().fit(columns_of(train, NUMERIC).astype(float))
    expected = numbers.transform(columns_of(test, NUMERIC).astype(float))
    np.testing.assert_allclose(found[:, : len(NUMERIC)], expected, rtol=1e-5, atol=1e-6)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(columns_of(train, CATEGORICAL))
    one_hot = encoder.transform(columns_of(test, CATEGORICAL))
    theirs = [
        f"{name} missing" if value == "?" else f"{name}={value}"
        for name, values in zip(CATEGORICAL, encoder.categories_, strict=True)
        for value in values
    ]
    assert sorted(names[len(NUMERIC) :]) == sorted(theirs)
    np.testing.assert_array_equal(found[:, [names.index(name) for name in theirs]], one_hot)


def test_min_max_as_scikit_learn_gives_it(adult: tuple[pa.RecordBatch, pa.RecordBatch]) -> None:
    train, test = adult
    step, frozen = fitted(Table(columns=NUMERIC, numbers="min_max"), train)
    expected = MinMaxScaler().fit(columns_of(train, NUMERIC).astype(float))
    expected = expected.transform(columns_of(test, NUMERIC).astype(float))
    np.testing.assert_allclose(features(step, frozen, test), expected, rtol=1e-5, atol=1e-6)


def test_quantiles_lie_where_scikit_learn_puts_them(data: Path) -> None:
    batch = read_table(data / "tabular" / "titanic.csv")
    fares = np.array(floats(batch, "fare"))
    step, frozen = fitted(Table(columns=["fare"], numbers="quantile"), batch)
    ours = features(step, frozen, batch)[:, 0]
    reference = QuantileTransformer(n_quantiles=len(fares), output_distribution="normal").fit(fares[:, None])
    theirs = reference.transform(fares[:, None])[:, 0]
    inner = np.abs(theirs) < 2
    # Half a rank apart at most: this step takes the middle of equal values too, and keeps the ends half a rank inside.
    np.testing.assert_allclose(ours[inner], theirs[inner], atol=0.02)
    assert np.abs(ours).max() < 3.3
    order = np.argsort(fares)
    assert (np.diff(ours[order]) >= 0).all()


def test_quantiles_make_any_distribution_normal() -> None:
    values = np.exp(3 * np.random.default_rng(0).normal(size=50_000))
    batch = pa.record_batch({"x": values})
    step, frozen = fitted(Table(numbers="quantile"), batch)
    assert len(frozen.arrays["knots"]) == 1000
    found = features(step, frozen, batch)[:, 0]
    assert abs(found.mean()) < 0.01
    assert abs(found.std() - 1) < 0.01
    beyond = features(step, frozen, pa.record_batch({"x": [-1e30, 1e30]}))[:, 0]
    np.testing.assert_allclose(beyond, [found.min(), found.max()])


def test_missing_ages_are_the_median_and_are_said(data: Path) -> None:
    batch = read_table(data / "tabular" / "titanic.csv")
    step, frozen = fitted(Table(exclude=["survived", "alive"]), batch)
    ages = np.array(floats(batch, "age"))
    found, names = features(step, frozen, batch), step.names(frozen)
    absent = np.isnan(ages)
    expected = (np.where(absent, np.nanmedian(ages), ages) - np.nanmean(ages)) / np.nanstd(ages)
    np.testing.assert_allclose(found[:, names.index("age")], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found[:, names.index("age missing")], absent)
    assert [name for name in names if name.endswith(" missing")] == [
        "age missing",
        "embarked missing",
        "deck missing",
        "embark_town missing",
    ]
    # Truths stay 0 and 1.
    alone = [text == "True" for text in batch.column("alone").to_pylist()]
    np.testing.assert_array_equal(found[:, names.index("alone")], alone)


def test_bike_sharing_dates_become_circles(data: Path) -> None:
    batch = read_table(data / "tabular" / "bike_sharing_hour.csv")
    step, frozen = fitted(Table(columns=["dteday", "hr"], numbers="none"), batch)
    names = step.names(frozen)
    assert names == [
        "dteday.year",
        "dteday.elapsed days",
        "hr",
        *(f"dteday.{part} {wave}" for part in ("month", "day", "weekday") for wave in ("sin", "cos")),
    ]
    found = features(step, frozen, batch)
    days = np.array(batch.column("dteday").to_pylist(), "datetime64[D]")
    np.testing.assert_array_equal(found[:, 0], days.astype("datetime64[Y]").astype(int) + 1970)
    np.testing.assert_array_equal(found[:, 1], (days - days.min()).astype(int))
    month = np.array([int(text[5:7]) for text in batch.column("dteday").to_pylist()])
    np.testing.assert_allclose(found[:, 3], np.sin(2 * np.pi * (month - 1) / 12), atol=1e-6)
    weekday = np.array([day.item().weekday() for day in days])
    np.testing.assert_allclose(found[:, 7], np.sin(2 * np.pi * weekday / 7), atol=1e-6)
    np.testing.assert_allclose(found[:, 8], np.cos(2 * np.pi * weekday / 7), atol=1e-6)


@pytest.mark.parametrize("numbers", ["standardize", "quantile"])
def test_many_columns_are_fast(numbers: str) -> None:
    values = np.random.default_rng(0).normal(size=(20_000, 208)).astype(np.float32)
    batch = pa.record_batch({f"c{place}": np.ascontiguousarray(values[:, place]) for place in range(208)})
    begin = time.process_time()
    step, frozen = fitted(Table(numbers=numbers), batch)  # pyright: ignore[reportArgumentType]
    fit = time.process_time() - begin
    found = features(step, frozen, batch)
    whole = time.process_time() - begin - fit
    assert fit < 1
    assert whole < 0.5
    if numbers == "standardize":
        np.testing.assert_allclose(found, StandardScaler().fit_transform(values), atol=1e-5)
