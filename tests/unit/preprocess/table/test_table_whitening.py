"""Robust scaling against scikit-learn's, and whitened numbers: uncorrelated, small differences as large as any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.decomposition import PCA
from sklearn.preprocessing import RobustScaler

from afield.preprocess.table.scaling import QUARTILES
from afield.preprocess.table.spec import Table
from afield.preprocess.table.whitening import LEAST, Whitening


def features(declared: Table, records: pa.RecordBatch, given: pa.RecordBatch | None = None) -> np.ndarray:
    step = declared.open()
    frozen = step.freeze(step.observe(None, records))
    found: Any = step.transform(frozen, None, records if given is None else given)[0]["table"]
    return found


def batch(values: np.ndarray) -> pa.RecordBatch:
    return pa.record_batch({f"c{number}": column for number, column in enumerate(values.T)})


def test_robust_as_scikit_learn_scales_it() -> None:
    values = np.random.default_rng(0).lognormal(3, 1, (500, 3))
    expected = RobustScaler().fit_transform(values) * QUARTILES
    np.testing.assert_allclose(features(Table(numbers="robust"), batch(values)), np.arcsinh(expected), atol=1e-5)


def test_a_column_nearly_always_the_same_is_scaled_by_a_tenth_of_its_deviation() -> None:
    values = np.zeros((100, 1))
    values[7] = 5
    found = features(Table(numbers="robust"), batch(values))
    np.testing.assert_allclose(found[7], np.arcsinh(5 / (0.1 * values.std())), rtol=1e-6)


def test_missing_numbers_take_the_median_and_truths_keep_their_place() -> None:
    records = pa.record_batch({"x": [1.0, 2.0, 4.0, None], "t": [True, True, None, False]})
    found = features(Table(numbers="robust", missing_indicator=False), records)
    assert found[3, 0] == 0
    np.testing.assert_allclose(found[:, 1], np.arcsinh([1, 1, 1, 0]), rtol=1e-6)


def test_usual_records_are_whitened_as_scikit_learn_whitens_them() -> None:
    rng = np.random.default_rng(1)
    values = rng.uniform(-1, 1, (4000, 3)) @ rng.normal(size=(3, 3))
    values -= np.median(values, axis=0)
    values /= np.abs(values).max()
    whitening = Whitening.of(values)
    found = np.sinh(whitening.apply(values))
    theirs = PCA(whiten=True).fit(values)
    # Without what every deviation has at least, and in the opposite order of directions.
    spread = theirs.explained_variance_[::-1]
    expected = (values @ theirs.components_[::-1].T) * np.sign(
        np.sum(theirs.components_[::-1] * whitening.turn.T, axis=1)
    )
    np.testing.assert_allclose(found, expected / np.sqrt(spread + LEAST**2), atol=0.02)


def test_a_small_difference_of_two_columns_alike_stands_out() -> None:
    rng = np.random.default_rng(2)
    load = rng.normal(size=1000)
    values = np.stack([load, load + 0.01 * rng.normal(size=1000)], axis=1)
    apart = np.array([[0.5, 0.0], [0.0, 0.0]])
    plain, white = (
        features(Table(numbers="robust", whiten=whiten), batch(values), batch(apart)) for whiten in (False, True)
    )
    assert np.abs(plain[0] - plain[1]).max() < 0.6
    assert np.abs(white[0] - white[1]).max() > 1.5


def test_directions_are_named_by_number() -> None:
    step = Table(numbers="robust", whiten=True).open()
    records = pa.record_batch({"a": [1.0, 2.0, 4.0], "b": [3.0, 1.0, 2.0], "c": ["x", "y", "x"]})
    assert step.names(step.freeze(step.observe(None, records))) == ["direction 1", "direction 2", "c=x", "c=y"]
