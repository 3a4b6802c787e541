"""Sparse rows are trained as Keras means it: with all columns exactly, with a batch-local vocabulary lazily."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from afield.errors import DataError, UseCaseError
from afield.preprocess.rows import SparseRows, concatenate
from afield.train.compiled.checkpoint import Checkpoints
from afield.train.compiled.loop import Loop, Plan, Progress
from afield.train.compiled.sparse import Sparse, SparseEngine
from afield.train.networks.build import optimizer as make_optimizer

Problem = tuple[SparseRows, np.ndarray]


def build(optimizer: str = "adam", rate: float = 0.01, extra: keras.layers.Layer | None = None, **arguments: object):
    def network(columns: int) -> keras.Model:
        keras.utils.set_random_seed(5)
        middle = [extra] if extra else []
        model = keras.Sequential(
            [
                keras.layers.Input((columns,)),
                keras.layers.Dense(16, activation="relu"),
                *middle,
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        made = make_optimizer(optimizer, {"learning_rate": rate, **arguments}, None, 0)
        model.compile(made, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    return network


def dense(rows: SparseRows) -> np.ndarray:
    matrix = np.zeros((len(rows), rows.width), np.float32)
    matrix[np.repeat(np.arange(len(rows)), rows.lengths), rows.ids] = rows.weights
    return matrix


def engine_on(network, problem: Problem, validation: Problem | None = None, **how: object) -> SparseEngine:
    rows, targets = problem
    settings = {"batch_size": 32, "seed": 1} | how
    return SparseEngine(network, rows, targets, validation or problem, Sparse(**settings))


def fitted(network, problem: Problem, epochs: int = 3, **how: object) -> tuple[SparseEngine, object, Progress]:
    engine = engine_on(network, problem, **how)
    loop = Loop(engine, Plan(epochs=epochs))
    return engine, loop.run(), loop.progress


def keras_losses(network, problem: Problem, epochs: int = 3, **arguments: object) -> tuple[list[float], keras.Model]:
    rows, targets = problem
    model = network(rows.width)
    losses: list[float] = []
    for epoch in range(1, epochs + 1):
        order = np.random.default_rng([1, epoch]).permutation(len(rows))
        weights = arguments.get("row_weights")
        history = model.fit(
            dense(rows)[order],
            targets[order],
            batch_size=32,
            shuffle=False,
            verbose=0,
            sample_weight=None if weights is None else weights[order],
        )
        losses += history.history["loss"]
    return losses, model


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop", "adagrad", "lamb"])
def test_exact_equals_keras(problem: Problem, optimizer: str) -> None:
    network = build(optimizer)
    engine, state, progress = fitted(network, problem, exact=True)
    losses, model = keras_losses(network, problem)
    np.testing.assert_allclose([e.loss for e in progress.history], losses, rtol=1e-5)
    for ours, theirs in zip(engine.weights(state), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=2e-5)


def test_exact_equals_keras_with_batch_norm_and_a_short_last_batch(problem: Problem) -> None:
    network = build(extra=keras.layers.BatchNormalization())
    _, _, progress = fitted(network, problem, exact=True)
    assert len(problem[0]) % 32  # the last batch is short
    np.testing.assert_allclose([e.loss for e in progress.history], keras_losses(network, problem)[0], rtol=1e-5)


def test_validation_equals_keras(problem: Problem) -> None:
    _, _, progress = fitted(build(), problem, exact=True)
    _, model = keras_losses(build(), problem)
    loss, accuracy = model.evaluate(dense(problem[0]), problem[1], verbose=0)
    last = progress.history[-1]
    assert last.validation_loss == pytest.approx(loss, rel=1e-5)
    assert last.validation_accuracy == pytest.approx(accuracy, abs=1e-6)


def test_plain_sgd_is_the_same_lazily(problem: Problem) -> None:
    network = build("sgd", rate=0.1)
    engine, state, progress = fitted(network, problem)
    # The kernel of all columns is drawn anew, so Keras starts from ours.
    first = engine.weights(engine.start())

    def same_start(columns: int) -> keras.Model:
        model = network(columns)
        model.set_weights(first)
        return model

    losses, model = keras_losses(same_start, problem)
    np.testing.assert_allclose([e.loss for e in progress.history], losses, rtol=1e-5)
    for ours, theirs in zip(engine.weights(state), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_lazy_adam_leaves_untouched_rows_alone(make_problem: Callable[..., Problem]) -> None:
    rows, targets = make_problem(64, 300, seed=9)
    network = build("adam")
    engine, state, _ = fitted(network, (rows, targets), epochs=2, batch_size=8)
    before, after = engine.weights(engine.start())[0], engine.weights(state)[0]
    untouched = np.setdiff1d(np.arange(300), rows.ids)
    assert len(untouched) > 0
    np.testing.assert_array_equal(after[untouched], before[untouched])
    assert (after[np.unique(rows.ids)] != before[np.unique(rows.ids)]).any(axis=1).all()


def test_a_giant_record_runs_alone_and_changes_nothing_else(make_problem: Callable[..., Problem]) -> None:
    rows, targets = make_problem(400, 3000, seed=9)
    giant = SparseRows(np.array([0, 3000]), np.arange(3000, dtype=np.int32), np.full(3000, 0.02, np.float32), 3000)
    rows = concatenate([rows, giant, rows.take(np.arange(7))])
    targets = np.append(targets, [1, *targets[:7]]).astype(np.int32)
    network = build("sgd", rate=0.1)
    engine, state, _ = fitted(network, (rows, targets), epochs=2, batch_size=8)
    assert engine.schedule.shape.columns < 100
    first = engine.weights(engine.start())
    order = [run for epoch in (1, 2) for run, _, _ in engine.schedule.runs(engine.order(epoch))]
    assert sum(map(len, order)) == 2 * len(rows)
    model = network(3000)
    model.set_weights(first)
    for part in order:
        model.fit(dense(rows)[part], targets[part], batch_size=8, shuffle=False, verbose=0)
    for ours, theirs in zip(engine.weights(state), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(engine.predict(state, rows), model.predict(dense(rows), verbose=0), atol=1e-5)


def test_class_weights_equal_keras(problem: Problem) -> None:
    weights = np.array([1.0, 2.0, 0.5], np.float32)
    engine = SparseEngine(build(), *problem, problem, Sparse(32, seed=1, exact=True), weights[problem[1]])
    loop = Loop(engine, Plan(epochs=3))
    loop.run()
    losses, _ = keras_losses(build(), problem, row_weights=weights[problem[1]])
    np.testing.assert_allclose([e.loss for e in loop.progress.history], losses, rtol=1e-5)


def test_learns(problem: Problem) -> None:
    engine, state, progress = fitted(build(), problem, epochs=30)
    assert progress.history[-1].metrics["accuracy"] > 0.95
    answers = engine.predict(state, problem[0])
    assert answers.shape == (200, 3)
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)
    assert (answers.argmax(axis=1) == problem[1]).mean() > 0.95
    assert progress.stopped == "all 30 epochs done"


def test_same_seed_same_weights(problem: Problem) -> None:
    network = build(extra=keras.layers.Dropout(0.3))
    one, other = (engine.weights(state) for engine, state, _ in (fitted(network, problem) for _ in range(2)))
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_resumed_training_ends_as_one_that_was_not_interrupted(problem: Problem, tmp_path: Path) -> None:
    network = build(extra=keras.layers.Dropout(0.3))
    whole, state, _ = fitted(network, problem, epochs=4)

    class StopAfterTwoError(Exception):
        pass

    class Watcher:
        def stage(self, name: str, total: int | None = None) -> None:
            if name == "epoch 3/4":
                raise StopAfterTwoError

        def advance(self, amount: int) -> None: ...

        def epoch(self, epoch: object) -> None: ...

    checkpoints = Checkpoints(tmp_path / "training", "same")
    with pytest.raises(StopAfterTwoError):
        Loop(engine_on(network, problem), Plan(epochs=4), checkpoints, Watcher()).run()
    checkpoints.flush()
    resumed = Loop(engine_on(network, problem), Plan(epochs=4), Checkpoints(tmp_path / "training", "same"))
    last = resumed.run()
    assert [e.epoch for e in resumed.progress.history] == [1, 2, 3, 4]
    for ours, theirs in zip(whole.weights(last), whole.weights(state), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_another_training_does_not_take_a_checkpoint(problem: Problem, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "one")
    Loop(engine_on(build(), problem), Plan(epochs=2), checkpoints).run()
    checkpoints.flush()
    assert Checkpoints(tmp_path, "one").latest() is not None
    assert Checkpoints(tmp_path, "other").latest() is None


def test_early_stopping_keeps_the_best_weights(make_problem: Callable[..., Problem]) -> None:
    rows, targets = make_problem(120, 40, seed=3)
    noise = np.random.default_rng(0).integers(0, 3, 60).astype(np.int32)
    validation = rows.take(np.arange(60)), noise
    engine = engine_on(build(rate=0.05), (rows, targets), validation, batch_size=16)
    loop = Loop(engine, Plan(epochs=50, patience=2))
    state, progress = loop.run(), loop.progress
    losses = [e.validation_loss for e in progress.history]
    best = int(np.argmin(losses))
    assert len(losses) == best + 3
    assert progress.stopped == (f"no better validation loss for 2 epochs; the weights of epoch {best + 1} are kept")
    answers = engine.predict(state, validation[0])
    kept = -np.log(answers[np.arange(60), noise]).mean()
    assert kept == pytest.approx(losses[best], rel=1e-4)


def test_plateau_lowers_the_rate(problem: Problem) -> None:
    noise = np.random.default_rng(0).integers(0, 3, 200).astype(np.int32)
    engine = engine_on(build(rate=0.05), problem, (problem[0], noise), batch_size=16)
    loop = Loop(engine, Plan(epochs=12, plateau=(0.5, 1, 0.0, 0, 0.0)))
    loop.run()
    rates = [e.learning_rate for e in loop.progress.history]
    assert rates[0] == pytest.approx(0.05)
    assert rates[-1] < 0.02


def test_a_loss_that_runs_away_is_said(problem: Problem) -> None:
    with pytest.raises(DataError, match=r"epoch \d+: the loss is (nan|inf), no longer a number; lower train.optimizer"):
        fitted(build("sgd", rate=1e30), problem, epochs=5)


def test_an_optimizer_of_whole_matrices_needs_exact(problem: Problem) -> None:
    with pytest.raises(UseCaseError, match="Lamb looks at whole matrices"):
        fitted(build("lamb"), problem)
