"""Training rows that travel in a bundle, as masked, with the answers that a site must give to them too."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from afield.bundle.examples import EXAMPLE, EXPECTED, FIGURE
from afield.runtime.decisions import PREDICTION, Decision
from afield.runtime.session import Session
from afield.train.dataset import Dataset

ROWS = 32
WINDOWS = 4


def examples(data: Dataset, session: Session, decision: Decision, seed: int) -> pa.Table:
    """Some examples of the training part: rows, or whole windows one after the other.

    Args:
        data: the dataset.
        session: of the exported model.
        decision: how what it computes becomes an answer.
        seed: of the draw.
    """
    rows = data.parts.training
    cut = data.layout.cut
    wanted = min(ROWS if cut is None else WINDOWS, len(rows))
    drawn = np.sort(np.random.default_rng(seed).choice(rows, wanted, replace=False))
    if cut is None:
        return _answered(data, data.layout.ends[drawn], session, decision)
    parts: list[pa.Table] = []
    for number, example in enumerate(drawn):
        part = _answered(data, data.layout.records(example), session, decision)
        parts.append(part.append_column(EXAMPLE, pa.array([number] * part.num_rows, pa.int32())))
    return pa.concat_tables(parts)


def _answered(data: Dataset, records: np.ndarray, session: Session, decision: Decision) -> pa.Table:
    (batch,) = data.records.table.take(pa.array(records)).combine_chunks().to_batches()
    masked = data.pipeline.masked(batch, "stand-ins")
    read = data.pipeline.read(masked)
    answers = decision.answer(session.answer(read.features))
    expected = np.full(len(records), None, object)
    figures = np.zeros(len(records), np.float32)
    expected[read.ends] = answers[PREDICTION].cast(pa.string()).to_pylist()
    figures[read.ends] = answers[decision.figure].to_numpy()
    table = pa.Table.from_batches([masked]).append_column(EXPECTED, pa.array(expected, pa.string()))
    return table.append_column(FIGURE, pa.array(figures, pa.float32()))
