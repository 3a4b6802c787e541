"""Records as examples: split, the preprocessing fitted on the training part alone, windows joined."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from cases import records, use_case

from afield.connectors.base import FILE
from afield.errors import DataError, UseCaseError
from afield.preprocess.rows import SparseRows, taken
from afield.preprocess.windows import Windows
from afield.train.base import Unwatched
from afield.train.dataset import Dataset, build
from afield.train.records import MISSING, Records


def assert_refused(message: str, work: Any) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        work()


def made(count: int = 80, **columns: list[Any]) -> Records:
    labels = [f"{'ab'[i % 2]}" for i in range(count)]
    texts = [f"{'ab'[i % 2] * 3} says w{i} 7" for i in range(count)]
    return records(use_case(), labels, text=texts, **columns)


def split(**how: Any) -> Any:
    return use_case(split=how)


def test_the_preprocessing_sees_the_training_part_alone() -> None:
    data = build(made(), split(test=0.25, validation=0.1), Unwatched())
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
    assert len(build(made(8), split(validation=0), Unwatched()).parts.validation) == 0


def test_a_training_part_of_one_class() -> None:
    found = records(use_case(), ["a"] * 30 + ["b"] * 10, text=[f"row {i}" for i in range(40)])
    assert_refused(
        "train.split: all 26 rows of the training part are of one class, 'a'; expected at least two: give more data,"
        " or split in another way",
        lambda: build(found, split(by="time"), Unwatched()),
    )


def test_columns_to_split_by() -> None:
    backwards = made(when=list(range(80, 0, -1)))
    assert build(backwards, split(by="time", time="when"), Unwatched()).parts.test.tolist() == list(range(20))
    hosts = [f"h{i // 8}" for i in range(80)]
    parts = build(made(host=hosts), split(by="group", group="host"), Unwatched()).parts
    assert not {hosts[row] for row in parts.test} & {hosts[row] for row in parts.training}
    for by, where in (("time", "train.split.time"), ("group", "train.split.group")):
        assert_refused(
            f"{where}: there is no column 'wen'; there are text, when",
            lambda by=by: build(backwards, split(by=by, **{by: "wen"}), Unwatched()),
        )
        assert_refused(
            f"{where}: the column 'when' is empty in 2 rows of 80; fill it, or split in another way",
            lambda by=by: build(made(when=[None, None, *range(78)]), split(by=by, **{by: "when"}), Unwatched()),
        )


def test_rows_are_taken_from_every_feature() -> None:
    rows = SparseRows(np.array([0, 1, 1, 3]), np.array([4, 2, 3], np.int32), np.ones(3, np.float32), 5)
    found = taken({"text": rows, "size": np.array([10, 20, 30])}, np.array([2, 0]))
    assert found["text"].lengths.tolist() == [2, 1]
    assert found["size"].tolist() == [30, 10]


def test_the_column_of_the_answer_is_never_a_feature() -> None:
    case = use_case(preprocess=["table"])
    random = np.random.default_rng(0)
    columns = {"a": random.normal(size=60), "b": random.normal(size=60), "kind": ["x", "y"] * 30}
    data = build(records(case, columns["kind"], hidden=["kind"], **columns), case, Unwatched())
    assert data.pipeline.columns(data.records.table.schema) == ["a", "b"]
    assert (data.pipeline.inputs()[0].shape, data.unknown) == ((2,), None)
    assert data.examples(data.parts.test).targets.tolist() == (data.parts.test % 2).tolist()
    text = split(by="group", group="masked_text").model_copy(update={"preprocess": case.preprocess})
    assert_refused(
        "train.split.group: `masked_text` is the text of a `text` step, and there is none",
        lambda: build(records(case, columns["kind"], hidden=["kind"], **columns), text, Unwatched()),
    )


def test_features_that_cannot_enter_together_are_refused() -> None:
    joined = use_case(preprocess=["text", {"window": {"length": 2}}], split={"by": "time"})
    with pytest.raises(UseCaseError, match=r"^preprocess: `window` joins numbers, and 'text' is text$"):
        build(made(), joined, Unwatched())


NODES = 3
MINUTES = 40


def minutes(case: Any, labels: list[str] | None = None, **more: Any) -> Records:
    """A row a node and minute, in the order of time."""
    number = np.arange(NODES * MINUTES)
    load = np.sin(number) + number
    columns = {"load": load, "node": [f"n{n % NODES}" for n in number], "minute": (number // NODES).astype(float)}
    return records(case, labels, **columns, **more)


def windowed(kind: str, split: dict[str, Any], **window: Any) -> Any:
    step = {"window": {"length": 4, "key": "node", "time": "minute", **window}}
    return use_case({"kind": kind}, [{"table": {"columns": ["load"], "numbers": "none"}}, step], split=split)


def by_node(labels: list[str]) -> list[str]:
    return [labels[row // NODES] for row in range(NODES * MINUTES)]


def rows_of(data: Dataset, examples: np.ndarray) -> set[int]:
    return {int(row) for example in examples for row in data.layout.records(int(example))}


def test_windows_of_one_part_share_no_row_with_another() -> None:
    case = windowed("abnormal", {"by": "time", "test": 0.25, "validation": 0.25})
    data = build(minutes(case), case, Unwatched())
    parts = [rows_of(data, part) for _, part in data.parts.items()]
    assert all(parts)
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    assert len(data.parts.test) == round(0.25 * NODES * (MINUTES - 3))
    # The newest rows are those of every node, though windows stand node by node.
    assert data.layout.ends[data.parts.test].min() == NODES * MINUTES - len(data.parts.test)
    assert {int(end) % NODES for end in data.layout.ends[data.parts.test]} == {0, 1, 2}
    assert set(data.layout.rows(data.parts.training).tolist()) == parts[0]


def test_windows_hold_the_rows_of_one_node_in_their_order() -> None:
    case = windowed("abnormal", {"by": "time"})
    data = build(minutes(case), case, Unwatched())
    load = data.records.table["load"].to_numpy().astype(np.float32)
    windows = data.features["table"]
    assert isinstance(windows, Windows)
    for example in (0, 40, 100):
        rows = data.layout.records(example)
        assert (np.diff(rows) == NODES).all()
        assert rows[-1] == data.layout.ends[example]
        np.testing.assert_allclose(windows.take(np.array([example])).dense()[0, :, 0], load[rows], rtol=1e-6)
    assert data.record(np.array([5]))["minute"].to_pylist() == [8.0]
    assert data.targets.tolist() == [MISSING] * len(windows)


def test_random_windows_that_overlap_are_refused() -> None:
    case = windowed("abnormal", {"by": "random"}, length=20)
    assert_refused(
        "train.split: every window of the training part shares records with the test part; split `by: time` or"
        " `by: group`, or give `window` a `stride` of its length",
        lambda: build(minutes(case), case, Unwatched()),
    )
    apart = windowed("abnormal", {"by": "random"}, stride=4)
    data = build(minutes(apart), apart, Unwatched())
    assert [len(rows) for _, rows in data.parts.items()] == [19, 3, 8]


def test_the_answer_of_a_window() -> None:
    labels = by_node(["normal"] * 10 + ["fault"] + ["normal"] * 19 + ["fault"] * 10)
    case = windowed("classify", {"by": "time", "test": 0.2, "validation": 0}, label="any")
    data = build(minutes(case, labels), case, Unwatched())
    assert data.records.classes == ["fault", "normal"]
    minute = data.layout.ends // NODES
    faulty = np.isin(minute, [10, 11, 12, 13]) | (minute >= 30)
    assert data.targets.tolist() == [0 if fault else 1 for fault in faulty]


def test_windows_of_several_answers_may_be_left_out() -> None:
    labels = by_node(["a", "b"] * 5 + ["a"] * 15 + ["b"] * 15)
    case = windowed("classify", {"by": "group", "group": "node", "test": 0.34, "validation": 0}, label="all_same")
    data = build(minutes(case, labels), case, Unwatched())
    assert len(data.targets) == NODES * 24
    assert np.bincount(data.targets).tolist() == [NODES * 12, NODES * 12]
    assert (data.layout.ends // NODES >= 13).all()
    nodes = [set(data.record(rows)["node"].to_pylist()) for _, rows in data.parts.items()]
    assert not nodes[0] & nodes[2]


def test_a_window_bears_the_value_of_its_last_row() -> None:
    case = windowed("regress", {"by": "time"})
    values = [str(row) for row in range(NODES * MINUTES)]
    data = build(minutes(case, values), case, Unwatched())
    assert data.targets.tolist() == data.layout.ends.tolist()


def test_files_to_test_on() -> None:
    files = pa.array(["in/a.csv"] * 40 + ["in/b-test.csv"] * 40).dictionary_encode()
    case = split(by="file", test_files="*-test.csv", validation=0.2)
    data = build(made(**{FILE: files}), case, Unwatched())
    assert data.parts.test.tolist() == list(range(40, 80))
    assert len(data.parts.validation) == 8
    for glob, found in (("*.txt", "none does"), ("*.csv", "all of them do")):
        assert_refused(
            f"train.split.test_files: expected some of the files to match '{glob}', {found}: a.csv, b-test.csv",
            lambda glob=glob: build(made(**{FILE: files}), split(by="file", test_files=glob), Unwatched()),
        )
    assert_refused(
        "train.split: `by: file` needs a source of files; the records do not say which file they are of",
        lambda: build(made(), case, Unwatched()),
    )


def test_what_is_abnormal_needs_a_validation_part() -> None:
    case = windowed("abnormal", {"by": "time", "validation": 0})
    assert_refused(
        "train.split: the validation part has no rows; give more data or another share",
        lambda: build(minutes(case), case, Unwatched()),
    )
