"""Labelled records: classes numbered, what cannot be learned refused, the preprocessing fitted on training alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.connectors.base import LABEL, TEXT, Batch, Position
from afield.errors import DataError
from afield.preprocess.rows import SparseRows
from afield.train.base import Unwatched
from afield.train.dataset import Records, build, labelled, read, take
from afield.usecase.model import UseCase


def records(labels: list[str | None], min_rows: int = 2, rare: str = "error") -> Records:
    table = pa.table({"text": [f"row {i}" for i in range(len(labels))]})
    return labelled(table, pa.chunked_array([pa.array(labels, pa.string())]), min_rows, rare)


def use_case(**split: Any) -> UseCase:
    return UseCase.model_validate(
        {
            "source": {"files": {"path": "data", "label": "file_name"}},
            "preprocess": [{"text": {"mask": ["number"]}}],
            "model": {"network": [{"dense": {"units": "classes", "activation": "softmax"}}]},
            "train": {"split": split},
        }
    )


def assert_refused(message: str, work: Any) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        work()


def test_classes_are_numbered_in_order_of_their_names() -> None:
    found = records(["b", "a", "c", "a", "b", "c"])
    assert found.classes == ["a", "b", "c"]
    assert found.targets.tolist() == [1, 0, 2, 0, 1, 2]
    assert (found.targets.dtype, found.notes) == (np.int32, [])


def test_labels_may_come_in_a_dictionary() -> None:
    names = pa.chunked_array([pa.array(["b", "a"]).dictionary_encode(), pa.array(["b", "a"]).dictionary_encode()])
    found = labelled(pa.table({"text": list("wxyz")}), names, 2, "error")
    assert (found.classes, found.targets.tolist()) == (["a", "b"], [1, 0, 1, 0])


def test_rows_without_a_label_are_left_out_and_counted() -> None:
    found = records(["a", None, "b", "", "a", "b"])
    assert found.table["text"].to_pylist() == ["row 0", "row 2", "row 4", "row 5"]
    assert found.targets.tolist() == [0, 1, 0, 1]
    assert found.notes == ["2 rows left out: no label"]
    assert records(["a", None, "b", "a", "b"]).notes == ["1 row left out: no label"]


def test_rare_classes_are_refused() -> None:
    assert_refused(
        "question: 1 of 3 classes have fewer than 2 rows: 'c' (1 row); give more rows, or leave them out with"
        " `question: {rare: drop}`",
        lambda: records(["a", "a", "b", "b", "c"]),
    )
    names = [f"k{i}" for i in range(7)]
    assert_refused(
        "question: 7 of 8 classes have fewer than 3 rows: 'k0' (2 rows), 'k1' (2 rows), 'k2' (2 rows), 'k3' (2 rows),"
        " 'k4' (2 rows), ...; give more rows, or leave them out with `question: {rare: drop}`",
        lambda: records(["a"] * 3 + names * 2, min_rows=3),
    )


def test_rare_classes_are_left_out_where_that_is_asked_for() -> None:
    found = records(["a", "c", "a", "b", "d", "b"], rare="drop")
    assert (found.classes, found.targets.tolist()) == (["a", "b"], [0, 0, 1, 1])
    assert found.table["text"].to_pylist() == ["row 0", "row 2", "row 3", "row 5"]
    assert found.notes == ["2 rows left out: 2 of 4 classes have fewer than 2 rows"]


def test_what_cannot_be_learned() -> None:
    one = "of one class, 'a'; expected at least two classes: check `path:` and `label:` of the source"
    assert_refused(f"question: all 3 rows are {one}", lambda: records(["a"] * 3))
    assert_refused(f"question: all 3 rows are {one}", lambda: records(["a", "a", "b", "a"], rare="drop"))
    assert_refused("question: no record has a label; check `label:` of the source", lambda: records([None, ""]))
    assert_refused(
        "question: no class has 5 rows; give more rows, or lower `question: {min_rows: ...}`",
        lambda: records(["a", "b"], min_rows=5, rare="drop"),
    )


@given(st.lists(st.sampled_from(["a", "b", "c", "d", "", None]), min_size=1, max_size=60), st.integers(2, 6))
def test_what_is_kept_is_kept_in_order(labels: list[str | None], least: int) -> None:
    counts = {name: labels.count(name) for name in labels if name}
    kept = [(f"row {i}", name) for i, name in enumerate(labels) if name and counts[name] >= least]
    if len({name for _, name in kept}) < 2:
        with pytest.raises(DataError):
            records(labels, least, "drop")
        return
    found = records(labels, least, "drop")
    assert found.table["text"].to_pylist() == [text for text, _ in kept]
    assert [found.classes[target] for target in found.targets] == [name for _, name in kept]


class Labelled:
    """A source of one label a batch."""

    replayable: ClassVar[bool] = True
    splittable: ClassVar[bool] = True

    def __init__(self, *batches: tuple[str, list[str]]) -> None:
        self._batches = batches

    def batches(self, position: Position) -> Iterator[Batch]:
        yield Batch(pa.record_batch({TEXT: pa.array([], pa.string())}), {})
        for label, texts in self._batches:
            names = pa.array([label] * len(texts)).dictionary_encode()
            yield Batch(pa.record_batch({TEXT: texts, LABEL: names}), {})

    def acknowledge(self, position: Position) -> None: ...

    def close(self) -> None: ...


def test_all_batches_are_read() -> None:
    found = read(Labelled(("b", ["one", "two"]), ("a", ["three"] * 3), ("b", ["four"])), 2, "error", Unwatched())
    assert found.table[TEXT].to_pylist() == ["one", "two", "three", "three", "three", "four"]
    assert found.targets.tolist() == [1, 1, 0, 0, 0, 1]


def test_a_source_without_records() -> None:
    assert_refused(
        "source: no record was read; expected at least two labelled records",
        lambda: read(Labelled(), 2, "error", Unwatched()),
    )


def made(count: int = 80, **columns: list[Any]) -> Records:
    labels = pa.array([f"{'ab'[i % 2]}" for i in range(count)])
    table = pa.table({"text": [f"{'ab'[i % 2] * 3} says w{i} 7" for i in range(count)]} | columns)
    return labelled(table, pa.chunked_array([labels]), 2, "error")


def test_the_preprocessing_sees_the_training_part_alone() -> None:
    data = build(made(), use_case(test=0.25, validation=0.1), Unwatched())
    sizes = [len(rows) for _, rows in data.parts.items()]
    assert sizes == [52, 8, 20]
    known = set(data.pipeline.vocabulary().to_pylist())
    assert {f"w{row}" for row in data.parts.training} <= known
    assert not {f"w{row}" for row in data.parts.test} & known
    # Of the four terms of each test row, its number alone was never met.
    assert data.unknown == pytest.approx(0.25)
    examples = data.examples(data.parts.test)
    assert isinstance(examples.features["text"], SparseRows)
    assert len(examples.features["text"]) == len(examples.targets) == 20
    assert examples.targets.tolist() == [row % 2 for row in data.parts.test]


def test_the_fingerprint_names_the_data() -> None:
    prints = [build(found, use_case(), Unwatched()).fingerprint for found in (made(), made(), made(82))]
    assert prints[0] == prints[1] != prints[2]


def test_parts_that_lack_rows() -> None:
    few = "; give more data or another share"
    assert_refused(
        f"train.split: the validation part has no rows{few}", lambda: build(made(4), use_case(), Unwatched())
    )
    assert len(build(made(8), use_case(validation=0), Unwatched()).parts.validation) == 0


def test_a_training_part_of_one_class() -> None:
    table = pa.table({"text": [f"row {i}" for i in range(40)]})
    labels = pa.chunked_array([["a"] * 30 + ["b"] * 10])
    assert_refused(
        "train.split: all 26 rows of the training part are of one class, 'a'; expected at least two: give more data,"
        " or split in another way",
        lambda: build(labelled(table, labels, 2, "error"), use_case(by="time"), Unwatched()),
    )


def test_columns_to_split_by() -> None:
    backwards = made(when=list(range(80, 0, -1)))
    assert build(backwards, use_case(by="time", time="when"), Unwatched()).parts.test.tolist() == list(range(20))
    hosts = [f"h{i // 8}" for i in range(80)]
    parts = build(made(host=hosts), use_case(by="group", group="host"), Unwatched()).parts
    assert not {hosts[row] for row in parts.test} & {hosts[row] for row in parts.training}
    for by, where in (("time", "train.split.time"), ("group", "train.split.group")):
        assert_refused(
            f"{where}: there is no column 'wen'; there are text, when",
            lambda by=by: build(backwards, use_case(by=by, **{by: "wen"}), Unwatched()),
        )
        assert_refused(
            f"{where}: the column 'when' is empty in 2 rows of 80; fill it, or split in another way",
            lambda by=by: build(made(when=[None, None, *range(78)]), use_case(by=by, **{by: "when"}), Unwatched()),
        )


def test_rows_are_taken_from_every_feature() -> None:
    rows = SparseRows(np.array([0, 1, 1, 3]), np.array([4, 2, 3], np.int32), np.ones(3, np.float32), 5)
    taken = take({"text": rows, "size": np.array([10, 20, 30])}, np.array([2, 0]))
    assert taken["text"].lengths.tolist() == [2, 1]
    assert taken["size"].tolist() == [30, 10]
