"""What a trained network is worth, on the test part it never saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from afield.connectors.base import FILE, LINE
from afield.report.metrics import confident_mistakes, evaluate
from afield.report.model import Mistake, Part, Parts, Scores
from afield.train.dataset import Dataset

TEXT_SHOWN = 500


@dataclass(frozen=True)
class Evaluation:
    """Scores on the test part.

    Args:
        test: on all its rows.
        unseen: on the rows whose reduced text does not stand in training; None where there is none.
        duplicated: rows whose reduced text also stands in training.
        mistakes: the most confident first.
    """

    test: Scores
    unseen: Scores | None
    duplicated: int
    mistakes: list[Mistake]


def evaluation(data: Dataset, probabilities: np.ndarray) -> Evaluation:
    """Scores the answers on the test part.

    Args:
        data: the dataset.
        probabilities: float32[M, C]; answers on the M test rows.
    """
    test = data.parts.test
    truth, classes = data.records.targets[test], data.records.classes
    seen = np.isin(data.keys[test], data.keys[data.parts.training])
    unseen = evaluate(truth[~seen], probabilities[~seen], classes) if not seen.all() else None
    return Evaluation(
        test=evaluate(truth, probabilities, classes),
        unseen=unseen,
        duplicated=int(seen.sum()),
        mistakes=_mistakes(data, truth, probabilities),
    )


def part_counts(data: Dataset) -> Parts:
    """Rows of each part and class."""
    counted: dict[str, Part] = {}
    for name, rows in data.parts.items():
        counts = np.bincount(data.records.targets[rows], minlength=len(data.records.classes)).tolist()
        counted[name] = Part(rows=len(rows), classes=dict(zip(data.records.classes, counts, strict=True)))
    return Parts(**counted)


def _mistakes(data: Dataset, truth: np.ndarray, probabilities: np.ndarray) -> list[Mistake]:
    wrong = confident_mistakes(truth, probabilities)
    classes = data.records.classes
    rows = data.records.table.take(pa.array(data.parts.test[wrong]))
    column = data.pipeline.column
    texts = data.pipeline.masked(pa.record_batch({column: rows.column(column).combine_chunks()}), "names").to_pylist()
    files = rows.column(FILE).cast(pa.string()).to_pylist() if FILE in rows.column_names else [""] * len(wrong)
    lines = rows.column(LINE).to_pylist() if LINE in rows.column_names else [0] * len(wrong)
    return [
        Mistake(
            text=(text or "")[:TEXT_SHOWN],
            truth=classes[truth[row]],
            prediction=classes[int(probabilities[row].argmax())],
            probability=float(probabilities[row].max()),
            file=file,
            line=line,
        )
        for row, text, file, line in zip(wrong, texts, files, lines, strict=True)
    ]
