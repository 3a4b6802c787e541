"""What leaves Afield for each record."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from afield.connectors.base import FILE, LINE, OFFSET, STREAM
from afield.runtime.answers import answer_table
from afield.runtime.predictor import Answers

ANSWERS = Answers(pa.array(["app", "kernel"]), np.array([[0.25, 0.75], [0.5, 0.5]], np.float32))


def records(**changes: pa.Array) -> pa.RecordBatch:
    columns = {
        STREAM: pa.array(["s-1", "s-2"]).dictionary_encode(),
        OFFSET: pa.array([0, 12_345_678_901]),
        FILE: pa.array(["a.log", "b é.log"]).dictionary_encode(),
        LINE: pa.array([1, 7]),
    }
    return pa.RecordBatch.from_pydict(columns | changes)


def test_one_row_a_record() -> None:
    table = answer_table(records(), ANSWERS, "v3")
    assert table.schema.names == ["id", "prediction", "probability", "version", "position"]
    assert table.to_pylist() == [
        {"id": "s-1:0", "prediction": "kernel", "probability": 0.75, "version": "v3", "position": "a.log:1"},
        {"id": "s-2:12345678901", "prediction": "app", "probability": 0.5, "version": "v3", "position": "b é.log:7"},
    ]


def test_a_source_without_files_has_no_position() -> None:
    plain = records().select([STREAM, OFFSET])
    assert answer_table(plain, ANSWERS, "v3").schema.names == ["id", "prediction", "probability", "version"]


def test_no_records() -> None:
    nothing = Answers(ANSWERS.classes, np.zeros((0, 2), np.float32))
    table = answer_table(records().slice(0, 0), nothing, "v3")
    assert table.num_rows == 0
    assert table.schema == answer_table(records(), ANSWERS, "v3").schema


def test_a_part_of_a_batch() -> None:
    part = Answers(ANSWERS.classes, ANSWERS.probabilities[1:])
    (row,) = answer_table(records().slice(1, 1), part, "v3").to_pylist()
    assert (row["id"], row["position"]) == ("s-2:12345678901", "b é.log:7")
