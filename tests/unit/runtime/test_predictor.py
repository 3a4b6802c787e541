"""A bundle at work: its own answers, and refusal where this machine computes something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from bundles import FACTS, packed
from networks import softmax_of_sums, weighted_sum

from afield.bundle import open_bundle
from afield.bundle.examples import EXAMPLE, EXPECTED, FIGURE
from afield.errors import BundleError, DataError
from afield.preprocess.pipeline import Pipeline
from afield.preprocess.table.spec import Table
from afield.preprocess.text.spec import Text
from afield.preprocess.window.spec import Window
from afield.runtime.decisions import Value, frozen
from afield.runtime.predictor import Predictor

TEXTS = ["kernel panic", "app started", "app stopped", "kernel: app", ""]
SPARSE = [
    {"name": "ids", "dtype": "int32", "feature": "text", "form": "ids"},
    {"name": "weights", "dtype": "float32", "feature": "text", "form": "weights"},
]
LOGITS = {"app": (5.0, 0.0), "kernel": (0.0, 3.0)}
"""What a term says for each class, app and kernel."""


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    made = Pipeline.of([Text()])
    made.fit([pa.record_batch({"text": TEXTS})])
    return made


@pytest.fixture(scope="module")
def network(pipeline: Pipeline) -> bytes:
    terms = pipeline.vocabulary().to_pylist()
    return softmax_of_sums(np.array([LOGITS.get(term, (0.0, 0.0)) for term in terms], np.float32))


@pytest.fixture(scope="module")
def answers(pipeline: Pipeline, network: bytes, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What the network says to the texts, computed densely."""
    rows = pipeline.rows(pa.record_batch({"text": TEXTS}))["text"]
    dense = np.zeros((len(TEXTS), rows.width))
    dense[np.repeat(np.arange(len(TEXTS)), rows.lengths), rows.ids] = rows.weights
    logits = dense @ np.array([LOGITS.get(term, (0.0, 0.0)) for term in pipeline.vocabulary().to_pylist()])
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return {
        "name": [["app", "kernel"][best] for best in chances.argmax(axis=1)],
        "chance": chances.max(axis=1).tolist(),
    }


def bundle(path: Path, pipeline: Pipeline, network: bytes, names: list[str], chances: list[float]) -> Path:
    examples = pa.table({"text": TEXTS, EXPECTED: names, FIGURE: pa.array(chances, pa.float32())})
    packed(path, network=network, steps=pipeline.frozen(), examples=examples, facts=FACTS | {"inputs": SPARSE})
    return path


@pytest.fixture
def good(tmp_path: Path, pipeline: Pipeline, network: bytes, answers: dict[str, list[Any]]) -> Path:
    return bundle(tmp_path / "logs.afield", pipeline, network, answers["name"], answers["chance"])


def test_its_answers(good: Path, answers: dict[str, list[Any]]) -> None:
    predictor = Predictor(good, threads=1)
    assert predictor.version == "v1"
    found = predictor.answer(pa.record_batch({"n": range(5), "text": TEXTS}))
    assert found.columns["prediction"].to_pylist() == answers["name"] == ["kernel", "app", "app", "app", "app"]
    assert (list(found.columns), found.figure) == (["prediction", "probability"], "probability")
    np.testing.assert_allclose(found.columns["probability"].to_numpy(), answers["chance"], rtol=1e-5)
    assert found.columns["probability"].type == pa.float32()
    assert (found.ends.tolist(), found.carry, found.terms, found.unknown) == ([0, 1, 2, 3, 4], None, 8, 0)


def test_an_opened_bundle_will_do(good: Path) -> None:
    found = Predictor(open_bundle(good)).answer(pa.record_batch({"text": pa.array([], pa.string())}))
    assert [(name, column.to_pylist()) for name, column in found.columns.items()] == [
        ("prediction", []),
        ("probability", []),
    ]
    assert found.ends.tolist() == []


def test_a_column_that_is_not_there(good: Path) -> None:
    with pytest.raises(DataError, match=r"^preprocess\.text\.column: the records have no column 'text'; there are n$"):
        Predictor(good).answer(pa.record_batch({"n": [1]}))


def test_an_example_that_is_answered_with_another_class(
    tmp_path: Path, pipeline: Pipeline, network: bytes, answers: dict[str, list[Any]]
) -> None:
    path = bundle(
        tmp_path / "x.afield", pipeline, network, [*answers["name"][:2], "kernel", "app", "app"], answers["chance"]
    )
    with pytest.raises(BundleError) as refused:
        Predictor(path)
    chance = f"{answers['chance'][2]:.4f}"
    assert str(refused.value) == (
        f"{path}: refused to start: example 3 must be answered 'kernel' with {chance}, here it is 'app' with"
        f" {chance}; this machine's libraries compute something else: pack the bundle again, or install the versions"
        " named in its manifest"
    )


@pytest.mark.parametrize("wrong", [0.9, float("nan")])
def test_an_example_that_is_answered_with_another_probability(
    tmp_path: Path, pipeline: Pipeline, network: bytes, answers: dict[str, list[Any]], wrong: float
) -> None:
    chances = [*answers["chance"][:4], wrong]
    path = bundle(tmp_path / "x.afield", pipeline, network, answers["name"], chances)
    with pytest.raises(BundleError) as refused:
        Predictor(path)
    assert str(refused.value).startswith(
        f"{path}: refused to start: example 5 must be answered 'app' with {wrong:.4f}, here it is 'app' with"
        " 0.5000; this machine's libraries"
    )


def test_a_difference_that_rounding_makes_is_let_pass(
    tmp_path: Path, pipeline: Pipeline, network: bytes, answers: dict[str, list[Any]]
) -> None:
    chances = [chance + 5e-4 for chance in answers["chance"]]
    Predictor(bundle(tmp_path / "x.afield", pipeline, network, answers["name"], chances))


def test_a_step_that_is_not_installed(tmp_path: Path, pipeline: Pipeline, network: bytes) -> None:
    ((_, frozen),) = pipeline.frozen()
    packed(tmp_path / "x.afield", network=network, steps=[("spectrum", frozen)], facts=FACTS | {"inputs": SPARSE})
    with pytest.raises(BundleError) as refused:
        Predictor(tmp_path / "x.afield")
    assert (
        str(refused.value) == "the bundle needs the step 'spectrum', which is not installed here; install its package"
    )


SERIES = [0.0, 1, 2, 4, 8, 16]
WEIGHTS = np.array([1.0, 10, 100], np.float32)


def series(node: str, values: list[float]) -> pa.RecordBatch:
    return pa.record_batch({"v": pa.array(values, pa.float64()), "node": [node] * len(values)})


def windowed(path: Path, examples: pa.Table) -> Path:
    """A bundle that sums windows of three records of a node by weight, with these examples."""
    made = Pipeline.of([Table(columns=["v"], numbers="none"), Window(length=3, key="node")])
    made.fit([series("a", SERIES)])
    entered = {"name": "x", "dtype": "float32", "feature": "", "form": "joined"}
    packed(
        path,
        network=weighted_sum(WEIGHTS),
        steps=made.frozen(),
        decision=frozen(Value()),
        examples=examples,
        facts=FACTS | {"kind": "regress", "classes": [], "inputs": [entered]},
    )
    return path


def window_examples(*answers: float) -> pa.Table:
    """Windows of three records; an answer stands in the last of each."""
    parts = [series("a", SERIES[start : start + 3]) for start in range(len(answers))]
    rows = pa.Table.from_batches(parts)
    expected = [None, None, *(value for answer in answers for value in (str(answer), None, None))][: rows.num_rows]
    figures = [0.0 if text is None else float(text) for text in expected]
    columns = {
        EXAMPLE: pa.array(np.repeat(np.arange(len(answers)), 3), pa.int32()),
        EXPECTED: pa.array(expected, pa.string()),
        FIGURE: pa.array(figures, pa.float32()),
    }
    for name, column in columns.items():
        rows = rows.append_column(name, column)
    return rows


def test_windows_are_answered_at_their_last_record(tmp_path: Path) -> None:
    predictor = Predictor(windowed(tmp_path / "x.afield", window_examples(210.0, 421.0, 842.0)))
    found = predictor.answer(series("b", SERIES))
    assert (found.figure, list(found.columns)) == ("prediction", ["prediction"])
    assert found.columns["prediction"].to_pylist() == [210, 421, 842, 1684]
    assert found.ends.tolist() == [2, 3, 4, 5]


def test_windows_go_on_from_one_batch_to_the_next(tmp_path: Path) -> None:
    predictor = Predictor(windowed(tmp_path / "x.afield", window_examples(210.0)))
    first = predictor.answer(series("b", SERIES[:2]))
    assert (len(first.ends), first.columns["prediction"].to_pylist()) == (0, [])
    other = predictor.answer(series("c", [7.0]), first.carry)
    second = predictor.answer(series("b", SERIES[2:4]), other.carry)
    assert (second.columns["prediction"].to_pylist(), second.ends.tolist()) == ([210, 421], [0, 1])


def test_a_window_that_is_answered_otherwise(tmp_path: Path) -> None:
    path = windowed(tmp_path / "x.afield", window_examples(210.0, 500.0))
    with pytest.raises(BundleError) as refused:
        Predictor(path)
    assert str(refused.value).startswith(
        f"{path}: refused to start: example 2 must be answered '500.0' with 500.0000, here it is '421' with 421.0000;"
    )


def test_an_example_too_short_for_a_window(tmp_path: Path) -> None:
    whole = window_examples(210.0, 421.0)
    path = windowed(tmp_path / "x.afield", pa.concat_tables([whole.slice(0, 3), whole.slice(4)]))
    with pytest.raises(BundleError) as refused:
        Predictor(path)
    assert str(refused.value) == f"{path}: refused to start: example 2 is given no answer here"


def test_large_values_may_differ_in_their_last_digits(tmp_path: Path) -> None:
    Predictor(windowed(tmp_path / "good.afield", window_examples(210.1)))
    with pytest.raises(BundleError, match="example 1 must be answered"):
        Predictor(windowed(tmp_path / "bad.afield", window_examples(210.3)))
