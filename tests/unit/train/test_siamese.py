"""Siamese training: its losses against NumPy, its draws, its virtual states, and what a fit makes of it."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from afield.errors import DataError, UseCaseError
from afield.preprocess.base import StepInput
from afield.train.base import Examples, Task, Unwatched
from afield.train.networks.spec import Network
from afield.train.siamese.draws import States, both
from afield.train.siamese.losses import LOSSES, lossless_triplet, semi_hard_triplet
from afield.train.siamese.spec import Siamese
from afield.train.siamese.trainer import SiameseTrainer
from afield.train.siamese.virtual import EACH, MARK, Virtual, numbered
from afield.usecase.training import Train


def squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return ((a - b) ** 2).sum(axis=-1)


def triplets(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=(30, 4)).astype(np.float32)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_triplets(name: str) -> None:
    vectors = triplets()
    a, p, n = np.split(vectors.astype(np.float64), 3)
    near, far = squares(a, p), squares(a, n)
    expected = {
        "triplet": np.maximum(near - far + 0.3, 0),
        "unclamped_triplet": near - far + 0.3,
        "lossless_triplet": -np.log(1 - near / 4 + 1e-8) - np.log(far / 4 + 1e-8),
    }[name]
    np.testing.assert_allclose(LOSSES[name](0.3)(None, vectors), expected, rtol=1e-4, atol=1e-5)


def test_the_lossless_loss_is_least_where_states_are_as_far_apart_as_can_be() -> None:
    apart = np.array([[0, 0], [0, 0], [1, 1]], np.float32)
    assert float(lossless_triplet(0.2)(None, apart)[0]) < float(lossless_triplet(0.2)(None, 0.9 * apart)[0])


def test_semi_hard_takes_the_nearest_stranger_beyond_the_pair() -> None:
    states, vectors = np.array([0, 0, 1, 1, 2]), triplets(1)[:5]
    apart = squares(vectors[:, None], vectors[None, :]).astype(np.float64)
    losses: list[float] = []
    for i, j in ((0, 1), (1, 0), (2, 3), (3, 2)):
        strangers = apart[i, states != states[i]]
        beyond = strangers[strangers > apart[i, j]]
        chosen = beyond.min() if len(beyond) else strangers.max()
        losses.append(max(apart[i, j] - chosen + 0.5, 0))
    np.testing.assert_allclose(float(semi_hard_triplet(0.5)(states, vectors)), np.mean(losses), rtol=1e-4)


TARGETS = np.repeat([2, 0, 1], [60, 3, 20]).astype(np.int32)


def test_a_triplet_is_two_of_one_state_and_one_of_another() -> None:
    rows = np.asarray(States(TARGETS).triplets(500)(jax.random.key(0), 0))
    a, p, n = np.split(rows, 3)
    assert (TARGETS[a] == TARGETS[p]).all()
    assert (TARGETS[a] != TARGETS[n]).all()
    assert (a != p).all()
    assert set(rows.tolist()) == set(range(83))
    # A state is drawn as often as the square root of its rows says.
    share = np.bincount(TARGETS[a], minlength=3) / 500
    expected = np.sqrt([3, 20, 60])
    np.testing.assert_allclose(share, expected / expected.sum(), atol=0.06)


def test_pairs_and_records_of_the_most_frequent_state() -> None:
    states = States(TARGETS)
    rows = np.asarray(both(states.pairs(41), states.common(9))(jax.random.key(1), 0))
    assert len(rows) == 50
    assert (TARGETS[rows[:40:2]] == TARGETS[rows[1:41:2]]).all()
    assert (TARGETS[rows[41:]] == 2).all()


@pytest.mark.parametrize("shape", [(6,), (10, 6)])
def test_virtual_states_move_the_last_records_of_a_training_batch(shape: tuple[int, ...]) -> None:
    layer, records = Virtual(4, 5, seed=3), np.zeros((4 + 5 * EACH, *shape), np.float32)
    moved = np.asarray(layer(records, training=True))
    assert (moved[:4] == 0).all()
    changed = moved[4:].reshape(5, EACH, -1, 6)
    for state in changed:
        assert (np.abs(state).max(axis=(1, 2)) > 0).all() or np.abs(state).max() == 0
        # All records of one state move the same features the same way.
        directions = state.sum(axis=1)
        signs = np.sign(directions[np.abs(directions).max(axis=1) > 0])
        assert (signs == signs[:1]).all()
    assert np.abs(changed).max() > 0
    assert (np.asarray(layer(records, training=False)) == 0).all()
    assert (np.asarray(layer(records[:7], training=True)) == 0).all()


def test_virtual_states_have_numbers_of_their_own() -> None:
    states = np.append(np.arange(4), np.zeros(2 * EACH)).astype(np.int32)
    assert np.asarray(numbered(states, 4, 2)).tolist() == [0, 1, 2, 3, *[MARK] * EACH, *[MARK + 1] * EACH]
    assert numbered(states[:5], 4, 2) is not None
    assert np.asarray(numbered(states[:5], 4, 2)).tolist() == [0, 1, 2, 3, 0]


def example(rows: int, seed: int) -> Examples:
    rng = np.random.default_rng(seed)
    targets = np.repeat(np.arange(3), rows).astype(np.int32)
    centers = np.array([[0, 0, 0, 0], [2, 0, 0, 0], [0, 2, 0, 0]])
    return Examples({"table": (centers[targets] + rng.normal(0, 0.3, (3 * rows, 4))).astype(np.float32)}, targets)


def task(**train: object) -> Task:
    settings = Train.model_validate({"epochs": 3, "batch_size": 16, **train})
    return Task("classify", ["a", "b", "c"], [StepInput("table", (4,))], settings)


def spec(**options: object) -> Siamese:
    layers = Network.model_validate([{"dense": {"units": 16, "activation": "relu"}}, {"dense": {"units": 2}}])
    return Siamese.model_validate({"layers": layers, "triplets": 1600, **options})


@pytest.mark.parametrize(
    "options",
    [{}, {"mining": "semi_hard"}, {"mining": "semi_hard", "virtual_states": 4}],
    ids=["drawn", "mined", "made"],
)
def test_a_fit_brings_states_together_and_apart(options: dict[str, object]) -> None:
    validation = example(20, 1)
    trained = SiameseTrainer(spec(**options), task()).fit(example(40, 0), validation, Unwatched())
    vectors = trained.predict(validation.features)
    centers = np.stack([vectors[validation.targets == state].mean(axis=0) for state in range(3)])
    nearest = squares(vectors[:, None], centers[None]).argmin(axis=1)
    assert (nearest == validation.targets).mean() >= 0.95
    assert trained.vectors
    # Vectors of some records before the first epoch and after each.
    assert sorted(trained.frames) == [0, 1, 2, 3]
    assert trained.frames[0].shape == (60, 2)
    assert [layer.parameters for layer in trained.layers() if layer.parameters] == [80, 34]
    assert "Virtual" not in [layer.layer for layer in trained.layers()]


def test_the_same_seed_draws_the_same_virtual_states() -> None:
    validation = example(20, 1)
    made = [
        SiameseTrainer(spec(mining="semi_hard", virtual_states=4), task()).fit(example(40, 0), validation, Unwatched())
        for _ in range(2)
    ]
    first, second = (one.predict(example(20, 2).features) for one in made)
    np.testing.assert_array_equal(first, second)


def test_what_cannot_be_learned() -> None:
    alone = Examples({"table": np.zeros((4, 4), np.float32)}, np.array([0, 0, 1, 1], np.int32))
    with pytest.raises(DataError, match="the training part has 0 example of 'c', and a triplet needs two"):
        SiameseTrainer(spec(), task()).fit(alone, alone, Unwatched())
    embedded = Task(
        "classify", ["a", "b", "c"], [StepInput("categories", (2,), "int32", cardinalities=(3, 4))], task().train
    )
    with pytest.raises(UseCaseError, match=r"model\.siamese\.virtual_states: are made of numbers.*found categories"):
        SiameseTrainer(spec(mining="semi_hard", virtual_states=4), embedded).fit(
            example(4, 0), example(4, 1), Unwatched()
        )
