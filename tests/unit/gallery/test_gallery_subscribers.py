"""The simulated subscribers: nothing on a day, the class in the rhythm, and the best possible accuracy the true one."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from afield.gallery.subscribers import rhythm
from afield.gallery.subscribers.simulator import FEATURES, UNKNOWABLE, best_accuracy, simulate

SUBSCRIBERS = 3000


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    folder = tmp_path_factory.mktemp("subscribers") / "data"
    simulate(folder, seed=1, subscribers=SUBSCRIBERS)
    return pq.read_table(folder / "subscribers.parquet")


@pytest.fixture(scope="module")
def days(table: pa.Table) -> np.ndarray:
    """float64[subscriber, day, feature]."""
    columns = [table[name].to_numpy() for name in FEATURES]
    return np.stack(columns, axis=1).reshape(SUBSCRIBERS, 12, 208).astype(float)


@pytest.fixture(scope="module")
def machine(table: pa.Table) -> np.ndarray:
    return np.array(table["label"].to_pylist())[::12] == "machine"


def sums(days: np.ndarray) -> np.ndarray:
    """The logarithm of each counter's sum: [subscriber, day, counter]."""
    return np.log(days[..., :192].reshape(SUBSCRIBERS, 12, 8, 24).sum(axis=3) + 0.5)


def logistic_accuracy(features: np.ndarray, answers: np.ndarray) -> float:
    """Accuracy on the second half of a logistic regression, fitted by Newton's method to the first half."""
    scaled = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-9)
    design = np.column_stack([np.ones(len(scaled)), scaled])
    half = len(design) // 2
    weights = np.zeros(design.shape[1])
    for _ in range(8):
        chance = 1 / (1 + np.exp(-design[:half] @ weights))
        gradient = design[:half].T @ (answers[:half] - chance) - weights
        curvature = (design[:half].T * (chance * (1 - chance))) @ design[:half] + np.eye(len(weights))
        weights += np.linalg.solve(curvature, gradient)
    return float(((design[half:] @ weights > 0) == answers[half:]).mean())


def test_a_row_a_subscriber_and_day(table: pa.Table) -> None:
    assert table.column_names == ["subscriber", "day", *FEATURES, "label"]
    assert len(FEATURES) == len(set(FEATURES)) == 208
    assert table.num_rows == SUBSCRIBERS * 12
    assert table["subscriber"].to_pylist()[:13] == [0] * 12 + [1]
    assert table["day"].to_pylist()[:12] == [date(2025, 3, 1) + timedelta(days=day) for day in range(12)]
    assert {table.schema.field(name).type for name in FEATURES} == {pa.float32()}
    labels = np.array(table["label"].to_pylist()).reshape(-1, 12)
    assert (labels == labels[:, :1]).all()
    assert set(labels[:, 0]) == {"human", "machine"}


def test_the_same_seed_writes_the_same_rows(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        simulate(tmp_path / name, seed=seed, subscribers=30)
    first, second, other = (pq.read_table(tmp_path / name / "subscribers.parquet") for name in "abc")
    assert first.equals(second)
    assert not first.equals(other)


def test_the_best_accuracy_stands_beside_the_data(tmp_path: Path) -> None:
    simulated = simulate(tmp_path / "data", seed=0, subscribers=5)
    facts = json.loads((tmp_path / "data.json").read_text())
    assert facts["best_accuracy"] == simulated.best == best_accuracy() == pytest.approx(0.96, abs=0.001)
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["subscribers.parquet"]


def test_figures_are_those_of_the_hours(days: np.ndarray) -> None:
    hours = days[..., :192].reshape(SUBSCRIBERS, 12, 8, 24)
    np.testing.assert_array_equal(hours.argmax(axis=3), days[..., 192:200])
    np.testing.assert_allclose(hours.sum(axis=2) @ np.arange(24), hours.sum(axis=(2, 3)) * days[..., 206], rtol=1e-5)
    np.testing.assert_allclose(days[..., 200:204].sum(axis=-1), 1, atol=1e-5)


def test_no_feature_of_a_day_tells_the_class(days: np.ndarray, machine: np.ndarray) -> None:
    """Kolmogorov and Smirnov's distance of the two classes, for each of 2,496 features: as large as chance makes it."""
    ranked = np.argsort(days.reshape(SUBSCRIBERS, -1) + 1e-6 * np.random.default_rng(0).random((SUBSCRIBERS, 2496)), 0)
    steps = np.where(machine[ranked], 1 / machine.sum(), -1 / (~machine).sum())
    distance = np.abs(np.cumsum(steps, axis=0)).max(axis=0)
    effective = machine.sum() * (~machine).sum() / SUBSCRIBERS
    chance = 2 * np.exp(-2 * effective * distance**2)
    assert chance.min() > 0.01 / 2496
    assert np.mean(chance < 0.05) < 0.10


@pytest.mark.parametrize("day", [0, 2, 5, 11])
def test_a_linear_rule_of_one_day_is_a_guess(days: np.ndarray, machine: np.ndarray, day: int) -> None:
    assert abs(logistic_accuracy(np.column_stack([sums(days)[:, day], days[:, day, 200:]]), machine) - 0.5) < 0.05


def test_a_linear_rule_of_all_days_finds_little(days: np.ndarray, machine: np.ndarray) -> None:
    assert logistic_accuracy(sums(days).reshape(SUBSCRIBERS, -1), machine) < 0.6


def test_the_rule_that_knows_the_rhythms_reaches_the_best(days: np.ndarray, machine: np.ndarray) -> None:
    """From the written counts alone: the levels are estimated, and the beat that fits them best names the class."""
    levels = sums(days).mean(axis=2)
    levels -= levels.mean(axis=1, keepdims=True)

    def fit(beats: np.ndarray) -> np.ndarray:
        centred = beats - beats.mean(axis=1, keepdims=True)
        left = levels[:, None] - (levels @ centred.T / (centred**2).sum(axis=1))[..., None] * centred
        return (left**2).sum(axis=2).min(axis=1)

    right = (fit(rhythm.machine_beats()) < fit(rhythm.human_beats())) == machine
    assert right.mean() == pytest.approx(best_accuracy(), abs=0.015)


def test_the_true_likelihood_gives_the_best_accuracy() -> None:
    rng = np.random.default_rng(7)
    machine, rhythmic = rng.random(40_000) < 0.5, rng.random(40_000) >= UNKNOWABLE
    levels = rhythm.draw(machine, rhythmic, rng)
    human, other = rhythm.log_likelihoods(levels)
    right = (other > human) == machine
    assert right.mean() == pytest.approx(best_accuracy(), abs=0.003)
    assert right[rhythmic].mean() > 0.998
    np.testing.assert_allclose(levels.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(levels.var(axis=0), 1, atol=0.03)


def test_the_likelihood_is_that_of_the_normal_distribution() -> None:
    """By hand: each channel is normal around +beat or -beat, with a covariance over the days."""
    levels = rhythm.draw(np.array([True, False]), np.array([True, True]), np.random.default_rng(0))
    covariance = rhythm.OWN * np.ones((12, 12)) + rhythm.REST * np.eye(12)

    def density(one: np.ndarray, beat: np.ndarray) -> float:
        apart = one - np.sqrt(rhythm.SWING) * beat[:, None]
        return float(np.exp(-0.5 * np.trace(apart.T @ np.linalg.solve(covariance, apart))))

    human, machine = rhythm.log_likelihoods(levels)
    for place, one in enumerate(levels):
        beats = rhythm.human_beats()
        expected = np.mean([density(one, sign * beat) for beat in beats for sign in (1, -1)])
        assert human[place] == pytest.approx(np.log(expected))
    assert machine[0] > human[0]
    assert human[1] > machine[1]
