"""A table step set to records whose numbers are larger: it gives what it would have given for the smaller ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from afield.preprocess.pipeline import Pipeline
from afield.preprocess.table.spec import Table
from afield.preprocess.window.spec import Window
from afield.preprocess.windows import Windows

TIMES = np.array([4.0, 0.5, 30.0])


def records(times: np.ndarray | None = None) -> pa.RecordBatch:
    rng = np.random.default_rng(0)
    values = rng.lognormal(2, 1, (400, 3)) * (1 if times is None else times)
    columns: dict[str, Any] = {f"c{number}": column for number, column in enumerate(values.T)}
    columns["below"] = rng.normal(0, 1, 400)
    columns["truth"] = rng.uniform(size=400) < 0.3
    columns["when"] = pa.array(np.arange(400) * 86_400, pa.timestamp("s"))
    columns["zero"] = np.append(np.zeros(399), 1.0 if times is None else 0.0)
    return pa.record_batch(columns)


def fitted(declared: Table, *others: Any) -> Pipeline:
    pipeline = Pipeline.of([declared, *others])
    pipeline.fit([records()])
    return pipeline


@pytest.mark.parametrize("numbers", ["standardize", "robust", "quantile", "min_max", "none"])
def test_larger_records_look_like_the_known_ones(numbers: Any) -> None:
    pipeline = fitted(Table(numbers=numbers, clip=None))
    levels = pipeline.levels(records())
    other, factors = pipeline.leveled(records(TIMES), levels)
    named = dict(zip([name for name, _ in pipeline.parts[0].fitted.config["numbers"]], factors, strict=True))
    np.testing.assert_allclose([named[f"c{n}"] for n in range(3)], 1 / TIMES, rtol=1e-12)
    # What has no mean that tells how large it is, and what is 0 over the other records, stays as it was.
    assert [named[name] for name in ("below", "truth", "zero")] == [1, 1, 1]
    known, found = (np.asarray(p.rows(b)["table"])[:, :-1] for p, b in ((pipeline, records()), (other, records(TIMES))))
    columns = [place for place, name in enumerate(named) if name != "zero"]
    np.testing.assert_allclose(found[:, columns], known[:, columns], rtol=1e-5, atol=1e-5)


def test_a_missing_number_takes_no_part() -> None:
    pipeline = fitted(Table(columns=["c0"]))
    levels = pipeline.levels(pa.record_batch({"c0": [1.0, None, 5.0]}))
    np.testing.assert_array_equal(levels, [3.0])
    assert np.isnan(pipeline.levels(pa.record_batch({"c0": pa.array([None, None], pa.float64())})))


def test_a_window_stays_and_other_steps_have_no_levels() -> None:
    pipeline = fitted(Table(columns=["c0"]), Window(length=3, stride=1))
    other, _ = pipeline.leveled(records(TIMES), pipeline.levels(records()))
    found, known = other.read(records(TIMES)).features["table"], pipeline.read(records()).features["table"]
    assert isinstance(found, Windows)
    assert isinstance(known, Windows)
    np.testing.assert_allclose(found.dense(), known.dense(), rtol=1e-5, atol=1e-5)
