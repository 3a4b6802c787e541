"""Records with what is known of each: classes numbered, tags and values read, what cannot be learned refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afield.connectors.base import LABEL, TEXT, Batch, Position, Refused
from afield.errors import DataError
from afield.train.base import Unwatched
from afield.train.records import MISSING, Records, labelled, read
from afield.usecase.model import Question


def question(**fields: Any) -> Question:
    return Question.model_validate(fields)


def records(labels: list[Any], **fields: Any) -> Records:
    table = pa.table({"text": [f"row {i}" for i in range(len(labels))]})
    names = pa.array(labels, None if any(label is not None for label in labels) else pa.string())
    return labelled(table, pa.chunked_array([names]), question(**fields))


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
    found = labelled(pa.table({"text": list("wxyz")}), names, question())
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
    for kind in ("classify", "tag", "regress"):
        none = "question: no record has a label; check `label:` of the source"
        assert_refused(none, lambda kind=kind: records([None, ""], kind=kind))
        needed = f"question: `kind: {kind}` needs the known answer of each record; give labels"
        assert_refused(needed, lambda kind=kind: labelled(pa.table({"n": [1]}), None, question(kind=kind)))
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
            records(labels, min_rows=least, rare="drop")
        return
    found = records(labels, min_rows=least, rare="drop")
    assert found.table["text"].to_pylist() == [text for text, _ in kept]
    assert [found.classes[target] for target in found.targets] == [name for _, name in kept]


def test_the_class_that_is_looked_for_is_the_second_of_two() -> None:
    labels = ["human", "machine"] * 2
    assert records(labels).classes == ["human", "machine"]
    found = records(labels, positive="human")
    assert (found.classes, found.targets.tolist()) == (["machine", "human"], [1, 0, 1, 0])
    for others, shown in ((["a", "b"], "a, b"), (["a", "b", "human"], "a, b, human")):
        assert_refused(
            f"question.positive: expected one of two classes, found 'human' among {shown}",
            lambda others=others: records(others * 2, positive="human"),
        )


def test_several_tags_a_record() -> None:
    found = records(["cat;dog", " dog ;", "owl; cat;cat", ";"], kind="tag")
    assert found.classes == ["cat", "dog", "owl"]
    assert found.targets.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0]]
    assert found.targets.dtype == np.float32
    assert records(["a|b", "b", None], kind="tag", separator="|").targets.tolist() == [[1, 1], [0, 1]]
    assert_refused(
        "question: no record has a tag; check `label:` of the source and `separator:`",
        lambda: records([";", " ; "], kind="tag"),
    )


@pytest.mark.parametrize("labels", [["1.5", " -2e3 ", "7"], [1.5, -2000.0, 7.0]])
def test_a_value_a_record(labels: list[Any]) -> None:
    found = records(labels, kind="regress")
    assert (found.targets.tolist(), found.targets.dtype, found.classes) == ([1.5, -2000, 7], np.float32, [])


def test_what_is_no_value() -> None:
    with pytest.raises(DataError) as refused:
        records(["1", "two"], kind="regress")
    assert str(refused.value).startswith("question: `kind: regress` needs a number as the label of each record: ")
    assert "two" in str(refused.value)
    for value in ("nan", "-inf"):
        assert_refused(
            f"question: the label of record 2 is {value}; expected a finite number",
            lambda value=value: records(["1", value], kind="regress"),
        )


@pytest.mark.parametrize("kind", ["abnormal", "group"])
def test_labels_that_judge_alone(kind: str) -> None:
    found = records(["fault", None, "normal", "", "fault"], kind=kind)
    assert (found.classes, found.targets.tolist()) == (["fault", "normal"], [0, MISSING, 1, MISSING, 0])
    assert (found.table.num_rows, found.notes) == (5, [])
    none = labelled(pa.table({"n": [1, 2]}), None, question(kind=kind))
    assert (none.classes, none.targets.tolist()) == ([], [MISSING, MISSING])
    # One label alone is enough to judge nothing by, and hinders nothing.
    assert records(["a", "a"], kind=kind).classes == ["a"]


class Labelled:
    """A source of one label a batch."""

    replayable: ClassVar[bool] = True
    splittable: ClassVar[bool] = True

    def __init__(self, *batches: tuple[str | None, list[Any]]) -> None:
        self._batches = batches

    def batches(self, position: Position) -> Iterator[Batch]:
        yield Batch(pa.record_batch({TEXT: pa.array([], pa.string())}), {})
        for label, texts in self._batches:
            columns = {TEXT: pa.array(texts)}
            if label is not None:
                columns[LABEL] = pa.array([label] * len(texts)).dictionary_encode()
            yield Batch(pa.record_batch(columns), {})

    def acknowledge(self, position: Position) -> None: ...

    def close(self) -> None: ...


def test_all_batches_are_read() -> None:
    source = Labelled(("b", ["one", "two"]), ("a", ["three"] * 3), ("b", ["four"]))
    found = read(source, question(), ["kind"], Unwatched())
    assert found.table[TEXT].to_pylist() == ["one", "two", "three", "three", "three", "four"]
    assert found.targets.tolist() == [1, 1, 0, 0, 0, 1]
    assert found.hidden == ["kind"]


def test_batches_of_whole_numbers_and_of_fractions_are_joined() -> None:
    found = read(Labelled((None, [1, 2]), (None, [1.5])), question(kind="abnormal"), [], Unwatched())
    assert found.table[TEXT].to_pylist() == [1, 2, 1.5]


def test_batches_that_do_not_fit_together() -> None:
    with pytest.raises(DataError) as refused:
        read(Labelled((None, [1, 2]), (None, ["one"])), question(kind="abnormal"), [], Unwatched())
    assert str(refused.value) == (
        "source: its records do not fit together: Unable to merge: Field text has incompatible types: int64 vs string;"
        " make that column of one kind, or leave files out"
    )


def test_a_source_without_records() -> None:
    assert_refused(
        "source: no record was read; expected at least two labelled records",
        lambda: read(Labelled(), question(), [], Unwatched()),
    )


class Refusing:
    """A source some of whose messages are no records."""

    replayable: ClassVar[bool] = True
    splittable: ClassVar[bool] = False

    def __init__(self, labels: list[str]) -> None:
        self._labels = labels

    def batches(self, position: Position) -> Iterator[Batch]:
        table = pa.record_batch({"text": ["line"] * len(self._labels), LABEL: self._labels})
        yield Batch(table, {}, [Refused("here", place, "expected JSON, found <", b"<") for place in (3, 4)])

    def acknowledge(self, position: Position) -> None:
        """Nothing to forget."""

    def close(self) -> None:
        """Nothing to close."""


def test_what_is_refused_is_counted() -> None:
    found = read(Refusing(["a", "b", "a", "b"]), question(), [], Unwatched())
    assert len(found.targets) == 4
    assert found.notes == ["2 rows left out: refused, the first: expected JSON, found <"]


def test_where_all_is_refused_it_says_why() -> None:
    expected = "source: no record was read; expected at least two labelled records; 2 rows refused, the first: expected"
    with pytest.raises(DataError, match=expected):
        read(Refusing([]), question(), [], Unwatched())
