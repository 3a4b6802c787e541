"""Vectors put into groups: k-means and density, the number of groups, radii, and what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_moons

from afield.errors import DataError
from afield.report.metrics import adjusted_rand
from afield.train.groups.clusters import grouped
from afield.train.groups.spec import Groups

CENTRES = np.array([[0, 0, 0], [8, 0, 0], [0, 8, 0], [0, 0, 8]], float)
SIZES = [100, 400, 200, 300]


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    truth = np.repeat(np.arange(4), SIZES)
    vectors = CENTRES[truth] + np.random.default_rng(0).normal(size=(1000, 3))
    return vectors.astype(np.float32), truth


NONE = np.zeros((0, 3), np.float32)


def test_as_many_groups_as_lie_apart(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, truth = blobs
    found = grouped(vectors, NONE, Groups(), 0)
    assert found.names == ["group 1", "group 2", "group 3", "group 4"]
    members, _ = found.nearest(vectors)
    assert adjusted_rand(truth, members) > 0.99
    # The largest group comes first.
    assert abs(np.bincount(members) - sorted(SIZES, reverse=True)).max() <= 2
    expected = KMeans(4, n_init=4, random_state=0).fit(vectors)
    order = np.argsort(-np.bincount(expected.labels_))
    np.testing.assert_allclose(found.references[np.argsort(found.states)], expected.cluster_centers_[order], atol=1e-4)


def test_a_given_number_and_radii(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, _ = blobs
    found = grouped(vectors[:900], vectors[900:], Groups(count=3, radius=0.9), 0)
    answers = found.answer(vectors)["prediction"].to_pylist()
    # A tenth of each group lies beyond its radius, in the training part and the validation part together.
    assert answers.count("unknown") == pytest.approx(100, abs=3)
    boundless = grouped(vectors, NONE, Groups(count=3, radius=None), 0)
    assert boundless.answer(np.full((1, 3), 1e6, np.float32))["prediction"].to_pylist()[0].startswith("group")
    assert np.isinf(boundless.radii).all()


def test_groups_of_any_shape_and_records_that_belong_to_none() -> None:
    moons, truth = make_moons(1500, noise=0.05, random_state=0)
    strangers = np.random.default_rng(0).uniform(4, 40, (60, 2))
    vectors = np.concatenate([moons, strangers]).astype(np.float32)
    found = grouped(vectors, np.zeros((0, 2), np.float32), Groups(method="density", smallest=60), 0)
    assert found.names == ["group 1", "group 2"]
    members, distances = found.nearest(vectors)
    assert adjusted_rand(truth, members[:1500]) > 0.98
    assert (distances[1500:] > found.radii[members[1500:]]).all()
    round_ones = grouped(vectors[:1500], np.zeros((0, 2), np.float32), Groups(count=2), 0)
    assert adjusted_rand(truth, round_ones.nearest(vectors[:1500])[0]) < 0.6


def test_the_same_seed_gives_the_same_groups(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, _ = blobs
    for spec in (Groups(), Groups(method="density")):
        first, second = grouped(vectors, NONE, spec, 3), grouped(vectors, NONE, spec, 3)
        np.testing.assert_array_equal(first.references, second.references)
        np.testing.assert_array_equal(first.radii, second.radii)


def test_few_different_records() -> None:
    two = np.array([[0, 0], [1, 1]], np.float32)
    found = grouped(two.repeat(3, axis=0), NONE[:, :2], Groups(), 0)
    assert len(found.names) == 2
    assert (found.radii > 0).all()


REFUSED = [
    (
        Groups(count=5),
        np.tile(np.eye(3, dtype=np.float32), (20, 1)),
        "model.groups.count: 5 groups need as many different records, and the training part has 3; ask for fewer"
        " groups, or give more data",
    ),
    (
        Groups(),
        np.ones((20, 3), np.float32),
        "model.groups.count: 2 groups need as many different records, and the training part has 1; ask for fewer"
        " groups, or give more data",
    ),
    (
        Groups(method="density", smallest=100),
        np.eye(30, dtype=np.float32),
        "model.groups.smallest: no 100 of 30 records lie close enough to be a group; lower it, or write"
        " `method: k_means`",
    ),
]


@pytest.mark.parametrize(("spec", "vectors", "message"), REFUSED)
def test_what_gives_no_groups(spec: Groups, vectors: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        grouped(vectors, vectors[:0], spec, 0)
