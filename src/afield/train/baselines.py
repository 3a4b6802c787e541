"""Two models that a network must beat to be worth its cost: the majority class, and a linear rule."""

from __future__ import annotations

import time
import warnings

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from afield.preprocess.rows import SparseRows
from afield.report.metrics import evaluate
from afield.report.model import Baseline


def majority(training: np.ndarray, test: np.ndarray, classes: list[str]) -> Baseline:
    """Always the class that is most frequent in training.

    Args:
        training: int[N]; classes of the training part.
        test: int[M]; classes of the test part.
        classes: their names.
    """
    started = time.perf_counter()
    most = int(np.bincount(training).argmax())
    return _scored("majority", np.full(len(test), most), test, classes, time.perf_counter() - started)


def linear(
    training: tuple[SparseRows, np.ndarray],
    test: tuple[SparseRows, np.ndarray],
    classes: list[str],
    most: int,
    seed: int,
) -> Baseline:
    """A linear support-vector machine, one class against the rest, on the same rows as the network.

    Source: scikit-learn's LinearSVC (liblinear), solved in its dual form, which is several times faster on sparse rows.

    Args:
        training: (rows, targets int[N]).
        test: (rows, targets int[M]).
        classes: names of the classes.
        most: rows to train on, at most; more are sampled.
        seed: of the sample and the solver.
    """
    rows, targets = training
    started = time.perf_counter()
    name = "linear"
    if len(rows) > most:
        drawn = np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))
        rows, targets = rows.take(drawn), targets[drawn]
        name = f"linear on {most:,} rows"
    model = LinearSVC(random_state=seed).set_params(dual=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a baseline short of its optimum is still a baseline
        model.fit(matrix(rows), targets)
    seconds = time.perf_counter() - started
    predicted = np.asarray(model.predict(matrix(test[0])))
    return _scored(name, predicted, test[1], classes, seconds)


def matrix(rows: SparseRows) -> csr_matrix:
    """The rows as SciPy's float32 matrix."""
    return csr_matrix((rows.weights, rows.ids, rows.indptr), shape=(len(rows), rows.width))


def _scored(name: str, predicted: np.ndarray, truth: np.ndarray, classes: list[str], seconds: float) -> Baseline:
    certain = np.eye(len(classes), dtype=np.float32)[predicted]
    scores = evaluate(truth, certain, classes)
    return Baseline(
        name=name, accuracy=scores.accuracy, interval=scores.interval, macro_f1=scores.macro.f1, seconds=seconds
    )
