"""Which tokens speak most for each class, asked of the network itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from afield.preprocess.rows import SparseRows
from afield.report.model import Token
from afield.runtime.decisions import Classes
from afield.runtime.session import Session
from afield.train.dataset import Dataset

CANDIDATES = 5_000
LEAST_RECORDS = 2


def spoken_for(data: Dataset, session: Session) -> dict[str, list[Token]]:
    """Class -> the tokens that speak most for it, of a network on text."""
    rows = data.examples(data.parts.training).features
    ((feature, sparse),) = rows.items()
    assert isinstance(sparse, SparseRows)
    decision = Classes(data.records.classes)
    return tokens(
        lambda asked: decision.probabilities(session.answer({feature: asked})),
        sparse,
        data.pipeline.vocabulary(),
        data.records.classes,
    )


def tokens(
    predict: Callable[[SparseRows], np.ndarray],
    training: SparseRows,
    vocabulary: pa.StringArray,
    classes: Sequence[str],
    most: int = 10,
) -> dict[str, list[Token]]:
    """Asks the network about one token at a time.

    A token's score for a class is how much the class's log-probability rises when a record holds this token alone
    instead of nothing. Only tokens of the training part that stand in several records are asked about.

    Args:
        predict: sparse rows to probabilities float32[N, C].
        training: rows of the training part.
        vocabulary: token of each column.
        classes: names of the classes.
        most: tokens a class.
    """
    records = np.bincount(training.ids, minlength=training.width)
    frequent = np.argsort(-records, kind="stable")[:CANDIDATES]
    asked = np.sort(frequent[records[frequent] >= LEAST_RECORDS]).astype(np.int32)
    if not len(asked):
        return {name: [] for name in classes}
    indptr = np.concatenate([np.arange(len(asked) + 1), [len(asked)]]).astype(np.int64)
    rows = SparseRows(indptr, asked, np.ones(len(asked), np.float32), training.width)
    log = np.log(np.maximum(predict(rows), 1e-12))
    rise = log[:-1] - log[-1]
    # What a token says for one class counts only beyond what it says for the others.
    rise -= rise.mean(axis=1, keepdims=True)
    spoken: dict[str, list[Token]] = {}
    for number, name in enumerate(classes):
        best = np.argsort(-rise[:, number], kind="stable")[:most]
        spoken[name] = [
            Token(token=vocabulary[int(asked[i])].as_py(), score=float(rise[i, number]))
            for i in best
            if rise[i, number] > 0
        ]
    return spoken
