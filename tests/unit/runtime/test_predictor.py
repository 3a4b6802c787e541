"""A bundle at work: its own answers, and refusal where this machine computes something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from bundles import packed
from networks import softmax_of_sums

from afield.bundle import open_bundle
from afield.bundle.examples import EXPECTED, PROBABILITY
from afield.errors import BundleError, DataError
from afield.preprocess.pipeline import Pipeline
from afield.preprocess.text.spec import Text
from afield.runtime.predictor import Predictor

TEXTS = ["kernel panic", "app started", "app stopped", "kernel: app", ""]
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
    rows = pipeline.features(pa.record_batch({"text": TEXTS}))["text"]
    dense = np.zeros((len(TEXTS), rows.width))
    dense[np.repeat(np.arange(len(TEXTS)), rows.lengths), rows.ids] = rows.weights
    logits = dense @ np.array([LOGITS.get(term, (0.0, 0.0)) for term in pipeline.vocabulary().to_pylist()])
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return {
        "name": [["app", "kernel"][best] for best in chances.argmax(axis=1)],
        "chance": chances.max(axis=1).tolist(),
    }


def bundle(path: Path, pipeline: Pipeline, network: bytes, names: list[str], chances: list[float]) -> Path:
    examples = pa.table({"text": TEXTS, EXPECTED: names, PROBABILITY: pa.array(chances, pa.float32())})
    packed(path, network=network, steps=pipeline.frozen(), examples=examples)
    return path


@pytest.fixture
def good(tmp_path: Path, pipeline: Pipeline, network: bytes, answers: dict[str, list[Any]]) -> Path:
    return bundle(tmp_path / "logs.afield", pipeline, network, answers["name"], answers["chance"])


def test_its_answers(good: Path, answers: dict[str, list[Any]]) -> None:
    predictor = Predictor(good, threads=1)
    assert predictor.version == "v1"
    found = predictor.answer(pa.record_batch({"n": range(5), "text": TEXTS}))
    assert found.prediction.to_pylist() == answers["name"] == ["kernel", "app", "app", "app", "app"]
    np.testing.assert_allclose(found.probability.to_numpy(), answers["chance"], rtol=1e-5)
    assert found.probability.type == pa.float32()


def test_an_opened_bundle_will_do(good: Path) -> None:
    found = Predictor(open_bundle(good)).answer(pa.record_batch({"text": pa.array([], pa.string())}))
    assert (found.prediction.to_pylist(), found.probability.to_pylist(), found.probabilities.shape) == ([], [], (0, 2))


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
        f"{path}: refused to start: example 3 of 5 must be answered 'kernel' with {chance}, here it is 'app' with"
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
        f"{path}: refused to start: example 5 of 5 must be answered 'app' with {wrong:.4f}, here it is 'app' with"
        " 0.5000; this machine's libraries"
    )


def test_a_difference_that_rounding_makes_is_let_pass(
    tmp_path: Path, pipeline: Pipeline, network: bytes, answers: dict[str, list[Any]]
) -> None:
    chances = [chance + 5e-4 for chance in answers["chance"]]
    Predictor(bundle(tmp_path / "x.afield", pipeline, network, answers["name"], chances))


def test_a_step_that_is_not_installed(tmp_path: Path, pipeline: Pipeline, network: bytes) -> None:
    ((_, frozen),) = pipeline.frozen()
    packed(tmp_path / "x.afield", network=network, steps=[("spectrum", frozen)])
    with pytest.raises(BundleError) as refused:
        Predictor(tmp_path / "x.afield")
    assert (
        str(refused.value) == "the bundle needs the step 'spectrum', which is not installed here; install its package"
    )
