"""The best single rule: one statistic of one column, and one threshold."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from afield.bundle.manifest import Input
from afield.errors import UseCaseError
from afield.preprocess.base import Features, StepInput
from afield.preprocess.rows import dense, taken
from afield.report.model import Epoch, LayerRow
from afield.train.base import Examples, Parity, Task, Watcher
from afield.train.export.graph import ROWS, Graph
from afield.train.frameworks.base import Whole
from afield.train.frameworks.spec import Rule

BLOCK = 2048
SMALL = 1e-6
STATISTICS = ("mean", "deviation", "least", "greatest", "last", "persistence")
"""Of a column over a window; persistence is its autocorrelation at one row: near 1 where it follows a course, near 0
where each row is drawn anew. Of a record that is no window, a column is its own only statistic."""


@dataclass(frozen=True)
class Threshold:
    """A rule.

    Args:
        feature: name of the feature.
        statistic: place in STATISTICS, or -1 for the number itself.
        column: place among the feature's numbers.
        cut: above it, a record is of the second class with `above`, else with `below`, as its probability.
        below, above: shares of the second class among the training part's records on either side.
    """

    feature: str
    statistic: int
    column: int
    cut: float
    below: float
    above: float

    def said(self) -> str:
        """The rule in words."""
        what = f"{STATISTICS[self.statistic]} of " if self.statistic >= 0 else ""
        return f"{what}number {self.column + 1} of '{self.feature}' above {self.cut:.6g}"


class RuleTrainer(Whole):
    """Tries every column and statistic, and keeps the threshold with the highest balanced accuracy.

    Args:
        spec: it has nothing to set.
        task: what it is to learn.
    """

    def __init__(self, spec: Rule, task: Task) -> None:
        self._task = task

    def fit(self, training: Examples, validation: Examples, watcher: Watcher) -> TrainedRule:
        """Finds the rule on the training examples.

        Raises:
            UseCaseError: text enters it, or there are more than two classes.
        """
        if len(self._task.classes) != 2:
            raise UseCaseError(f"model.rule: tells two classes apart, the data has {len(self._task.classes)}")
        if any(one.sparse for one in self._task.inputs):
            raise UseCaseError("model.rule: reads numbers, not the rows of a `text` step")
        watcher.stage("looking for the best rule")
        started = time.perf_counter()
        positive = training.targets == 1
        best: tuple[float, Threshold] | None = None
        for name in training.features:
            for statistic, numbers in statistics(training.features, name):
                found = _best(numbers, positive, name, statistic)
                if best is None or found[0] > best[0]:
                    best = found
        assert best is not None
        return TrainedRule(best[1], self._task, time.perf_counter() - started)


class TrainedRule:
    """A rule that was found.

    Args:
        rule: found.
        task: what it was found for.
        seconds: to find it.
    """

    vectors = False
    parity = Parity(share=0.99)

    def __init__(self, rule: Threshold, task: Task, seconds: float) -> None:
        self._rule = rule
        self._task = task
        self.seconds = seconds

    @property
    def history(self) -> list[Epoch]:
        """It has no epochs."""
        return []

    @property
    def stopped(self) -> str:
        """The rule in words."""
        return self._rule.said()

    def predict(self, features: Features) -> np.ndarray:
        """Probability of the second class, float32[N, 1]."""
        rule = self._rule
        numbers = dict(statistics(features, rule.feature))[rule.statistic][:, rule.column]
        return np.where(numbers > rule.cut, np.float32(rule.above), np.float32(rule.below))[:, None]

    def export_onnx(self) -> bytes:
        """The rule as an ONNX model on its feature."""
        rule, one = self._rule, self._entered
        graph = Graph()
        entered = graph.input(one.feature, one.dtype, [ROWS, *one.shape])
        value = graph.cast(entered, "float32").name
        windows = rule.statistic >= 0
        sizes = [0, one.shape[0], -1] if windows else [0, -1]
        flat = graph.add("Reshape", value, graph.whole(*sizes))
        column = graph.add("Gather", flat, graph.whole(rule.column), axis=2 if windows else 1)
        number = _written(graph, column, rule.statistic, one.shape[0]) if windows else column
        side = graph.add("Greater", number, graph.constant(rule.cut))
        answer = graph.add("Where", side, graph.constant(rule.above), graph.constant(rule.below))
        graph.output("answers", graph.add("Reshape", answer, graph.whole(-1, 1)), [ROWS, 1])
        return graph.model()

    def fed(self) -> list[Input]:
        """The feature that the rule looks at."""
        return [Input(name=self._entered.feature, dtype=self._entered.dtype, feature=self._entered.feature)]

    def layers(self) -> list[LayerRow]:
        """It has none."""
        return []

    @property
    def _entered(self) -> StepInput:
        return next(one for one in self._task.inputs if one.feature == self._rule.feature)


def statistics(features: Features, name: str) -> list[tuple[int, np.ndarray]]:
    """Place of each statistic (-1 for the number itself) and float32[N, F] of a feature."""
    rows = len(features[name])
    blocks: list[list[np.ndarray]] = []
    for start in range(0, rows, BLOCK):
        some = taken({name: features[name]}, np.arange(start, min(start + BLOCK, rows)))[name]
        values = dense(some).astype(np.float32)
        window = not isinstance(features[name], np.ndarray)
        blocks.append(_over(values.reshape(*values.shape[:2], -1)) if window else [values.reshape(len(values), -1)])
    first = 0 if not isinstance(features[name], np.ndarray) else -1
    return [(first + place, np.concatenate(parts)) for place, parts in enumerate(zip(*blocks, strict=True))]


def _over(rows: np.ndarray) -> list[np.ndarray]:
    """The statistics of float32[N, L, F] over its rows, in the order of STATISTICS."""
    mean = rows.mean(axis=1)
    apart = rows - mean[:, None]
    spread = (apart**2).mean(axis=1)
    follows = (apart[:, 1:] * apart[:, :-1]).mean(axis=1) / (spread + SMALL)
    return [mean, np.sqrt(spread), rows.min(axis=1), rows.max(axis=1), rows[:, -1], follows]


def _written(graph: Graph, column: str, statistic: int, length: int) -> str:
    """The same in ONNX, of [rows, L, 1]."""
    axis = graph.whole(1)

    def over(operator: str, value: str) -> str:
        return graph.add(operator, value, axis, keepdims=1)

    def rows(value: str, start: int, end: int) -> str:
        return graph.add("Slice", value, graph.whole(start), graph.whole(end), axis)

    apart = graph.add("Sub", column, over("ReduceMean", column))
    spread = over("ReduceMean", graph.add("Mul", apart, apart))
    beside = graph.add("Mul", rows(apart, 1, length), rows(apart, 0, length - 1))
    follows = graph.add("Div", over("ReduceMean", beside), graph.add("Add", spread, graph.constant(SMALL)))
    return [
        over("ReduceMean", column),
        graph.add("Sqrt", spread),
        over("ReduceMin", column),
        over("ReduceMax", column),
        rows(column, length - 1, length),
        follows,
    ][statistic]


def _best(numbers: np.ndarray, positive: np.ndarray, feature: str, statistic: int) -> tuple[float, Threshold]:
    """The threshold with the highest balanced accuracy over all columns, and that accuracy."""
    order = np.argsort(numbers, axis=0, kind="stable")
    ranked = positive[order]
    values = np.take_along_axis(numbers, order, axis=0)
    found = np.cumsum(ranked, axis=0)[:-1]
    passed = np.arange(1, len(numbers))[:, None]
    positives, negatives = max(int(positive.sum()), 1), max(int((~positive).sum()), 1)
    # Taking all above the cut for positive: the share of positives above, less that of negatives above.
    gain = np.abs((passed - found) / negatives - found / positives)
    gain[values[1:] <= values[:-1]] = -1
    place, column = np.unravel_index(int(gain.argmax()), gain.shape) if gain.size else (0, 0)
    cut = float((values[place, column] + values[min(place + 1, len(values) - 1), column]) / 2)
    above = numbers[:, column] > cut
    shares = [float(positive[side].mean()) if side.any() else float(positive.mean()) for side in (~above, above)]
    best = float(gain[place, column]) if gain.size else -1.0
    return best, Threshold(feature, statistic, int(column), cut, *shares)
