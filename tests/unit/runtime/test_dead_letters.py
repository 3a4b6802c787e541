"""Records that cannot be answered: kept apart with their reason, once; the others are answered."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import lettering
import numpy as np
import pyarrow as pa
import pytest
from bundles import FACTS, packed
from looping import Numbers, Oracle, Pairs, Rows
from networks import weighted_sum
from pictures import encoded

from afield.bundle.examples import EXPECTED, FIGURE
from afield.connectors.base import OFFSET, STREAM, Batch, Position, Refused
from afield.errors import BundleError, DataError, TransientError
from afield.faults import VARIABLE
from afield.preprocess.image.spec import Image
from afield.preprocess.pipeline import Pipeline
from afield.runtime.dead_letters import DeadLetters, Limit
from afield.runtime.decisions import Value, frozen
from afield.runtime.loop import Loop
from afield.runtime.poisoned import answered
from afield.runtime.predictor import Answers, Predictor
from afield.runtime.state import RunState
from afield.runtime.triggers import OnArrival
from afield.runtime.triggers.counting import OnCount
from afield.store.store import open_store


class Poisonable:
    """Refuses a batch that holds one of some records; otherwise it answers as another."""

    def __init__(self, other: Oracle, poison: Sequence[int], error: type[Exception] = DataError) -> None:
        self._other = other
        self._poison = poison
        self._error = error
        self.version = other.version
        self.asked: list[list[int]] = []

    def answer(self, records: pa.RecordBatch, carry: Any = None) -> Answers:
        offsets = records.column(OFFSET).to_pylist()
        self.asked.append(offsets)
        for offset in offsets:
            if offset in self._poison:
                raise self._error(f"record {offset} is too long")
        return self._other.answer(records, carry)


class Noisy(Numbers):
    """Numbers, among which the source refuses some: so many with each batch."""

    def __init__(self, sizes: list[int], refused: list[int]) -> None:
        super().__init__(sizes)
        self.refused = refused

    def batches(self, position: Position) -> Iterator[Batch]:
        done = int(position.get("numbers", 0))
        first = 0
        for size, refused in zip(self.sizes, self.refused, strict=True):
            bad = [Refused("numbers", first + size + place, "expected a number", b"x\xff") for place in range(refused)]
            if first >= done:
                made = self._batch(first, size, {"numbers": str(first + size + refused)})
                yield Batch(made.records, made.position, bad)
            first += size + refused


@pytest.fixture
def state(tmp_path: Path) -> Iterator[RunState]:
    store = open_store(tmp_path)
    yield RunState(store, "numbers")
    store.close()


@pytest.fixture
def loop(state: RunState, tmp_path: Path) -> Callable[..., Loop]:
    def made(source: Numbers, sink: Rows, predictor: Any = None, trigger: Any = None, **options: Any) -> Loop:
        letters = DeadLetters(tmp_path, clock=lambda: 0.0)
        triggers = [trigger or OnArrival()]
        return Loop(source, predictor or Oracle(), triggers, {"rows:0": sink}, state, letters=letters, **options)

    return made


def lines(folder: Path) -> list[dict[str, Any]]:
    path = folder / ".afield" / "dead_letters.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def numbers(first: int, count: int) -> pa.RecordBatch:
    return Numbers._batch(first, count, {}).records


def test_a_poisoned_record_does_not_stop_the_others(loop: Callable[..., Loop], state: RunState, tmp_path: Path) -> None:
    sink = Rows()
    tally = loop(Numbers([10, 5, 1]), sink, Poisonable(Oracle(), [3, 4, 12, 15])).run()
    assert (tally.answered, tally.refused) == (12, 4)
    assert sink.ids == [f"numbers:{number}" for number in range(16) if number not in (3, 4, 12, 15)]
    assert state.positions() == {"numbers": "16"}
    assert (state.counters()["answered"], state.counters()["refused"]) == (12, 4)
    assert [(line["stream"], line["offset"]) for line in lines(tmp_path)] == [("numbers", n) for n in (3, 4, 12, 15)]
    assert lines(tmp_path)[0] == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "stream": "numbers",
        "offset": 3,
        "reason": "record 3 is too long",
        "content": "{}",
    }


def test_what_is_carried_goes_around_a_poisoned_record(loop: Callable[..., Loop]) -> None:
    sink = Rows()
    loop(Numbers([6, 5]), sink, Poisonable(Pairs(), [0, 3, 7])).run()
    assert [(row["id"], row["prediction"]) for row in sink.rows] == [
        *(("numbers:2", 1), ("numbers:4", 2), ("numbers:5", 4)),
        *(("numbers:6", 5), ("numbers:8", 6), ("numbers:9", 8), ("numbers:10", 9)),
    ]


def test_the_rest_is_answered_together() -> None:
    model, passed, refused = Poisonable(Oracle(), [2]), [], []

    def refuse(record: pa.RecordBatch, reason: str) -> None:
        refused.append((record.column(OFFSET).to_pylist(), reason))

    ((records, answers),) = answered(model.answer, numbers(0, 8), None, passed.append, refuse)
    assert records.column(OFFSET).to_pylist() == [0, 1, 3, 4, 5, 6, 7]
    assert len(answers.ends) == 7
    assert refused == [([2], "record 2 is too long")]
    assert sum(passed) == 7
    assert model.asked == [list(range(8)), [0, 1, 2, 3], [0, 1], [2, 3], [2], [3], [4, 5, 6, 7], [0, 1, 3, 4, 5, 6, 7]]


def test_records_that_fail_only_together_are_answered_apart() -> None:
    def at_most_three(records: pa.RecordBatch, carry: Any) -> Answers:
        if records.num_rows > 3:
            raise DataError("too many")
        return Oracle().answer(records, carry)

    pieces = answered(at_most_three, numbers(0, 8), None, lambda _: None, lambda *_: pytest.fail("refused"))
    assert [records.num_rows for records, _ in pieces] == [2, 2, 2, 2]


@pytest.mark.parametrize("error", [ValueError, TypeError, RuntimeError, pa.ArrowInvalid, IndexError])
def test_other_errors_of_a_record_are_its_reason(
    loop: Callable[..., Loop], tmp_path: Path, error: type[Exception]
) -> None:
    assert loop(Numbers([4]), Rows(), Poisonable(Oracle(), [1], error)).run().refused == 1
    assert lines(tmp_path)[0]["reason"] == f"{error.__name__}: record 1 is too long"


@pytest.mark.parametrize("error", [TransientError, BundleError, MemoryError])
def test_trouble_that_is_not_of_a_record_ends_the_run(
    loop: Callable[..., Loop], state: RunState, tmp_path: Path, error: type[Exception]
) -> None:
    with pytest.raises(error, match="record 1 is too long"):
        loop(Numbers([4]), Rows(), Poisonable(Oracle(), [1], error)).run()
    assert (lines(tmp_path), state.positions()) == ([], {})


def test_what_the_source_refuses(loop: Callable[..., Loop], state: RunState, tmp_path: Path) -> None:
    sink = Rows()
    tally = loop(Noisy([3, 0, 2], [1, 2, 0]), sink).run()
    assert (tally.answered, tally.refused) == (5, 3)
    # A batch of refused records alone moves the position too.
    assert state.positions() == {"numbers": "8"}
    assert [line["offset"] for line in lines(tmp_path)] == [3, 4, 5]
    assert lines(tmp_path)[0]["content"] == "eP8="
    assert lines(tmp_path)[0]["base64"] is True


def test_without_a_place_for_dead_letters_nothing_is_passed_over(state: RunState) -> None:
    with pytest.raises(DataError, match=r"^numbers, 3: expected a number$"):
        Loop(Noisy([3], [1]), Oracle(), [OnArrival()], {"rows:0": Rows()}, state).run()
    with pytest.raises(DataError, match=r"^record 1 is too long$"):
        Loop(Numbers([3]), Poisonable(Oracle(), [1]), [OnArrival()], {"rows:0": Rows()}, state).run()
    assert state.positions() == {}


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4])
def test_each_stands_there_once_after_a_crash(
    loop: Callable[..., Loop], state: RunState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    sink, commits = Rows(), 0
    commit = state.commit

    def dying(*parts: Any) -> None:
        nonlocal commits
        commits += 1
        if commits == fails_at:
            raise TransientError("killed between writing and committing")
        commit(*parts)

    monkeypatch.setattr(state, "commit", dying)
    model = Poisonable(Oracle(), [1, 6, 12])
    with pytest.raises(TransientError, match="killed"):
        loop(Noisy([4, 5, 3, 3], [1, 0, 2, 0]), sink, model, OnCount(count=3)).run()
    loop(Noisy([4, 5, 3, 3], [1, 0, 2, 0]), sink, model, OnCount(count=3)).run()
    # Records 0-3, 5-9, 10-12, 15-17; the source refuses 4, 13 and 14.
    assert sorted(line["offset"] for line in lines(tmp_path)) == [1, 4, 6, 12, 13, 14]
    assert sink.ids == [f"numbers:{number}" for number in (0, 2, 3, 5, 7, 8, 9, 10, 11, 15, 16, 17)]
    assert state.counters()["refused"] == 6


@pytest.mark.parametrize(
    "point", ["answered:3", "sink half written:6", "dead letters written:2", "checkpoint:4", "committed:1"]
)
def test_each_stands_there_once_after_a_kill(tmp_path: Path, point: str) -> None:
    command = [sys.executable, lettering.__file__, str(tmp_path)]
    killed = subprocess.run(command, env=os.environ | {VARIABLE: point}, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    subprocess.run(command, check=True)
    refused = [number for number in range(lettering.COUNT) if number % 10 == 9 or number % 7 == 3]
    assert sorted(line["offset"] for line in lines(tmp_path)) == refused
    files = sorted((tmp_path / "answers").glob("*.jsonl"))
    ids = [json.loads(line)["id"] for file in files for line in file.read_text().splitlines()]
    assert ids == [f"numbers:{number}" for number in range(lettering.COUNT) if number not in refused]


def test_too_many_end_the_run(loop: Callable[..., Loop], state: RunState, tmp_path: Path) -> None:
    sink = Rows()
    poison = [*range(300, 600), 1150]
    with pytest.raises(DataError) as raised:
        loop(Numbers([200, 200, 200, 200]), sink, Poisonable(Oracle(), poison), max_refused=0.4).run()
    assert str(raised.value) == (
        "201 of the last 501 records were refused, more than the share of 0.4 that is allowed; the last because: record"
        " 500 is too long; they stand in .afield/dead_letters.jsonl: correct what sends them, or the use case, and run"
        " again"
    )
    # What was not committed comes again once the trouble is mended; until then it can be read.
    assert state.positions() == {"numbers": "400"}
    assert len(lines(tmp_path)) == 201
    assert loop(Numbers([200, 200, 200, 200]), sink, Oracle()).run().answered == 400
    assert [line["offset"] for line in lines(tmp_path)] == list(range(300, 400))


def test_too_many_of_the_source_end_the_run(loop: Callable[..., Loop], state: RunState) -> None:
    with pytest.raises(DataError, match=r"^120 of the last 200 records were refused, more than the share of 0\.5 "):
        loop(Noisy([20, 20, 40], [0, 20, 100]), Rows()).run()
    assert state.positions() == {"numbers": "60"}


def test_a_few_of_few_do_not(loop: Callable[..., Loop]) -> None:
    assert loop(Noisy([1, 0], [0, 99]), Rows()).run().refused == 99


def test_where_nothing_can_be_answered_nothing_is_committed(
    loop: Callable[..., Loop], state: RunState, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"^record 0 is too long; no record could be answered$"):
        loop(Numbers([4, 3]), Rows(), Poisonable(Oracle(), range(7))).run()
    assert state.positions() == {}
    assert len(lines(tmp_path)) == 7
    # The use case was wrong, and is corrected.
    assert loop(Numbers([4, 3]), Rows()).run().answered == 7
    assert lines(tmp_path) == []


def test_once_one_is_answered_the_refused_before_it_are_done_with(
    loop: Callable[..., Loop], state: RunState, tmp_path: Path
) -> None:
    assert loop(Numbers([2, 2]), Rows(), Poisonable(Oracle(), [0, 1])).run().refused == 2
    assert (state.positions(), len(lines(tmp_path))) == ({"numbers": "4"}, 2)


def test_a_damaged_image_of_a_real_bundle(state: RunState, tmp_path: Path) -> None:
    pictures = [encoded(np.array([[number, 2 * number]], np.uint8)) for number in range(1, 7)]
    pipeline = Pipeline.of([Image(scale=1)])
    pipeline.fit([pa.record_batch({"image": pictures})])
    entered = {"name": "x", "dtype": "float32", "feature": "", "form": "joined"}
    packed(
        tmp_path / "x.afield",
        network=weighted_sum(np.array([1.0, 10], np.float32)),
        steps=pipeline.frozen(),
        decision=frozen(Value()),
        examples=pa.table({"image": pictures[:1], EXPECTED: ["21"], FIGURE: pa.array([21.0], pa.float32())}),
        facts=FACTS | {"kind": "regress", "classes": [], "inputs": [entered]},
    )
    there = [*pictures[:2], b"\x89PNG\r\n", *pictures[2:5], b"\xffno image", pictures[5]]

    class Pictures(Numbers):
        def batches(self, position: Position) -> Iterator[Batch]:
            for first in (0, 4):
                records = numbers(first, 4).append_column("image", pa.array(there[first : first + 4], pa.binary()))
                yield Batch(records, {"numbers": str(first + 4)})

    sink = Rows()
    letters = DeadLetters(tmp_path)
    tally = Loop(
        Pictures([]), Predictor(tmp_path / "x.afield"), [OnArrival()], {"rows:0": sink}, state, letters=letters
    ).run()
    assert [row["prediction"] for row in sink.rows] == [21, 42, 63, 84, 105, 126]
    assert (tally.refused, [line["offset"] for line in lines(tmp_path)]) == (2, [2, 6])
    first, second = lines(tmp_path)
    assert first["reason"].startswith("column 'image', row 0 of the batch: ")
    assert (first["base64"], first["content"]) == (True, "iVBORw0K")
    assert (second["base64"], second["content"]) == (True, "/25vIGltYWdl")


def test_what_a_line_holds(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path)
    words, offsets = pa.array(["a"]).dictionary_encode(), pa.array([1])
    for own in ({"text": ["é\n"]}, {"n": [1.5], "s": [None], "b": [b"\xff"]}, {"raw": [b"plain"]}):
        record = pa.record_batch({STREAM: words, OFFSET: offsets, "_line": [3], **own})
        letters.write([letters.of_record(record, "wrong")])
    assert [line["content"] for line in lines(tmp_path)] == ["é\n", '{"n":1.5,"s":null,"b":"/w=="}', "plain"]


def test_what_is_masked_is_not_stored(tmp_path: Path) -> None:
    def covered(record: pa.RecordBatch) -> pa.RecordBatch:
        if record.column("name")[0].as_py() is None:
            raise DataError("no name")
        return record.set_column(record.schema.get_field_index("name"), "name", pa.array(["<name>"]))

    letters = DeadLetters(tmp_path, covered)
    for name in ("Ada", None):
        record = pa.record_batch({STREAM: ["a"], OFFSET: [1], "name": pa.array([name], pa.string())})
        letters.write([letters.of_record(record, "wrong"), letters.of_source(Refused("a", 2, "cut", b"Ada"))])
    assert [(line["reason"], line["content"]) for line in lines(tmp_path)] == [
        ("wrong", "<name>"),
        ("cut; its content cannot be masked and is left out", ""),
        ("wrong; its content cannot be kept: no name", ""),
        ("cut; its content cannot be masked and is left out", ""),
    ]


def test_the_file_may_be_taken_away(tmp_path: Path) -> None:
    letters, refused = DeadLetters(tmp_path), [Refused("a", 1, "wrong", b"x")]
    assert not letters.path.exists()
    mark = letters.write(refused)
    letters.path.rename(tmp_path / "seen.jsonl")
    DeadLetters(tmp_path).restore(mark)
    assert not letters.path.exists()
    assert letters.write(refused) == mark
    letters.path.write_text("")
    DeadLetters(tmp_path).restore(mark)
    assert lines(tmp_path) == []


def test_half_a_line_is_cut_off(tmp_path: Path) -> None:
    letters, refused = DeadLetters(tmp_path), [Refused("a", 1, "wrong", b"x")]
    mark = letters.write(refused)
    with letters.path.open("a") as file:
        file.write('{"time": "19')
    DeadLetters(tmp_path).restore(mark)
    letters.write(refused)
    assert len(lines(tmp_path)) == 2
    DeadLetters(tmp_path).restore(None)
    assert lines(tmp_path) == []


def test_the_share_is_of_the_last_thousand() -> None:
    limit = Limit(0.5)
    limit.count(100_000)
    # Among so many, wherever they stand in their batch: 60 of 1,000.
    limit.count(9_400, 600, "bad")
    for _ in range(468):
        limit.count(0, 1, "bad")
    with pytest.raises(DataError, match=re.escape("501 of the last 1,000 records were refused")):
        limit.count(0, 1, "bad")
