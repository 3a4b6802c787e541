"""What a network is worth on the test part, and where it is wrong."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from afield.connectors.base import FILE, LINE
from afield.preprocess.pipeline import Pipeline
from afield.preprocess.rows import SparseRows
from afield.preprocess.text.spec import Text
from afield.train.dataset import Dataset, Records
from afield.train.evaluate import TEXT_SHOWN, evaluation, part_counts
from afield.train.split import Parts

TEXTS = ["a 1", "b 2", "a 3", "b 4", "new text 7", "", "x" * 600]
TARGETS = np.array([0, 1, 0, 1, 1, 0, 0], np.int32)


@pytest.fixture
def data() -> Dataset:
    """Rows 0 and 1 train, 2 validates, the others test; row 3 reads like row 1 once masked."""
    pipeline = Pipeline.of([Text(mask=["number"], tokens="words")])
    files = pa.array([f"f{i}.log" for i in range(7)]).dictionary_encode()
    table = pa.table({"text": TEXTS, FILE: files, LINE: range(10, 17)})
    records = Records(table, TARGETS, ["ant", "bee"], [])
    parts = Parts(np.array([0, 1]), np.array([2]), np.array([3, 4, 5, 6]))
    keys = pipeline.keys(table.to_batches()[0])
    rows = SparseRows(np.zeros(8, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), 1)
    return Dataset(records, parts, pipeline, {"text": rows}, keys, 0.0, "f")


def test_scores_on_all_and_on_unseen_rows(data: Dataset) -> None:
    found = evaluation(data, np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]], np.float32))
    assert (found.test.rows, found.test.accuracy) == (4, 0.5)
    assert found.unseen is not None
    assert (found.unseen.rows, found.unseen.accuracy) == (3, pytest.approx(1 / 3))
    assert found.duplicated == 1
    first, second = found.mistakes
    assert (first.truth, first.prediction, first.file, first.line) == ("bee", "ant", "f4.log", 14)
    assert first.text == "new text <number>"
    assert first.probability == pytest.approx(0.8)
    assert (second.truth, second.prediction, second.text, second.line) == ("ant", "bee", "", 15)


def test_a_long_text_is_cut(data: Dataset) -> None:
    found = evaluation(data, np.array([[0, 1], [0, 1], [1, 0], [0, 1]], np.float32))
    (mistake,) = found.mistakes
    assert mistake.text == "x" * TEXT_SHOWN


def test_no_mistakes_and_nothing_unseen(data: Dataset) -> None:
    seen = dataclasses.replace(data, parts=dataclasses.replace(data.parts, test=np.array([3])))
    found = evaluation(seen, np.array([[0.0, 1.0]], np.float32))
    assert (found.unseen, found.duplicated, found.mistakes, found.test.accuracy) == (None, 1, [], 1.0)


def test_records_without_files(data: Dataset) -> None:
    records = dataclasses.replace(data.records, table=data.records.table.select(["text"]))
    found = evaluation(dataclasses.replace(data, records=records), np.array([[1, 0]] * 4, np.float32))
    assert {(mistake.file, mistake.line) for mistake in found.mistakes} == {("", 0)}


def test_rows_of_each_part_and_class(data: Dataset) -> None:
    counts = part_counts(data)
    assert (counts.training.rows, counts.training.classes) == (2, {"ant": 1, "bee": 1})
    assert (counts.validation.rows, counts.validation.classes) == (1, {"ant": 1, "bee": 0})
    assert (counts.test.rows, counts.test.classes) == (4, {"ant": 2, "bee": 2})
