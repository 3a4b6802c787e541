"""The preprocessing as one thing: fitted on training records, frozen, applied anywhere."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from columns import Columns

from afield.errors import BundleError, DataError, UseCaseError
from afield.preprocess.base import Frozen, StepInput
from afield.preprocess.pipeline import Part, Pipeline
from afield.preprocess.rows import SparseRows
from afield.preprocess.table.spec import Table
from afield.preprocess.text.spec import Text
from afield.preprocess.window.spec import Window
from afield.preprocess.windows import Windows
from afield.runtime.triggers import OnArrival

TRAINING = [pa.record_batch({"line": ["one 1 two", "two 2 three"]}), pa.record_batch({"line": ["three 3 one"]})]
OTHERS = pa.record_batch({"line": ["one two", "four 4 one", "ONE 7 two", ""], "n": [1, 2, 3, 4]})
MINUTES = pa.record_batch(
    {"a": [1.0, 2, 3, 4, 5, 6], "b": [10.0, 20, 30, 40, 50, 60], "node": ["x", "y", "x", "y", "x", "x"]}
)


@pytest.fixture
def pipeline() -> Pipeline:
    made = Pipeline.of([Text(column="line", mask=["number"])])
    made.fit(TRAINING)
    return made


@pytest.fixture
def windowed() -> Pipeline:
    """Windows of two rows of a node, of two features."""
    declared = Window(length=2, key="node")
    window = "window", declared.open(), Frozen({"window": declared.model_dump(mode="json")})
    made = Pipeline([Part("a", Columns("a", output="a")), Part("b", Columns("b", output="b", hidden=("b",)))], window)
    made.fit([MINUTES])
    return made


def sparse(value: object) -> SparseRows:
    assert isinstance(value, SparseRows)
    return value


def windows(value: object) -> Windows:
    assert isinstance(value, Windows)
    return value


def test_it_is_fitted_on_what_it_is_given(pipeline: Pipeline) -> None:
    assert (pipeline.line, pipeline.columns(OTHERS.schema)) == ("line", ["line"])
    assert pipeline.text is not None
    assert sorted(pipeline.vocabulary().to_pylist()) == ["<number>", "one", "three", "two"]
    assert sparse(pipeline.rows(OTHERS)["text"]).lengths.tolist() == [2, 2, 3, 0]
    read = pipeline.read(OTHERS)
    assert (read.terms, read.unknown, read.ends.tolist(), read.carry) == (8, 1, [0, 1, 2, 3], None)
    assert pipeline.inputs() == [StepInput("text", (4,), sparse=True)]


def test_a_bundle_carries_it(pipeline: Pipeline) -> None:
    restored = Pipeline.restored(pipeline.frozen())
    assert restored.line == "line"
    assert restored.vocabulary().equals(pipeline.vocabulary())
    for name in ("indptr", "ids", "weights"):
        np.testing.assert_array_equal(
            getattr(restored.rows(OTHERS)["text"], name), getattr(pipeline.rows(OTHERS)["text"], name)
        )


def test_a_bundle_carries_a_window(pipeline: Pipeline) -> None:
    frozen = Frozen({"window": Window(length=3, key="n").model_dump(mode="json")})
    restored = Pipeline.restored([*pipeline.frozen(), ("window", frozen)])
    assert restored.window is not None
    assert restored.window.length == 3
    assert restored.columns(OTHERS.schema) == ["line", "n"]
    assert [name for name, _ in restored.frozen()] == ["text", "window"]


def test_only_what_it_reads_may_be_stored_and_that_masked(pipeline: Pipeline, windowed: Pipeline) -> None:
    assert pipeline.masked(OTHERS, "names").to_pydict() == {
        "line": ["one two", "four <number> one", "ONE <number> two", ""]
    }
    found = windowed.masked(MINUTES.append_column("secret", pa.array(["s"] * 6)), "stand-ins").to_pydict()
    assert found == {"a": [1, 2, 3, 4, 5, 6], "b": [0] * 6, "node": ["x", "y", "x", "y", "x", "x"]}


@pytest.mark.parametrize("last", [True, False])
def test_what_one_step_masks_another_does_not_show(last: bool) -> None:
    # The table reads every column as it is.
    parts = [
        Part("text", Text(column="line", mask=["number"]).open()),
        Part("table", Table(as_category=["line"]).open()),
    ]
    made = Pipeline(parts if last else parts[::-1])
    made.fit([OTHERS])
    assert made.masked(OTHERS, "names")["line"].to_pylist() == ["one two", "four <number> one", "ONE <number> two", ""]


def test_several_steps_give_their_features_together() -> None:
    made = Pipeline([Part("text", Text(column="line").open()), Part("columns", Columns("n"))])
    made.fit([OTHERS])
    assert (made.line, made.text) == (None, None)
    assert made.columns(OTHERS.schema) == ["line", "n"]
    assert [one.feature for one in made.inputs()] == ["text", "numbers"]
    read = made.read(OTHERS)
    assert (list(read.features), read.terms, read.unknown) == (["text", "numbers"], 0, 0)
    assert len(sparse(read.features["text"])) == 4
    np.testing.assert_array_equal(np.asarray(read.features["numbers"]), [[1], [2], [3], [4]])
    assert made.notes() == ["4 records seen"]


def test_a_window_joins_the_rows_of_all_steps(windowed: Pipeline) -> None:
    assert windowed.line is None
    assert windowed.columns(MINUTES.schema) == ["a", "b", "node"]
    assert windowed.inputs() == [StepInput("a", (2, 1)), StepInput("b", (2, 1))]
    read = windowed.read(MINUTES)
    assert read.ends.tolist() == [2, 3, 4, 5]
    dense = windows(read.features["a"]).dense()[..., 0]
    ends = sorted(zip(read.ends.tolist(), dense.tolist(), strict=True))
    assert ends == [(2, [1, 3]), (3, [2, 4]), (4, [3, 5]), (5, [5, 6])]
    np.testing.assert_array_equal(windows(read.features["b"]).dense()[..., 0], 10 * dense)


def test_a_window_reaches_over_two_batches(windowed: Pipeline) -> None:
    whole = windowed.read(MINUTES)
    carry, found = None, []
    for start, stop in ((0, 1), (1, 4), (4, 4), (4, 6)):
        read = windowed.read(MINUTES.slice(start, stop - start), carry)
        carry = read.carry
        dense = windows(read.features["a"]).dense()[..., 0]
        found += zip((read.ends + start).tolist(), dense.tolist(), strict=True)
    expected = windows(whole.features["a"]).dense()[..., 0]
    assert found == list(zip(whole.ends.tolist(), expected.tolist(), strict=True))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["lime", "other", "_file"], "the records have no column 'line'; did you mean 'lime'?"),
        (["level", "host", "_file"], "the records have no column 'line'; there are level, host"),
        (["_file"], "the records have no column 'line'; there are no columns"),
    ],
)
def test_a_column_that_is_not_there(pipeline: Pipeline, columns: list[str], message: str) -> None:
    schema = pa.schema([(name, pa.string()) for name in columns])
    for made in (pipeline, Pipeline.of([Text(column="line")])):
        with pytest.raises(DataError, match=f"^{re.escape(f'preprocess.text.column: {message}')}$"):
            made.columns(schema)


def test_a_column_of_the_window_that_is_not_there(windowed: Pipeline) -> None:
    schema = pa.schema([("a", pa.float64()), ("b", pa.float64()), ("nodes", pa.string())])
    message = "preprocess.window.key: the records have no column 'node'; did you mean 'nodes'?"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        windowed.columns(schema)


def test_what_cannot_be_a_pipeline() -> None:
    none = "preprocess: expected a step on records such as `text`, `table` or `image`, found none"
    for declared, message in (
        ([OnArrival()], "preprocess[0]: expected a step, found on_arrival"),
        ([Text(), OnArrival()], "preprocess[1]: expected a step, found on_arrival"),
        ([], none),
        ([Window(length=2)], none),
        ([Window(length=2), Text()], "preprocess[1]: `text` stands after `window`, which must come last"),
        (
            [Text(), Window(length=2), Window(length=3)],
            "preprocess[2]: `window` stands after `window`, which must come last",
        ),
    ):
        with pytest.raises(UseCaseError, match=f"^{re.escape(message)}$"):
            Pipeline.of(declared)


def test_features_that_cannot_enter_together() -> None:
    twice = Pipeline.of([Text(column="line"), Text(column="line", lowercase=False)])
    twice.fit(TRAINING)
    message = "preprocess: two steps give a feature 'text'; give one of them another `output:`"
    with pytest.raises(UseCaseError, match=f"^{re.escape(message)}$"):
        twice.inputs()
    joined = Pipeline.of([Text(column="line"), Window(length=2)])
    joined.fit(TRAINING)
    with pytest.raises(UseCaseError, match=r"^preprocess: `window` joins numbers, and 'text' is text$"):
        joined.inputs()


def test_nothing_to_fit_on() -> None:
    with pytest.raises(DataError, match=r"^preprocess: there are no training records to fit it on$"):
        Pipeline.of([Text()]).fit([])


def test_a_step_that_is_not_installed(pipeline: Pipeline) -> None:
    ((_, frozen),) = pipeline.frozen()
    with pytest.raises(BundleError, match=r"^the bundle needs the step 'spectrum', which is not installed here; "):
        Pipeline.restored([("spectrum", frozen)])
