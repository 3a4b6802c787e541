"""What leaves Afield for each record: its name for ever, the answer, and who gave it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from afield.connectors.base import FILE, LINE, OFFSET, STREAM
from afield.runtime.predictor import Answers


def answer_table(records: pa.RecordBatch, answers: Answers, version: str) -> pa.RecordBatch:
    """One row a record that is answered: id, prediction, the number beside it, version, position.

    The id is made of the stream and the offset of the record, so that a record that is answered again has the same one.

    Args:
        records: N records with STREAM and OFFSET, and FILE and LINE where there are any.
        answers: on these records, M rows.
        version: which gave them.
    """
    if len(answers.ends) != records.num_rows:
        records = records.take(pa.array(answers.ends))
    columns = {
        "id": _joined(records.column(STREAM), records.column(OFFSET)),
        **answers.columns,
        "version": pa.DictionaryArray.from_arrays(pa.array([0] * records.num_rows, pa.int8()), pa.array([version])),
    }
    if FILE in records.schema.names:
        columns["position"] = _joined(records.column(FILE), records.column(LINE))
    return pa.RecordBatch.from_pydict(columns)


def _joined(text: pa.Array, number: pa.Array) -> pa.Array:
    return pc.call_function(
        "binary_join_element_wise", [text.cast(pa.string()), number.cast(pa.string()), pa.scalar(":")]
    )
