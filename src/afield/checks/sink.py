"""What every sink must do, as checks that any sink is run through: ours and those of third parties.

All of them pass `COMMON_CHECKS`, and those that fit what happens to an answer that is given again: `TAKES_BACK_CHECKS`
where the sink removes what came after its mark, `IDEMPOTENT_CHECKS` where it keeps an answer once by its id,
`REPEATING_CHECKS` where a reader finds it again::

    @pytest.mark.parametrize("check", COMMON_CHECKS + IDEMPOTENT_CHECKS)
    def test_my_sink(check, tmp_path):
        check(SinkCase(lambda: MySink(tmp_path), lambda: my_rows(tmp_path)))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from afield.connectors.base import Sink


@dataclass(frozen=True)
class SinkCase:
    """A sink under test.

    Args:
        open: a sink on the same place each time, as a new start of the process would open it.
        read: what a reader finds there, in order, as one dict a row; called after the sink is closed. Rows that have no
            order there are sorted by id.
        raw: the same as bytes, one text a row; where a row is bytes that a reader may compare.
    """

    open: Callable[[], Sink]
    read: Callable[[], list[dict[str, Any]]]
    raw: Callable[[], list[bytes]] | None = None


def answers(first: int, count: int) -> pa.RecordBatch:
    """Answers as a run gives them, numbered from `first`, with text that is hard to write."""
    numbers = np.arange(first, first + count)
    texts = [None if number % 7 == 3 else f'é\n"{number}"\\\t\u2028' for number in numbers.tolist()]
    return pa.record_batch(
        {
            "id": pa.array(numbers, pa.int64()),
            "prediction": pa.array([f"class {number % 3}" for number in numbers.tolist()]).dictionary_encode(),
            "probability": pa.array((numbers % 8) / 8, pa.float32()),
            "text": pa.array(texts, pa.string()),
        }
    )


def expected(first: int, count: int) -> list[dict[str, Any]]:
    """What a reader must find of `answers(first, count)`."""
    return answers(first, count).to_pylist()


def check_answers_arrive(case: SinkCase) -> None:
    """What is written is found, in order, with every value as it was."""
    sink = _started(case, None)
    sink.write(answers(0, 10))
    sink.write(answers(10, 1))
    sink.close()
    _same(case, expected(0, 11))


def check_no_answers(case: SinkCase) -> None:
    """A write without rows gives a mark and leaves nothing."""
    sink = _started(case, None)
    mark = sink.write(answers(0, 0))
    sink.close()
    _same(case, [])
    sink = _started(case, mark)
    sink.write(answers(0, 2))
    sink.close()
    _same(case, expected(0, 2))


def check_goes_on_after_close(case: SinkCase) -> None:
    """A sink that is opened again at its last mark goes on behind what is there."""
    mark = None
    for start in range(0, 12, 3):
        sink = _started(case, mark)
        mark = sink.write(answers(start, 3))
        sink.close()
    _same(case, expected(0, 12))


def check_takes_back(case: SinkCase) -> None:
    """Whatever was written after a mark is gone when the sink is opened at it, and can be written again."""
    for written in range(1, 6):
        sink = _started(case, None)
        marks = [sink.write(answers(4 * step, 4)) for step in range(written)]
        sink.close()
        for kept in reversed(range(written)):
            sink = _started(case, marks[kept])
            sink.close()
            _same(case, expected(0, 4 * (kept + 1)))
        sink = _started(case, marks[0])
        sink.write(answers(4, 5))
        sink.close()
        _same(case, expected(0, 9))


def check_never_committed(case: SinkCase) -> None:
    """Opened without a mark, the sink starts anew: an earlier write that was not committed is not found."""
    for _ in range(3):
        sink = _started(case, None)
        sink.write(answers(0, 5))
        sink.close()
        _same(case, expected(0, 5))


def check_not_closed(case: SinkCase) -> None:
    """A sink that was never closed, as after a kill, goes on at its mark."""
    sink = _started(case, None)
    mark = sink.write(answers(0, 5))
    sink.write(answers(5, 5))
    again = _started(case, mark)
    again.write(answers(5, 3))
    again.close()
    _same(case, expected(0, 8))


def check_given_again(case: SinkCase) -> None:
    """A batch that is given again, in whole or in part, leaves one row an answer."""
    sink = _started(case, None)
    assert sink.idempotent, "idempotent: expected True of a sink that keeps an answer once"
    for first, count in [(0, 6), (0, 6), (3, 6), (2, 3), (8, 2), (0, 10)]:
        sink.write(answers(first, count))
    sink.close()
    _same(case, expected(0, 10))


def check_given_again_within_a_batch(case: SinkCase) -> None:
    """An answer that is in a batch twice leaves one row."""
    sink = _started(case, None)
    batch = pa.Table.from_batches([answers(0, 4), answers(2, 4)]).unify_dictionaries().combine_chunks().to_batches()[0]
    sink.write(batch)
    sink.close()
    _same(case, expected(0, 6))


def check_given_again_without_a_mark(case: SinkCase) -> None:
    """A sink that is opened anew, closed before or not, and without a mark, keeps what is there and takes it again."""
    for closes in (True, False, True):
        sink = _started(case, None)
        sink.write(answers(0, 4))
        sink.write(answers(4, 4))
        if closes:
            sink.close()
    sink = _started(case, None)
    sink.write(answers(6, 6))
    sink.close()
    _same(case, expected(0, 12))


def check_repeats_the_same(case: SinkCase) -> None:
    """An answer that is given again, in a batch cut elsewhere, is found again with the same id and the same bytes."""
    given = [(0, 5), (0, 5), (3, 4), (6, 1)]
    for first, count in given:
        sink = _started(case, None)
        sink.write(answers(first, count))
        sink.close()
    _same(case, [row for first, count in given for row in expected(first, count)])
    if case.raw is None:
        return
    seen: dict[int, bytes] = {}
    numbers = [number for first, count in given for number in range(first, first + count)]
    for number, found in zip(numbers, case.raw(), strict=True):
        assert seen.setdefault(number, found) == found, f"answer {number}: found {seen[number]!r}, and again {found!r}"


COMMON_CHECKS: tuple[Callable[[SinkCase], None], ...] = (
    check_answers_arrive,
    check_no_answers,
    check_goes_on_after_close,
)
"""Of every sink."""

TAKES_BACK_CHECKS: tuple[Callable[[SinkCase], None], ...] = (
    check_takes_back,
    check_never_committed,
    check_not_closed,
)
"""Of a sink whose `restore` removes what was written after the mark."""

IDEMPOTENT_CHECKS: tuple[Callable[[SinkCase], None], ...] = (
    check_given_again,
    check_given_again_within_a_batch,
    check_given_again_without_a_mark,
)
"""Of a sink that keeps an answer once, by its id."""

REPEATING_CHECKS: tuple[Callable[[SinkCase], None], ...] = (check_repeats_the_same,)
"""Of a sink that does neither: who reads it knows a repeated answer by its id."""

SINK_CHECKS = COMMON_CHECKS + TAKES_BACK_CHECKS
"""Of a sink of files."""


def _started(case: SinkCase, mark: str | None) -> Sink:
    sink = case.open()
    sink.restore(mark)
    return sink


def _same(case: SinkCase, rows: list[dict[str, Any]]) -> None:
    found = case.read()
    assert found == rows, f"expected {len(rows)} answers {rows[:3]}..., found {len(found)}: {found[:3]}..."
