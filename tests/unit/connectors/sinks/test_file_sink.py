"""When the file sinks start new files, what they keep, and how they are restored."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import answering
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from answering import rows_of, sink_of
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from afield.checks.sink import answers, expected
from afield.connectors.sinks.files import FileSink
from afield.connectors.sinks.jsonl import JsonLinesFormat
from afield.connectors.sinks.spec import JsonLines, Parquet, Rotate
from afield.errors import StateError

KINDS = ["jsonl", "parquet"]


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in (folder / "answers").iterdir())


def started(kind: str, folder: Path, mark: str | None = None, **changes: Any) -> Any:
    sink = sink_of(kind, folder, **changes)
    sink.restore(mark)
    return sink


def test_a_write_goes_wholly_into_one_file(tmp_path: Path) -> None:
    sink = started("jsonl", tmp_path)
    for size in (6, 4, 1, 25, 9, 1):
        sink.write(answers(0, size))
    sink.close()
    lengths = [len(file.read_bytes().splitlines()) for file in sorted((tmp_path / "answers").iterdir())]
    assert lengths == [10, 1, 25, 10]


def test_a_file_is_not_larger_than_asked(tmp_path: Path) -> None:
    sink = started("jsonl", tmp_path, rotate={"bytes": 1000})
    for at in range(50):
        sink.write(answers(at, 1))
    sink.close()
    sizes = [file.stat().st_size for file in sorted((tmp_path / "answers").iterdir())]
    assert len(sizes) > 3
    assert all(800 < size <= 1000 for size in sizes[:-1])


def test_a_file_is_not_older_than_asked(tmp_path: Path) -> None:
    now = [1000.0]
    folder = tmp_path / "answers"

    def opened(mark: str | None) -> FileSink:
        sink = FileSink(folder, JsonLinesFormat(), Rotate(age="1h"), None, True, lambda: now[0])
        sink.restore(mark)
        return sink

    sink = opened(None)
    mark = sink.write(answers(0, 1))
    now[0] += 3599
    sink = opened(mark)
    mark = sink.write(answers(1, 1))
    assert json.loads(mark)["since"] == 1000.0
    now[0] += 1
    mark = sink.write(answers(2, 1))
    assert json.loads(mark) == {"number": 2, "bytes": mark_bytes(folder, 2), "rows": 1, "since": 4600.0}
    sink.close()


def mark_bytes(folder: Path, number: int) -> int:
    return (folder / f"answers-{number:06}.jsonl").stat().st_size


@pytest.mark.parametrize("kind", KINDS)
def test_finished_files_to_keep(kind: str, tmp_path: Path) -> None:
    sink = started(kind, tmp_path, rotate={"rows": 1}, keep=2)
    for at in range(6):
        sink.write(answers(at, 1))
    last = ".jsonl" if kind == "jsonl" else ".arrows"
    assert names(tmp_path) == [f"answers-000004.{kind}", f"answers-000005.{kind}", f"answers-000006{last}"]
    sink.close()


def test_the_committed_file_is_always_kept(tmp_path: Path) -> None:
    sink = started("jsonl", tmp_path, rotate={"rows": 1}, keep=1)
    mark = sink.write(answers(0, 1))
    sink.write(answers(1, 1))
    sink = started("jsonl", tmp_path, mark, rotate={"rows": 1}, keep=1)
    assert rows_of("jsonl", tmp_path) == expected(0, 1)


def test_the_open_parquet_file_is_an_arrow_stream(tmp_path: Path) -> None:
    sink = started("parquet", tmp_path)
    for at in range(3):
        sink.write(answers(at * 5, 5))
    assert names(tmp_path) == ["answers-000001.parquet", "answers-000002.arrows"]
    with pa.ipc.open_stream(tmp_path / "answers" / "answers-000002.arrows") as stream:
        assert stream.read_all().to_pylist() == expected(10, 5)
    sink.close()
    assert names(tmp_path) == ["answers-000001.parquet", "answers-000002.parquet"]
    schema = pq.read_schema(tmp_path / "answers" / "answers-000001.parquet")
    assert schema.field("probability").type == pa.float32()
    assert schema.field("prediction").type == pa.string()


def test_small_writes_become_large_row_groups(tmp_path: Path) -> None:
    sink = started("parquet", tmp_path, rotate={"rows": 1_000_000})
    for at in range(0, 300_000, 20_000):
        sink.write(pa.record_batch({"id": np.arange(at, at + 20_000)}))
    sink.close()
    with pq.ParquetFile(tmp_path / "answers" / "answers-000001.parquet") as file:
        groups = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
    assert groups == [131_072, 8_928, 131_072, 8_928, 20_000]


@pytest.mark.parametrize("restart", [False, True])
def test_other_columns_start_another_parquet_file(restart: bool, tmp_path: Path) -> None:
    sink = started("parquet", tmp_path, rotate={"rows": 100})
    mark = sink.write(answers(0, 2))
    if restart:
        sink = started("parquet", tmp_path, mark, rotate={"rows": 100})
    sink.write(answers(2, 2).drop_columns(["text"]))
    sink.write(answers(4, 1).drop_columns(["text"]))
    sink.close()
    assert names(tmp_path) == ["answers-000001.parquet", "answers-000002.parquet"]
    assert pq.read_table(tmp_path / "answers" / "answers-000002.parquet").column_names == [
        "id",
        "prediction",
        "probability",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_mark_what_is_there_is_moved_aside(kind: str, tmp_path: Path) -> None:
    for _ in range(3):
        sink = started(kind, tmp_path)
        sink.write(answers(0, 1))
        sink.close()
    assert names(tmp_path) == [f"answers-000001.{kind}", "taken-back-1", "taken-back-2"]
    (file,) = (tmp_path / "answers" / "taken-back-2").iterdir()
    assert file.name == f"answers-000001.{kind}"


def test_other_files_are_let_alone(tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    folder.mkdir()
    others = ["answers-1.jsonl", "answers-000009.jsonl.gz", "answers-000009.parquet", "notes.txt"]
    for name in others:
        (folder / name).touch()
    started("jsonl", tmp_path).close()
    assert names(tmp_path) == sorted(others)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_a_reader_took_away(kind: str, tmp_path: Path) -> None:
    sink = started(kind, tmp_path)
    mark = sink.write(answers(0, 2))
    sink.close()
    shutil.rmtree(tmp_path / "answers")
    sink = started(kind, tmp_path, mark)
    sink.write(answers(2, 2))
    sink.close()
    assert names(tmp_path) == [f"answers-000002.{kind}"]
    assert rows_of(kind, tmp_path) == expected(2, 2)


def test_a_file_that_was_shortened(tmp_path: Path) -> None:
    sink = started("jsonl", tmp_path)
    mark = sink.write(answers(0, 2))
    path = tmp_path / "answers" / "answers-000001.jsonl"
    length = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StateError) as error:
        started("jsonl", tmp_path, mark)
    assert str(error.value) == (
        f"{path}: holds {length - 1} bytes, but {length} were committed: it was changed from outside; "
        "put the whole file back, or move it away to go on in a new one"
    )


def test_a_parquet_file_that_was_changed(tmp_path: Path) -> None:
    sink = started("parquet", tmp_path)
    mark = sink.write(answers(0, 2))
    sink.close()
    path = tmp_path / "answers" / "answers-000001.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(StateError) as error:
        started("parquet", tmp_path, mark)
    assert str(error.value).startswith(f"{path}: holds 1 rows, but 2 were committed: ")


@pytest.mark.parametrize("mark", ["", "x", "[1]", '{"file": 1}', "3"])
def test_a_mark_of_another_sink(mark: str, tmp_path: Path) -> None:
    with pytest.raises(StateError) as error:
        started("jsonl", tmp_path, mark)
    assert str(error.value) == f"the committed mark {mark!r} is not one of this sink; give the sink a new path"


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 6), min_size=2, max_size=6), kept=st.integers(0, 5), cut=st.integers(0, 10_000))
@pytest.mark.parametrize("kind", KINDS)
def test_restored_at_any_byte(
    kind: str, tmp_path_factory: pytest.TempPathFactory, sizes: list[int], kept: int, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("sink")
    starts = np.cumsum([0, *sizes]).tolist()
    batches = [answers(start, size) for start, size in zip(starts, sizes, strict=False)]
    kept %= len(batches)
    sink = started(kind, folder, rotate={"rows": 1000})
    marks = [sink.write(batch) for batch in batches]
    (path,) = (folder / "answers").iterdir()
    whole = path.read_bytes()
    committed = json.loads(marks[kept])["bytes"]
    path.write_bytes(whole[: committed + cut % (len(whole) - committed + 1)])
    sink = started(kind, folder, marks[kept], rotate={"rows": 1000})
    assert path.read_bytes() == whole[:committed]
    again = [sink.write(batch) for batch in batches[kept + 1 :]]
    assert again == marks[kept + 1 :]
    assert path.read_bytes() == whole
    sink.close()
    assert rows_of(kind, folder) == expected(0, sum(sizes))


FULL = """
import resource, sys
from pathlib import Path
from answering import sink_of
from afield.checks.sink import answers
from afield.errors import TransientError

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

kind, folder = sys.argv[1], Path(sys.argv[2])
sink = sink_of(kind, folder, rotate={"rows": 60})
sink.restore(None)
limit(3000)
at, failures = 0, []
while at < 100:
    try:
        sink.write(answers(at, 10))
        at += 10
    except TransientError as error:
        failures.append(str(error))
        limit(resource.RLIM_INFINITY)
limit(100)
try:
    sink.close()
except TransientError as error:
    failures.append(str(error))
limit(resource.RLIM_INFINITY)
sink.close()
print(*failures, sep="\\n", end="")
"""


@pytest.mark.parametrize(("kind", "failures"), [("jsonl", 1), ("parquet", 2)])
def test_a_full_disk_loses_nothing(kind: str, failures: int, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(answering.__file__).parent)}
    command = [sys.executable, "-c", FULL, kind, str(tmp_path)]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(printed) == failures
    assert all("answers-00000" in line and ": the disk is full;" in line for line in printed)
    assert rows_of(kind, tmp_path) == expected(0, 100)
    assert not list((tmp_path / "answers").glob(".*"))


def test_no_folder_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "answers").touch()
    with pytest.raises(StateError) as error:
        started("jsonl", tmp_path)
    assert str(error.value) == f"{tmp_path}/answers: cannot be written: File exists"


@pytest.mark.parametrize("spec", [JsonLines, Parquet])
def test_how_it_is_declared(spec: type[JsonLines]) -> None:
    assert spec.model_validate("out").path == "out"
    whole = spec.model_validate({"path": "x", "rotate": {"rows": 5, "bytes": "64MiB", "age": "2d"}, "keep": 3})
    assert (whole.rotate.bytes, whole.rotate.seconds, whole.keep) == (64 * 1024 * 1024, 172_800, 3)
    assert (spec().rotate.rows, spec().rotate.bytes, spec().rotate.seconds) == (1_000_000, 256_000_000, None)
    for wrong in ({"rows": 0}, {"bytes": 0}, {"bytes": "many"}, {"age": "1 day"}, {"age": "0s"}, {"row": 1}):
        with pytest.raises(ValidationError):
            spec.model_validate({"rotate": wrong})
    spec.model_json_schema()


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_file_is_the_one_that_is_announced(kind: str, tmp_path: Path) -> None:
    announced = answering.KINDS[kind]().writes_to(tmp_path)
    sink = started(kind, tmp_path)
    sink.write(answers(0, 3))
    begun = names(tmp_path)
    sink.close()
    assert sorted({*begun, *names(tmp_path)}) == sorted(file.name for file in announced)
    assert {file.parent for file in announced} == {tmp_path / "answers"}
