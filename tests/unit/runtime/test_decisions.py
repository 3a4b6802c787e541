"""From what a model computes to an answer, and back from a bundle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial.distance import cdist

from afield.errors import BundleError
from afield.preprocess.base import Frozen
from afield.runtime.decisions import Alarm, Classes, Decision, Nearest, Tags, Value, frozen, thawed


def answers(decision: Decision, raw: list[object]) -> list[tuple[object, float]]:
    columns = decision.answer(np.array(raw, np.float32))
    assert set(columns) == {"prediction", decision.figure}
    figures = columns[decision.figure].to_numpy()
    assert figures.dtype == np.float32
    names = columns["prediction"].to_pylist()
    return [(name, round(float(figure), 5)) for name, figure in zip(names, figures, strict=True)]


def test_the_most_probable_class() -> None:
    found = answers(Classes(["a", "b", "c"]), [[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0, 0, 1]])
    assert found == [("b", 0.5), ("a", 0.4), ("c", 1)]


def test_the_second_of_two_from_the_cut_on() -> None:
    decision = Classes(["human", "machine"], cut=0.25)
    assert answers(decision, [[0.75, 0.25], [0.76, 0.24], [0.1, 0.9]]) == [
        ("machine", 0.25),
        ("human", 0.76),
        ("machine", 0.9),
    ]
    assert answers(decision, [[0.25], [0.24]]) == [("machine", 0.25), ("human", 0.76)]


def test_the_tags_that_are_probable_enough() -> None:
    decision = Tags(["cat", "dog", "owl"], [0.5, 0.25, 0.9], ";")
    found = answers(decision, [[0.5, 0.25, 0.1], [0.4, 0.2, 0.95], [0.1, 0.1, 0.1]])
    assert found == [("cat;dog", 0.25), ("owl", 0.6), ("", 0.9)]
    assert answers(Tags(["x", "y"], [0.5, 0.5], " | "), [[1, 1]]) == [("x | y", 1)]


def test_the_value_itself() -> None:
    assert answers(Value(), [[1.5], [-2.0]]) == [(1.5, 1.5), (-2.0, -2.0)]
    assert answers(Value(), [1.5]) == [(1.5, 1.5)]


def test_abnormal_above_the_cut() -> None:
    assert answers(Alarm(2.0), [[1.9], [2.0], [2.1]]) == [("normal", 1.9), ("normal", 2), ("abnormal", 2.1)]


def nearest(*radii: float) -> Nearest:
    references = np.array([[0, 0], [3, 4], [0, 1]], np.float32)
    return Nearest(["calm", "storm"], references, np.array([0, 1, 0], np.int32), np.array(radii, np.float32))


def test_the_nearest_state_within_its_radius() -> None:
    decision = nearest(5.0, 1.0)
    found = answers(decision, [[0, 0.4], [3, 4], [4, 5.5], [0, -7], [3, 5]])
    assert found == [("calm", 0.4), ("storm", 0), ("unknown", 1.80278), ("unknown", 7), ("storm", 1)]


def test_a_state_that_holds_the_record_comes_before_a_nearer_one_that_does_not() -> None:
    assert answers(nearest(np.inf, 1.0), [[3, 5.5]]) == [("calm", 5.40833)]


def test_a_turn_comes_before_every_distance() -> None:
    turned = replace(nearest(np.inf, 1.0), turn=np.array([[1, 0], [0, 0.5]], np.float32))
    assert answers(turned, [[0, 0.4], [3, 8]]) == [("calm", 0.2), ("storm", 0)]
    assert turned.placed(np.ones((1, 2), np.float32)).tolist() == [[1, 0.5]]


def test_the_nearest_of_many() -> None:
    random = np.random.default_rng(0)
    # Far from the origin, where squares of lengths drown the distances.
    vectors, references = (random.normal(100, 1, (rows, 8)).astype(np.float32) for rows in (50, 30))
    decision = Nearest([str(n) for n in range(30)], references, np.arange(30, dtype=np.int32), np.full(30, np.inf))
    state, distance = decision.nearest(vectors)
    exact = cdist(vectors.astype(np.float64), references.astype(np.float64))
    np.testing.assert_allclose(distance, exact[np.arange(50), state], rtol=1e-5)
    np.testing.assert_allclose(distance, exact.min(axis=1), rtol=1e-2)


DECISIONS = [
    (Classes(["a", "b"]), (0, 2)),
    (Classes(["a", "b"], 0.3), (0, 1)),
    (Tags(["a", "b"], [0.5, 0.25], ","), (0, 2)),
    (Value(), (0, 1)),
    (Alarm(1.25), (0, 1)),
    (nearest(np.inf, 2), (0, 2)),
]


@pytest.mark.parametrize(("decision", "shape"), DECISIONS)
def test_no_records(decision: Decision, shape: tuple[int, int]) -> None:
    columns = decision.answer(np.zeros(shape, np.float32))
    assert {name: len(column) for name, column in columns.items()} == {"prediction": 0, decision.figure: 0}
    one = decision.answer(np.zeros((1, shape[1]), np.float32))
    assert {name: column.type for name, column in columns.items()} == {
        name: column.type for name, column in one.items()
    }


@pytest.mark.parametrize(("decision", "shape"), DECISIONS)
def test_a_bundle_carries_it(decision: Decision, shape: tuple[int, int]) -> None:
    kind, content = frozen(decision)
    restored = thawed(kind, content)
    assert type(restored) is type(decision)
    raw = np.random.default_rng(1).random((20, shape[1])).astype(np.float32) * 3
    for name, column in decision.answer(raw).items():
        assert restored.answer(raw)[name].equals(column)
    assert all(isinstance(array, np.ndarray) for array in content.arrays.values())
    assert not any(isinstance(value, np.ndarray | pa.Array) for value in content.config.values())


@pytest.mark.parametrize("odd", ["leads", "levels", "turn"])
def test_arrays_that_do_not_fit(odd: str) -> None:
    kind, content = frozen(nearest(1, 2))
    config = {name: value for name, value in content.config.items() if name != odd}
    message = "'nearest' is not whole: leads, levels or turn are not of the size of names and vectors"
    with pytest.raises(BundleError, match=message):
        thawed(kind, Frozen(config, content.arrays | {odd: np.zeros((3, 3))}))


def test_what_no_bundle_may_carry() -> None:
    with pytest.raises(
        BundleError, match=r"^the bundle decides by 'oracle', which this Afield does not know; upgrade it$"
    ):
        thawed("oracle", Frozen({}))
    with pytest.raises(BundleError, match=r"^the bundle's decision 'alarm' is not whole: .*missing.*'cut'$"):
        thawed("alarm", Frozen({}))
