"""The simple models of each kind of question, trained on the same parts as the network."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from afield.preprocess.base import Features
from afield.preprocess.rows import SparseRows
from afield.train.base import Examples
from afield.train.baselines.matrix import matrix
from afield.train.baselines.ngrams import by_context, by_frequency
from afield.train.dataset import Dataset
from afield.train.judging.base import Raw
from afield.train.texts import Text
from afield.usecase.model import UseCase

MOST_DENSE = 20_000
"""Rows of a dense matrix that a linear rule is trained on, at most: more change it little, and cost minutes."""


@dataclass(frozen=True)
class Simple:
    """A simple model that was trained.

    Args:
        name: of the model.
        raw: what it computes for the parts it is judged on, as a network would.
        seconds: to train it.
    """

    name: str
    raw: Raw
    seconds: float


def simple_models(data: Dataset, case: UseCase) -> Iterator[Simple]:
    """Trains the simple models of the question, one after the other."""
    for make in MODELS.get(case.question.kind, ()):
        yield make(data, case)


def majority(data: Dataset, case: UseCase) -> Simple:
    """Always the class that is most frequent in training."""
    started = time.perf_counter()
    shares = np.bincount(data.targets[data.parts.training], minlength=len(data.records.classes))
    certain = np.eye(len(shares), dtype=np.float32)[int(shares.argmax())]
    return _told("majority", data, lambda features: np.tile(certain, (_rows(features), 1)), started)


def linear(data: Dataset, case: UseCase) -> Simple:
    """A linear rule, one class against the rest, on the same features as the network.

    Source: scikit-learn's LinearSVC (liblinear) on text, solved in its dual form, which is several times faster on
    sparse rows; its LogisticRegression on numbers, scaled.
    """
    started = time.perf_counter()
    name, training = _sampled("linear", data, case)
    rows = matrix(training.features)
    seed = case.train.seed
    if not isinstance(rows, np.ndarray):
        model = _fitted(LinearSVC(random_state=seed).set_params(dual=True), rows, training.targets)
        return _told(name, data, lambda features: _certain(model, features, data), started)
    model = _fitted(make_pipeline(StandardScaler(), LogisticRegression(tol=1e-3)), rows, training.targets)
    return _told(name, data, lambda features: _probabilities(model, features, data), started)


def usual_tags(data: Dataset, case: UseCase) -> Simple:
    """The share of each tag in training, for every record."""
    started = time.perf_counter()
    shares = data.targets[data.parts.training].mean(axis=0).astype(np.float32)
    return _told("shares", data, lambda features: np.tile(shares, (_rows(features), 1)), started)


def linear_tags(data: Dataset, case: UseCase) -> Simple:
    """A logistic regression a tag."""
    started = time.perf_counter()
    name, training = _sampled("linear", data, case)
    rows = matrix(training.features)
    scale = StandardScaler(with_mean=isinstance(rows, np.ndarray))
    model = make_pipeline(scale, OneVsRestClassifier(LogisticRegression(tol=1e-3)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a tag that every row has, or none
        _fitted(model, rows, training.targets.astype(np.int32))
    return _told(name, data, lambda features: np.asarray(model.predict_proba(matrix(features))), started)


def mean(data: Dataset, case: UseCase) -> Simple:
    """The mean of the training part, for every record."""
    started = time.perf_counter()
    value = float(data.targets[data.parts.training].mean())
    return _told("mean", data, lambda features: np.full((_rows(features), 1), value), started)


def linear_value(data: Dataset, case: UseCase) -> Simple:
    """A ridge regression on scaled features."""
    started = time.perf_counter()
    name, training = _sampled("linear", data, case)
    rows = matrix(training.features)
    model = _fitted(
        make_pipeline(StandardScaler(with_mean=isinstance(rows, np.ndarray)), Ridge()), rows, training.targets
    )
    return _told(name, data, lambda features: np.asarray(model.predict(matrix(features)))[:, None], started)


def isolation_forest(data: Dataset, case: UseCase) -> Simple:
    """scikit-learn's isolation forest of 200 trees.

    Source: F. T. Liu, K. M. Ting and Z.-H. Zhou, Isolation Forest, ICDM 2008.
    """
    started = time.perf_counter()
    model: Any = IsolationForest(n_estimators=200, random_state=case.train.seed)
    model.fit(matrix(data.examples(data.parts.training).features))
    return _told(
        "isolation forest", data, lambda features: -model.decision_function(matrix(features))[:, None], started
    )


def character_frequencies(data: Dataset, case: UseCase) -> Simple:
    """Every character by its share of the training part."""
    return _of_text("character frequencies", by_frequency, data)


def character_ngrams(data: Dataset, case: UseCase) -> Simple:
    """Every character by the few before it."""
    return _of_text("n-grams", by_context, data)


MODELS: Mapping[str, tuple[Callable[[Dataset, UseCase], Simple], ...]] = {
    "classify": (majority, linear),
    "tag": (usual_tags, linear_tags),
    "regress": (mean, linear_value),
    "abnormal": (isolation_forest,),
    "write": (character_frequencies, character_ngrams),
}
"""Kind of question -> its simple models."""


def _of_text(name: str, model: Callable[[Text], Raw], data: Dataset) -> Simple:
    assert data.text is not None, "a model of a text needs one"
    started = time.perf_counter()
    return Simple(name, model(data.text), time.perf_counter() - started)


def _told(name: str, data: Dataset, answer: Callable[[Features], np.ndarray], started: float) -> Simple:
    """What a model says; `started`, on the clock, is when its training began."""
    seconds = time.perf_counter() - started
    parts = (data.parts.validation, data.parts.test)
    validation, test = (answer(data.examples(rows).features).astype(np.float32) for rows in parts)
    return Simple(name, Raw(validation, test), seconds)


def _sampled(name: str, data: Dataset, case: UseCase) -> tuple[str, Examples]:
    """The training part, or a sample of it that the model's name tells of."""
    rows = data.parts.training
    most = case.train.baseline_rows
    if not all(isinstance(value, SparseRows) for value in data.features.values()):
        most = min(most, MOST_DENSE)
    if len(rows) <= most:
        return name, data.examples(rows)
    drawn = np.sort(np.random.default_rng(case.train.seed).choice(rows, most, replace=False))
    return f"{name} on {most:,} rows", data.examples(drawn)


def _fitted(model: Any, rows: Any, targets: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a baseline short of its optimum is still a baseline
        return model.fit(rows, targets)


def _certain(model: Any, features: Features, data: Dataset) -> np.ndarray:
    """The class of the highest score, as a certain answer; of two classes, the logistic of the score."""
    rows = matrix(features)
    if not rows.shape[0]:
        return np.zeros((0, len(data.records.classes)), np.float32)
    if len(data.records.classes) == 2:
        second = 1 / (1 + np.exp(-model.decision_function(rows)))
        return np.stack([1 - second, second], axis=1)
    return np.eye(len(data.records.classes), dtype=np.float32)[np.asarray(model.predict(rows))]


def _probabilities(model: Any, features: Features, data: Dataset) -> np.ndarray:
    found = np.zeros((_rows(features), len(data.records.classes)), np.float32)
    if len(found):
        # A class may have no row in the sample.
        found[:, model.classes_] = model.predict_proba(matrix(features))
    return found


def _rows(features: Features) -> int:
    return len(next(iter(features.values())))
