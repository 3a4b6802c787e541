"""scikit-learn's estimators: fitted as they are, exported by skl2onnx."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.utils import all_estimators

from afield.bundle.manifest import Input
from afield.errors import DataError, UseCaseError
from afield.preprocess.base import Features
from afield.preprocess.rows import SparseRows, joined
from afield.report.model import Epoch, LayerRow
from afield.train.base import Examples, Parity, Task, Watcher
from afield.train.baselines.matrix import sparse_matrix
from afield.train.export.sklearn import export_sklearn
from afield.train.frameworks.base import Whole
from afield.train.frameworks.spec import Sklearn

INPUT, OUTPUT = "features", "answers"


class SklearnTrainer(Whole):
    """Fits an estimator.

    Args:
        spec: the estimator.
        task: what it is to learn.
    """

    def __init__(self, spec: Sklearn, task: Task) -> None:
        self._spec = spec
        self._task = task

    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> TrainedEstimator:
        """Fits on the training examples; an estimator that stops early takes its own part of them for that.

        Raises:
            UseCaseError: scikit-learn refuses an argument.
            DataError: a class has no training row.
        """
        name = self._spec.named()[-1][0]
        watcher.stage(f"fitting {name}")
        estimator = self._estimator()
        started = time.perf_counter()
        notes: list[str] = []
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                if self._task.kind == "abnormal":
                    estimator.fit(matrix(training.features))
                else:
                    estimator.fit(matrix(training.features), training.targets)
            notes = [str(w.message).splitlines()[0] for w in caught if issubclass(w.category, ConvergenceWarning)]
        except (ValueError, TypeError) as refused:
            raise UseCaseError(f"model.sklearn: {name}: {str(refused).splitlines()[0]}") from None
        seconds = time.perf_counter() - started
        if self._task.kind == "classify" and len(estimator.classes_) != len(self._task.classes):
            missing = sorted(set(range(len(self._task.classes))) - set(estimator.classes_.tolist()))
            raise DataError(f"train.split: the training part has no row of '{self._task.classes[missing[0]]}'")
        return TrainedEstimator(estimator, self._task, name, seconds, notes)

    def _estimator(self) -> Any:
        known = dict(all_estimators())
        task = self._task
        steps: list[Any] = []
        for name, arguments in self._spec.named():
            given = {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
            try:
                step = known[name](**given)
            except TypeError as refused:
                raise UseCaseError(f"model.sklearn: {name}: {refused}") from None
            there = step.get_params(deep=False)
            usual = {"random_state": task.train.seed, "n_jobs": -1}
            step.set_params(**{key: value for key, value in usual.items() if key in there and key not in given})
            steps.append(step)
        return steps[0] if len(steps) == 1 else make_pipeline(*steps)


class TrainedEstimator:
    """A fitted estimator.

    Args:
        estimator: of scikit-learn.
        task: what it learned.
        name: of its last step.
        seconds: to fit it.
        notes: what scikit-learn warned of.
    """

    def __init__(self, estimator: Any, task: Task, name: str, seconds: float, notes: list[str]) -> None:
        self._estimator = estimator
        self._task = task
        self._name = name
        self._notes = notes
        self.seconds = seconds

    vectors = False
    # A number that stands right at a threshold of a tree may fall to its other side in 32 bits.
    parity = Parity(1e-3, 0.99)

    @property
    def history(self) -> list[Epoch]:
        """It has no epochs."""
        return []

    @property
    def stopped(self) -> str:
        """That it is fitted, and what scikit-learn warned of."""
        return "; ".join([f"{self._name} was fitted", *self._notes])

    def predict(self, features: Features) -> np.ndarray:
        """As the exported model."""
        rows = matrix(features)
        if self._task.kind == "classify":
            return np.asarray(self._estimator.predict_proba(rows), np.float32)
        if self._task.kind == "abnormal":
            return -np.asarray(self._estimator.decision_function(rows), np.float32).reshape(-1, 1)
        return np.asarray(self._estimator.predict(rows), np.float32).reshape(-1, 1)

    def export_onnx(self) -> bytes:
        """The estimator as an ONNX model on one matrix."""
        width = sum(int(np.prod(one.shape)) for one in self._task.inputs)
        return export_sklearn(self._estimator, width, INPUT, OUTPUT)

    def fed(self) -> list[Input]:
        """One matrix of all features."""
        return [Input(name=INPUT, dtype="float32", feature="", form="joined")]

    def layers(self) -> list[LayerRow]:
        """It has none."""
        return []


def matrix(features: Features) -> Any:
    """All features as one matrix, float32[N, W]; SciPy's sparse rows where text is all there is."""
    values = list(features.values())
    if len(values) == 1 and isinstance(values[0], SparseRows):
        return sparse_matrix(values[0])
    return joined(features)
