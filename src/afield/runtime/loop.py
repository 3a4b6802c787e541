"""The loop of a running use case: records, answers, sinks, then one commit of how far it came."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from afield import faults
from afield.connectors.base import Batch, Sink, Source
from afield.preprocess.base import Carry
from afield.runtime.answers import answer_table
from afield.runtime.carry import from_bytes, to_bytes
from afield.runtime.predictor import Predictor
from afield.runtime.prefetch import prefetched
from afield.runtime.retry import once
from afield.runtime.state import RunState
from afield.runtime.triggers import Trigger


@dataclass
class Tally:
    """What a run has done.

    Args:
        answered: records answered.
        seconds: since it started.
        terms: number of terms in these records.
        unknown: number of them that training never met.
    """

    answered: int = 0
    seconds: float = 0.0
    terms: int = 0
    unknown: int = 0


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
        retry: does what writes, again where it fails with trouble that may pass.
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
        retry: Callable[[Callable[[], Any]], Any] = once,
    ) -> None:
        self._source = source
        self._predictor = predictor
        self._triggers = triggers
        self._sinks = sinks
        self._state = state
        self._told = told
        self._clock = clock
        self._retry = retry
        self._waiting: deque[Batch] = deque()
        # Of the oldest waiting batch: records that are done with; and what was written since the last commit.
        self._done = 0
        self._uncommitted = Counter[str]()
        self._marks: dict[str, str] = {}
        self._tally = Tally()
        self._carry: Carry = None

    def run(self, stop: threading.Event | None = None) -> Tally:
        """Answers until the source ends, or `stop` is set and the batch in hand is committed."""
        tally, started = self._tally, self._clock()
        self._restore()
        for batch in self._arriving(stop or threading.Event()):
            if batch.records.num_rows or batch.position:
                self._waiting.append(batch)
            self._fire()
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
        carried = self._state.carry(self._predictor.version)
        self._carry = None if carried is None else from_bytes(carried)
        marks = self._state.marks()
        for name, sink in self._sinks.items():
            sink.restore(marks.get(name))

    def _fire(self) -> None:
        """Answers what the triggers want answered."""
        self._pass_empty()
        waiting = sum(batch.records.num_rows for batch in self._waiting) - self._done
        now = self._clock()
        plans = (trigger.plan(waiting, now).slices for trigger in self._triggers)
        place = 0
        for start, stop in next((plan for plan in plans if plan), []):
            self._advance(start - place, answer=False)
            self._advance(stop - start, answer=True)
            place = stop

    def _advance(self, count: int, *, answer: bool) -> None:
        """Takes waiting records, oldest first; a batch is committed with its last record, never before."""
        while count > 0:
            batch = self._waiting[0]
            part = min(count, batch.records.num_rows - self._done)
            if answer:
                self._answer(batch.records.slice(self._done, part))
            self._done += part
            count -= part
            if self._done == batch.records.num_rows:
                self._commit(batch)
                self._pass_empty()

    def _pass_empty(self) -> None:
        """Commits batches that only move the position."""
        while self._waiting and not self._waiting[0].records.num_rows:
            self._commit(self._waiting[0])

    def _answer(self, records: pa.RecordBatch) -> None:
        answers = self._predictor.answer(records, self._carry)
        self._carry = answers.carry
        table = answer_table(records, answers, self._predictor.version)
        if table.num_rows:
            for name, sink in self._sinks.items():
                self._marks[name] = self._retry(partial(sink.write, table))
        self._uncommitted.update(answered=table.num_rows, terms=answers.terms, unknown=answers.unknown)
        self._tally.answered += table.num_rows
        self._tally.terms += answers.terms
        self._tally.unknown += answers.unknown

    def _commit(self, batch: Batch) -> None:
        faults.point("answered")
        carry = None if self._carry is None else (self._predictor.version, to_bytes(self._carry))
        self._retry(partial(self._state.commit, batch.position, self._marks, self._uncommitted, carry))
        faults.point("committed")
        self._source.acknowledge(batch.position)
        self._waiting.popleft()
        self._marks, self._done = {}, 0
        self._uncommitted.clear()
