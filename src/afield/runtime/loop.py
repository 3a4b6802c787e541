"""The loop of a running use case: records, answers, sinks, then one commit of how far it came."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from afield import faults
from afield.connectors.base import Batch, Sink, Source
from afield.runtime.answers import answer_table
from afield.runtime.predictor import Predictor
from afield.runtime.prefetch import prefetched
from afield.runtime.state import RunState
from afield.runtime.triggers import Trigger


@dataclass
class Tally:
    """What a run has done.

    Args:
        answered: records answered and committed.
        seconds: since it started.
    """

    answered: int = 0
    seconds: float = 0.0


class Loop:
    """One use case at work.

    Everything that was answered since the last commit (rows in the sinks, positions of the source) is committed in one
    transaction; a process that dies before it starts again from the last commit, and the sinks take back what they
    were given since. So every record is answered once and only once in the sinks.

    Args:
        source: opened.
        predictor: of the version that answers.
        triggers: when it answers; the first that wants to decides.
        sinks: name -> sink, opened.
        state: what was committed.
        told: called after each commit with the tally.
        clock: seconds.
    """

    def __init__(
        self,
        source: Source,
        predictor: Predictor,
        triggers: Sequence[Trigger],
        sinks: dict[str, Sink],
        state: RunState,
        told: Callable[[Tally], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._predictor = predictor
        self._triggers = triggers
        self._sinks = sinks
        self._state = state
        self._told = told
        self._clock = clock
        self._waiting: list[Batch] = []

    def run(self, stop: threading.Event | None = None) -> Tally:
        """Answers until the source ends, or `stop` is set and the batch in hand is committed."""
        tally, started = Tally(), self._clock()
        self._restore()
        for batch in self._arriving(stop or threading.Event()):
            if batch.records.num_rows or batch.position:
                self._waiting.append(batch)
            tally.answered += self._fire()
            tally.seconds = self._clock() - started
            if self._told:
                self._told(tally)
        return tally

    def _arriving(self, stop: threading.Event) -> Iterator[Batch]:
        positions = self._state.positions()
        with contextlib.closing(prefetched(self._source.batches(positions))) as batches:
            for batch in batches:
                yield batch
                if stop.is_set():
                    return

    def _restore(self) -> None:
        marks = self._state.marks()
        for name, sink in self._sinks.items():
            sink.restore(marks.get(name))

    def _fire(self) -> int:
        waiting = sum(batch.records.num_rows for batch in self._waiting)
        now = self._clock()
        plans = (trigger.plan(waiting, now).slices for trigger in self._triggers)
        slices = next((plan for plan in plans if plan), [])
        marks: dict[str, str] = {}
        for start, stop in slices:
            for records in self._cut(start, stop):
                table = answer_table(records, self._predictor.answer(records), self._predictor.version)
                marks |= {name: sink.write(table) for name, sink in self._sinks.items()}
        if waiting and (not slices or slices[-1][1] < waiting):
            return 0
        self._commit(marks, waiting)
        return waiting

    def _cut(self, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """The waiting records from `start` to `stop`, in the batches they came in."""
        first = 0
        for batch in self._waiting:
            rows = batch.records.num_rows
            low, high = max(start - first, 0), min(stop - first, rows)
            if low < high:
                yield batch.records.slice(low, high - low)
            first += rows

    def _commit(self, marks: dict[str, str], answered: int) -> None:
        position: dict[str, str] = {}
        for batch in self._waiting:
            position |= batch.position
        self._waiting.clear()
        if not position and not marks:
            return
        faults.point("answered")
        self._state.commit(position, marks, {"answered": answered})
        faults.point("committed")
        self._source.acknowledge(position)
