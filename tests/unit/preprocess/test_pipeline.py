"""The preprocessing as one thing: fitted on training records, frozen, applied anywhere."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest

from afield.errors import BundleError, DataError, UseCaseError
from afield.preprocess.pipeline import Pipeline
from afield.preprocess.text.spec import Text
from afield.runtime.triggers import OnArrival

TRAINING = [pa.record_batch({"line": ["one 1 two", "two 2 three"]}), pa.record_batch({"line": ["three 3 one"]})]
OTHERS = pa.record_batch({"line": ["one two", "four 4 one", "ONE 7 two", ""], "n": [1, 2, 3, 4]})


@pytest.fixture
def pipeline() -> Pipeline:
    made = Pipeline.of([Text(column="line", mask=["number"])])
    made.fit(TRAINING)
    return made


def test_it_is_fitted_on_what_it_is_given(pipeline: Pipeline) -> None:
    assert pipeline.column == "line"
    assert sorted(pipeline.vocabulary().to_pylist()) == ["<number>", "one", "three", "two"]
    rows = pipeline.features(OTHERS)["text"]
    assert rows.lengths.tolist() == [2, 2, 3, 0]
    read = pipeline.read(OTHERS)
    assert (read.terms, read.unknown) == (8, 1)


def test_a_bundle_carries_it(pipeline: Pipeline) -> None:
    restored = Pipeline.restored(pipeline.frozen())
    assert restored.column == "line"
    assert restored.vocabulary().equals(pipeline.vocabulary())
    for name in ("indptr", "ids", "weights"):
        np.testing.assert_array_equal(
            getattr(restored.features(OTHERS)["text"], name), getattr(pipeline.features(OTHERS)["text"], name)
        )


def test_records_that_read_the_same_have_one_key(pipeline: Pipeline) -> None:
    batch = pa.record_batch({"line": ["one 1 two", "ONE 27 two", "two 1 one", "one x two"]})
    unfitted = Pipeline.of([Text(column="line", mask=["number"])])
    keys = unfitted.keys(batch)
    assert keys[0] == keys[1]
    assert len(set(keys.tolist())) == 3
    np.testing.assert_array_equal(pipeline.keys(batch), keys)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["lime", "other", "_file"], "the records have no column 'line'; did you mean 'lime'?"),
        (["level", "host", "_file"], "the records have no column 'line'; there are level, host"),
        (["_file"], "the records have no column 'line'; there are no columns"),
    ],
)
def test_a_column_that_is_not_there(pipeline: Pipeline, columns: list[str], message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(f'preprocess.text.column: {message}')}$"):
        pipeline.demand(pa.schema([(name, pa.string()) for name in columns]))
    pipeline.demand(OTHERS.schema)


def test_what_cannot_be_a_pipeline() -> None:
    with pytest.raises(UseCaseError, match=r"^preprocess: expected one `text` step, found text, text$"):
        Pipeline.of([Text(), Text()])
    with pytest.raises(UseCaseError, match=r"^preprocess: expected one `text` step, found on_arrival$"):
        Pipeline.of([OnArrival()])
    with pytest.raises(UseCaseError, match=r"^preprocess: expected one `text` step, found $"):
        Pipeline.of([])


def test_nothing_to_fit_on() -> None:
    with pytest.raises(DataError, match=r"^preprocess: there are no training records to fit it on$"):
        Pipeline.of([Text()]).fit([])


def test_a_step_that_is_not_installed(pipeline: Pipeline) -> None:
    ((_, frozen),) = pipeline.frozen()
    with pytest.raises(BundleError, match=r"^the bundle needs the step 'spectrum', which is not installed here; "):
        Pipeline.restored([("spectrum", frozen)])
