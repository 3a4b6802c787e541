"""Which records make an example: each its own, or a window of several."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from afield.preprocess.pipeline import Pipeline
from afield.preprocess.window.step import Cut
from afield.train.records import MISSING, Records
from afield.usecase.model import Question


@dataclass(frozen=True)
class Layout:
    """The examples of some records.

    Args:
        ends: int64[M]; the record that each example stands for, the last one of a window.
        targets: of each example, as in `Records`.
        cut: the windows, or None where each record is an example.
    """

    ends: np.ndarray
    targets: np.ndarray
    cut: Cut | None = None

    def rows(self, examples: np.ndarray) -> np.ndarray:
        """int64[R]: the records that some examples are made of, ascending."""
        if self.cut is None:
            return self.ends[examples]
        order = self.cut.order
        return np.sort(order[covered(self.cut.starts[examples], self.cut.length, len(order))])

    def records(self, example: int) -> np.ndarray:
        """int64[L]: the records of one example, in their order."""
        if self.cut is None:
            return self.ends[example : example + 1]
        start = self.cut.starts[example]
        return self.cut.order[start : start + self.cut.length]


def laid_out(pipeline: Pipeline, records: Records, table: pa.Table, question: Question) -> Layout:
    """The examples of the records.

    Args:
        pipeline: of the use case, fitted or not.
        records: with their targets.
        table: the same records, without the columns that hold the answer.
        question: what is asked.

    Raises:
        DataError: no run of records is as long as a window.
    """
    window = pipeline.window
    if window is None:
        return Layout(np.arange(table.num_rows), records.targets)
    cut = window.cut(table)
    if question.kind in ("classify", "abnormal", "group") and records.classes:
        targets = window.labels(cut, records.targets, records.classes)
    else:
        targets = records.targets[cut.ends]
    if question.kind == "classify":
        # Windows of several answers, where the rule gives them none, teach nothing.
        known = targets != MISSING
        cut = replace(cut, starts=cut.starts[known], ends=cut.ends[known], runs=cut.runs[known])
        targets = targets[known]
    return Layout(cut.ends, targets, cut)


def covered(starts: np.ndarray, length: int, rows: int) -> np.ndarray:
    """bool[rows]: whether a window that begins at one of the starts holds the row."""
    change = np.zeros(rows + 1, np.int64)
    np.add.at(change, starts, 1)
    np.add.at(change, starts + length, -1)
    return np.cumsum(change[:-1]) > 0
