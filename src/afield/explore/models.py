"""Simple models by cross-validation: each row is answered by models that were not trained on it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from afield.explore.answers import BOOSTED, FOLDS, LINEAR, MAJORITY, MEAN, Answers, errors, nats
from afield.explore.base import Sample, Target
from afield.explore.features import TERMS, Inputs, inputs
from afield.explore.keys import identifies, keys
from afield.report.metrics import sample as drawn
from afield.train.base import Watcher

THREADS = 2
MOST_ROWS = 10_000
LEAST_ROWS = 30
MOST_ANSWERS = 300_000
MOST_VALUES = 300_000
"""Rows times classes, and rows times columns, of which fewer rows are taken where they are more."""
FEW_ROWS = 1000
"""Rows that are taken nevertheless."""
MOST_CLASSES = 30
"""Classes up to which trees are boosted: they train one for each class in every round."""
ROUNDS = 80
LEAVES = 15
ROUNDS_OF_CLASSES = 300
"""Rounds times classes at most, of more than two classes."""
SHARES = (0.25, 0.5)
"""Of the rows of training, for the learning curve."""
REPEATED = 0.5
"""Share of different rows below which rows that read the same are what the data is like."""

Answer = Callable[[Any], np.ndarray]
Fit = Callable[[Any, np.ndarray], Answer]


@dataclass(frozen=True)
class _Maker:
    """How a model is trained: what it reads, and features and targets to what answers features."""

    features: Any
    fit: Fit


def answers(sample: Sample, leaking: list[str], watcher: Watcher) -> Answers | None:
    """What a majority (or mean), a linear rule and boosted trees answer.

    Args:
        sample: with its target.
        leaking: columns that give the answer away, which are not read.
        watcher: told of each model that was trained.

    Returns:
        None where the question is of another kind, or there is too little to learn from.
    """
    target = sample.target
    if target is None or target.kind not in ("classify", "regress"):
        return None
    known = target.known
    most = min(MOST_ANSWERS // max(len(target.classes), 1), MOST_VALUES // _width(sample))
    most = min(max(most, FEW_ROWS), MOST_ROWS)
    rows = known[drawn(len(known), most, sample.seed)]
    given = inputs(sample, rows, leaking) if len(rows) >= LEAST_ROWS else None
    if given is None:
        return None
    truth = target.values[rows]
    makers = _makers(given, target, sample.seed)
    fold = _folds(sample, rows, truth)
    everything = np.ones(len(rows), bool)
    draw = np.random.default_rng([sample.seed, 0xC0]).random(len(rows))
    watcher.stage("trying simple models", len(makers) + len(SHARES))
    told: dict[str, np.ndarray] = {}
    seconds: dict[str, float] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for name, maker in makers.items():
            told[name], seconds[name] = _crossed(pool, maker, truth, fold, everything)
            watcher.advance(1)
        wrong = nats if target.classes else errors
        best = min(list(makers)[1:], key=lambda name: wrong(told[name], truth).mean())
        curve: list[tuple[int, np.ndarray]] = []
        for share in SHARES:
            fewer, _ = _crossed(pool, makers[best], truth, fold, draw < share)
            curve.append((round(int((draw < share).sum()) * (FOLDS - 1) / FOLDS), fewer))
            watcher.advance(1)
    return Answers(rows, truth, told, given.columns, seconds, best, curve)


def _width(sample: Sample) -> int:
    """Columns that the models read, about; text becomes many."""
    return max(len(sample.features) + TERMS * sum(column.type == "text" for column in sample.features), 1)


def _folds(sample: Sample, rows: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """int64[M]: the fold of each row; each has its share of every class.

    Rows that read the same are of one fold, so that no model is asked what it was trained on; where most rows stand
    there several times, as in logs, that is what the data is like, and each row is drawn alone.
    """
    read = [column for column in sample.features if not identifies(column)] or sample.features
    alike = keys(read, near=False, text=sample.rows.text, rows=rows)
    _, first, group = np.unique(alike, return_index=True, return_inverse=True)
    if len(first) < REPEATED * len(rows):
        first = group = np.arange(len(rows))
    order = np.random.default_rng([sample.seed, 0xF01D]).permutation(len(first))
    if sample.target and sample.target.classes:
        order = order[np.argsort(truth[first[order]], kind="stable")]
    of_group = np.empty(len(first), np.int64)
    of_group[order] = np.arange(len(first)) % FOLDS
    return of_group[group]


def _makers(given: Inputs, target: Target, seed: int) -> Mapping[str, _Maker]:
    if not target.classes:
        values: Any = HistGradientBoostingRegressor
        boosted = values(
            max_iter=2 * ROUNDS,
            max_leaf_nodes=LEAVES,
            early_stopping=False,
            categorical_features=given.categories,
            random_state=seed,
        )
        return {
            MEAN: _Maker(given.trees, _mean),
            LINEAR: _Maker(given.linear, _values_of(Ridge())),
            BOOSTED: _Maker(given.trees, _values_of(boosted)),
        }
    count = len(target.classes)
    linear = LogisticRegression(tol=1e-3, max_iter=100)
    found = {
        MAJORITY: _Maker(given.trees, lambda _, truth: _shares(truth, count)),
        LINEAR: _Maker(given.linear, _classes_of(linear, count)),
    }
    if count <= MOST_CLASSES:
        rounds = ROUNDS if count == 2 else max(min(ROUNDS, ROUNDS_OF_CLASSES // count), 15)
        trees: Any = HistGradientBoostingClassifier
        boosted = trees(
            max_iter=rounds,
            max_leaf_nodes=LEAVES,
            learning_rate=0.1 if rounds == ROUNDS else 0.2,
            categorical_features=given.categories,
            early_stopping=False,
            random_state=seed,
        )
        found[BOOSTED] = _Maker(given.trees, _classes_of(boosted, count))
    return found


def _crossed(
    pool: ThreadPoolExecutor, maker: _Maker, truth: np.ndarray, fold: np.ndarray, used: np.ndarray
) -> tuple[np.ndarray, float]:
    """The answers to all rows, each by a model of the other folds, and the seconds of one training.

    Args:
        pool: in which the folds are trained.
        maker: of the model.
        truth: of M rows.
        fold: int64[M].
        used: bool[M]; the rows that may be trained on.
    """

    def answered(number: int) -> tuple[np.ndarray, float]:
        tested, trained = fold == number, (fold != number) & used
        # Threads of OpenMP wait for each other awake: on a busy machine they are many times slower than one.
        with threadpool_limits(1):
            started = time.perf_counter()
            answer = maker.fit(maker.features[trained], truth[trained])
            seconds = time.perf_counter() - started
            return answer(maker.features[tested]), seconds

    made = list(pool.map(answered, range(FOLDS)))
    told = np.zeros((len(truth), made[0][0].shape[1]))
    for number, (answer, _) in enumerate(made):
        told[fold == number] = answer
    return told, sum(seconds for _, seconds in made) / FOLDS


def _mean(_: Any, truth: np.ndarray) -> Answer:
    value = float(truth.mean())
    return lambda features: np.full((features.shape[0], 1), value)


def _shares(truth: np.ndarray, count: int) -> Answer:
    shares = np.bincount(truth, minlength=count) / max(len(truth), 1)
    return lambda features: np.tile(shares, (features.shape[0], 1))


def _fresh(model: Any) -> Any:
    """The model as it is before it is trained: the folds are trained at the same time."""
    return clone(model)


def _values_of(model: Any) -> Fit:
    def fit(features: Any, truth: np.ndarray) -> Answer:
        fitted: Any = _fresh(model).fit(features, truth)
        return lambda asked: np.asarray(fitted.predict(asked), np.float64)[:, None]

    return fit


def _classes_of(model: Any, count: int) -> Fit:
    def fit(features: Any, truth: np.ndarray) -> Answer:
        if truth.min() == truth.max():
            return _shares(truth, count)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a baseline short of its optimum is still a baseline
            fitted: Any = _fresh(model).fit(features, truth)

        def answer(asked: Any) -> np.ndarray:
            found = np.zeros((asked.shape[0], count))
            # A class may have no row in the sample.
            found[:, fitted.classes_] = fitted.predict_proba(asked)
            return found

        return answer

    return fit
