"""What leaves Afield for each record."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from afield.connectors.base import FILE, LINE, OFFSET, STREAM
from afield.runtime.answers import answer_table
from afield.runtime.decisions import Classes, Value
from afield.runtime.predictor import Answers

DECISION = Classes(["app", "kernel"])


def answered(raw: list[list[float]], ends: list[int]) -> Answers:
    columns = DECISION.answer(np.array(raw, np.float32).reshape(-1, 2))
    return Answers(columns, DECISION.figure, np.array(ends, np.int64))


ANSWERS = answered([[0.25, 0.75], [0.5, 0.5]], [0, 1])


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
    table = answer_table(records().slice(0, 0), answered([], []), "v3")
    assert table.num_rows == 0
    assert table.schema == answer_table(records(), ANSWERS, "v3").schema


def test_a_part_of_a_batch() -> None:
    (row,) = answer_table(records().slice(1, 1), answered([[0.5, 0.5]], [0]), "v3").to_pylist()
    assert (row["id"], row["position"]) == ("s-2:12345678901", "b é.log:7")


def test_a_window_answers_for_its_last_record() -> None:
    (row,) = answer_table(records(), answered([[0.25, 0.75]], [1]), "v3").to_pylist()
    assert (row["id"], row["prediction"], row["position"]) == ("s-2:12345678901", "kernel", "b é.log:7")
    assert answer_table(records(), answered([], []), "v3").num_rows == 0


def test_a_value_has_no_number_beside_it() -> None:
    values = Answers(Value().answer(np.array([[1.5], [-2]], np.float32)), Value.figure, np.arange(2))
    table = answer_table(records(), values, "v3")
    assert table.schema.names == ["id", "prediction", "version", "position"]
    assert table["prediction"].to_pylist() == [1.5, -2]
