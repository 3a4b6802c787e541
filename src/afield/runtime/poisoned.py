"""Answers a batch that holds a record which cannot be answered: found by halves, so that the others are."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from afield.errors import AfieldError, DataError
from afield.preprocess.base import Carry
from afield.runtime.predictor import Answers

Answering = Callable[[pa.RecordBatch, Carry], Answers]
Piece = tuple[pa.RecordBatch, Answers]


def answered(
    answer: Answering,
    records: pa.RecordBatch,
    carry: Carry,
    passed: Callable[[int], None],
    refuse: Callable[[pa.RecordBatch, str], None],
) -> list[Piece]:
    """Answers records without those that make the answering fail.

    Args:
        answer: of the version that answers.
        records: N records, in order.
        carry: of the batch before.
        passed: told, in order, how many records can be answered.
        refuse: told, in the same order, of each record that cannot, as a batch of one row, and why.

    Returns:
        Records and their answers: all in one where that is possible; the carry of the last is that of the whole.

    Raises:
        AfieldError: trouble that is not of a record; or what `passed` and `refuse` raise.
    """
    try:
        whole = answer(records, carry)
    except Exception as error:
        reason = _reason(error)
    else:
        passed(records.num_rows)
        return [(records, whole)]
    if records.num_rows == 1:
        refuse(records, reason)
        return []
    pieces: list[Piece] = []
    latest, left = carry, _halves(records)
    while left:
        part = left.pop()
        try:
            answers = answer(part, latest)
        except Exception as error:
            reason = _reason(error)
            if part.num_rows == 1:
                refuse(part, reason)
            else:
                left += _halves(part)
            continue
        passed(part.num_rows)
        pieces.append((part, answers))
        latest = answers.carry
    return _together(answer, pieces, carry) if len(pieces) > 1 else pieces


def _together(answer: Answering, pieces: list[Piece], carry: Carry) -> list[Piece]:
    """The same records in one, as they would have been answered without those that were refused."""
    (records,) = pa.Table.from_batches([records for records, _ in pieces]).combine_chunks().to_batches()
    try:
        return [(records, answer(records, carry))]
    except Exception as error:
        _reason(error)
        return pieces


def _halves(records: pa.RecordBatch) -> list[pa.RecordBatch]:
    """The second half, then the first: a stack of them gives the first first."""
    middle = records.num_rows // 2
    return [records.slice(middle), records.slice(0, middle)]


def _reason(error: Exception) -> str:
    """Why a record cannot be answered; what is wrong with more than a record is raised again.

    A record that is not as it must be fails in many ways, in Arrow, NumPy or ONNX Runtime, which have no common error.
    """
    if isinstance(error, MemoryError) or (isinstance(error, AfieldError) and not isinstance(error, DataError)):
        raise error
    return str(error) if isinstance(error, DataError) else f"{type(error).__name__}: {error}"
