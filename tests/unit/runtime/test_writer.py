"""A network that writes: constant work a character, the same text for the same seed, and starts of every kind."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from networks import weighted_sum
from writers import ALPHABET, bundle, exported, fitted, network, session

from afield.bundle.manifest import Input
from afield.errors import BundleError, StateError
from afield.runtime.predictor import Predictor
from afield.runtime.session import Session
from afield.runtime.writing import ROWS, STRETCH, Writer, choose

PLACES = 50


class Counted(Session):
    """A session that counts its calls, and the characters that it is given."""

    def __init__(self) -> None:
        super().__init__(*exported(), "the network", threads=1)
        self.given: list[tuple[int, ...]] = []

    def carried(self, values: np.ndarray, states: Any = None) -> tuple[np.ndarray, list[np.ndarray]]:
        self.given.append(values.shape)
        return super().carried(values, states)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("writer") / "v1.afield")


@pytest.fixture(scope="module")
def writer() -> Writer:
    return Writer.of(session(), fitted())


@functools.cache
def on_the_whole() -> Any:
    return network(PLACES)


def of_keras(ids: np.ndarray) -> np.ndarray:
    """What Keras answers to int32[1 to 3, 1 to 50]: always one shape, so that one program is compiled."""
    rows, places = ids.shape
    filled = np.zeros((3, PLACES), np.int32)
    filled[:rows, :places] = ids
    return on_the_whole().predict_on_batch(filled)[:rows, :places]


def numbers(text: str) -> np.ndarray:
    return np.array([[ALPHABET.index(letter) for letter in text]], np.int32)


def test_the_session_in_pieces_answers_as_keras_on_the_whole() -> None:
    ids = np.random.default_rng(0).integers(0, len(ALPHABET), (3, PLACES)).astype(np.int32)
    carried, states, pieces = session(), None, []
    for first, last in ((0, 1), (1, 8), (8, PLACES)):
        answers, states = carried.carried(ids[:, first:last], states)
        pieces.append(answers)
    whole = of_keras(ids)
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, rtol=0, atol=1e-5)
    np.testing.assert_allclose(carried.answer({"characters": ids}), whole, rtol=0, atol=1e-5)


def test_the_surest_text_is_what_keras_would_write(writer: Writer) -> None:
    text = "abc"
    for _ in range(10):
        text += ALPHABET[of_keras(numbers(text))[0, -1].argmax()]
    assert writer.write("abc", 10, 0.0) == text[3:]


def test_a_character_is_one_step_however_long_the_text_is() -> None:
    counted = Counted()
    writing = Writer.of(counted, fitted())
    assert len(writing.write("a" * (STRETCH + 1), 5, 1.0)) == 5
    assert counted.given == [(1, STRETCH), (1, 1), *[(1, 1)] * 4]
    counted.given.clear()
    characters = writing.characters("abc", 1000, 1.0)
    next(characters)
    assert counted.given == [(1, 3)]


def test_the_seed_decides(writer: Writer) -> None:
    first = writer.write("abc", 40, 1.0, seed=5)
    assert first == writer.write("abc", 40, 1.0, seed=5)
    assert first != writer.write("abc", 40, 1.0, seed=6)
    assert first.startswith(writer.write("abc", 7, 1.0, seed=5))


def test_temperature() -> None:
    chances = np.array([[0.7, 0.2, 0.1]], np.float32)
    draws = np.random.default_rng(0).random(20_000)
    for temperature in (0.5, 1.0, 2.0):
        found = choose(np.repeat(chances, len(draws), axis=0), draws, temperature)
        expected = chances[0] ** (1 / temperature)
        np.testing.assert_allclose(np.bincount(found) / len(draws), expected / expected.sum(), atol=0.015)
    assert choose(chances, np.array([0.999]), 0.0).tolist() == [0]
    assert choose(np.array([[1.0, 0.0]], np.float32), np.array([1 - 1e-12]), 1e-3).tolist() == [0]


def test_what_is_not_known_in_a_start(writer: Writer) -> None:
    assert writer.write("aXbÜc", 20, 0.5) == writer.write("abc", 20, 0.5)
    # Nothing is left of it: the begin of a line.
    assert writer.write("XYZ", 20, 0.5) == writer.write("", 20, 0.5) == writer.write("\n", 20, 0.5)
    replaced = Writer.of(session(), fitted(unknown="f"))
    assert replaced.write("aXb", 20, 0.5) == writer.write("afb", 20, 0.5)


def test_records_are_starts(good: Path) -> None:
    predictor = Predictor(good)
    starts = ["abc", None, "f" * 80, "abc", *["ab"] * ROWS]
    answers = predictor.answer(pa.record_batch({"text": starts}))
    texts = answers.columns["prediction"].to_pylist()
    assert [len(text) for text in texts] == [12] * len(starts)
    assert texts[0] == texts[3] != texts[4]
    assert answers.ends.tolist() == list(range(len(starts)))
    assert answers.figure == "nats"
    alone = predictor.answer(pa.record_batch({"text": ["abc"]})).columns
    assert alone["prediction"].to_pylist() == texts[:1]
    ids = numbers("abc" + texts[0])
    chances = of_keras(ids)[0, 2:-1]
    nats = -np.log(chances[np.arange(12), ids[0, 3:]]).mean()
    assert alone["nats"].to_pylist() == pytest.approx([nats], rel=1e-4)
    assert (
        predictor.answer(pa.record_batch({"text": pa.array([], pa.string())})).columns["prediction"].to_pylist() == []
    )


def test_examples_that_are_continued_in_another_way(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"refused to start: example 1 must be answered 'aaaa' with"):
        Predictor(bundle(tmp_path / "v1.afield", example="aaaa"))


def test_writing_is_for_networks_that_write(good: Path) -> None:
    writing, said = Predictor(good).writing()
    assert (said.length, said.temperature) == (12, 0.8)
    assert len(writing.write("a", 3, said.temperature)) == 3
    predictor = Predictor(good)
    predictor.writer = None
    with pytest.raises(StateError, match=r"^v1 does not write text; a use case with `question: \{kind: write\}` does$"):
        predictor.writing()


def test_states_that_do_not_come_back() -> None:
    fed = Input(name="x", dtype="float32", feature="", form="state")
    with pytest.raises(BundleError) as refused:
        Session(weighted_sum(np.ones(2)), [fed], "the network")
    assert str(refused.value) == "the network: the network carries 1 states and gives 0; expected as many"
