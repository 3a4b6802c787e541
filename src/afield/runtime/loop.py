"""The loop of a running use case: records, answers, sinks, then one commit of how far it came."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from afield import faults
from afield.connectors.base import Batch, Refused, Sink, Source
from afield.errors import DataError
from afield.preprocess.base import Carry
from afield.runtime import dead_letters
from afield.runtime.answers import answer_table
from afield.runtime.carry import from_bytes, to_bytes
from afield.runtime.dead_letters import DeadLetters, Limit
from afield.runtime.poisoned import Piece, answered
from afield.runtime.predictor import Predictor
from afield.runtime.prefetch import awaited
from afield.runtime.retry import once
from afield.runtime.state import RunState
from afield.runtime.triggers import Trigger
from afield.runtime.waiting import NOTHING, Queue, joined
from afield.runtime.watches import OWN, Watches

ANSWERED = f"{OWN}answered"
"""Committed beside the positions: what is answered of a batch whose position is not committed yet."""
SHORTEST_WAIT = 0.001
"""Seconds, so that a clock that runs unevenly makes no one spin."""


@dataclass
class Tally:
    """What a run has done.

    Args:
        answered: records answered.
        seconds: since it started.
        terms: number of terms in these records.
        unknown: number of them that training never met.
        refused: records that could not be answered, and stand among the dead letters.
        runs: scheduled runs.
    """

    answered: int = 0
    seconds: float = 0.0
    terms: int = 0
    unknown: int = 0
    refused: int = 0
    runs: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Of two runs, one after the other."""
        return Tally(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


class Loop:
    """One use case at work.

    Everything that was answered since the last commit (rows in the sinks, positions of the source) is committed in one
    transaction; a process that dies before it starts again from the last commit, and the sinks take back what they
    were given since. So every record is answered once and only once in the sinks.

    Args:
        source: opened.
        predictor: of the version that answers.
        triggers: when it answers; any of them fires, the first that wants to decides.
        sinks: name -> sink, opened.
        state: what was committed.
        told: called after each commit with the tally.
        clock: seconds; never goes back.
        retry: does what writes, again where it fails with trouble that may pass.
        wall: seconds since 1970; may be set, forwards and back.
        letters: takes the records that cannot be answered; without it the first of them ends the run.
        max_refused: share of the last 1,000 records that may be refused, where 100 of them are.
        most_bytes: of records that wait; where there are more, they are answered though no trigger fires.
        warned: told once that this has come to pass.
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
        *,
        wall: Callable[[], float] = time.time,
        letters: DeadLetters | None = None,
        max_refused: float = 0.5,
        most_bytes: int = 512 << 20,
        warned: Callable[[str], None] | None = None,
    ) -> None:
        self._source = source
        self._predictor = predictor
        self._watches = Watches(triggers, clock, wall)
        self._sinks = sinks
        self._state = state
        self._told = told
        self._clock = clock
        self._retry = retry
        self._letters = letters
        # What the source refuses is known a batch at a time, what cannot be answered a record at a time.
        self._of_source, self._of_answers = Limit(max_refused), Limit(max_refused)
        self._most_bytes = most_bytes
        self._warned = warned
        self._waiting = Queue()
        # Since the last commit: batches that are done with, records that were refused, what was written and counted.
        self._finished: list[Batch] = []
        self._refused: list[Refused] = []
        self._uncommitted = Counter[str]()
        self._marks: dict[str, str] = {}
        self._answered = NOTHING
        self._tally = Tally()
        self._carry: Carry = None
        # Whether a record could be read in this run, answered or not.
        self._reads = False

    def run(self, stop: threading.Event | None = None) -> Tally:
        """Answers until the source ends, or `stop` is set and the batch in hand is committed.

        Where the source ends, all that waits is answered; where `stop` is set, it comes again in the next run.
        """
        stop = stop or threading.Event()
        started = self._clock()
        for batch in self._arriving(self._restore(), stop):
            self._arrived(batch)
            self._fire()
            self._tell(started)
        if not stop.is_set():
            self._end(started)
        if self._watches.moved:
            self._commit()
        return self._tally

    def _restore(self) -> dict[str, str]:
        """Takes up the last commit; returns the positions that are the source's."""
        carried = self._state.carry(self._predictor.version)
        self._carry = None if carried is None else from_bytes(carried)
        marks = self._state.marks()
        for name, sink in self._sinks.items():
            sink.restore(marks.get(name))
        if self._letters:
            self._letters.restore(marks.get(dead_letters.NAME))
        positions = self._state.positions()
        self._answered = positions.get(ANSWERED, NOTHING)
        self._waiting = Queue(self._answered)
        self._watches.restore(positions)
        return {stream: cursor for stream, cursor in positions.items() if not stream.startswith(OWN)}

    def _arriving(self, positions: dict[str, str], stop: threading.Event) -> Iterator[Batch | None]:
        def patience() -> float | None:
            wake_at = self._watches.wake_at
            return None if wake_at is None else max(wake_at - self._clock(), SHORTEST_WAIT)

        with contextlib.closing(awaited(self._source.batches(positions), patience)) as batches:
            for batch in batches:
                yield batch
                if stop.is_set():
                    return

    def _tell(self, started: float) -> None:
        self._tally.seconds = self._clock() - started
        if self._told:
            self._told(self._tally)

    def _arrived(self, batch: Batch | None) -> None:
        if batch is None:
            return
        drained = not (batch.records.num_rows or batch.position or batch.refused)
        self._watches.arrived(0 if drained else self._waiting.add(batch, self._clock()), drained)

    def _fire(self) -> None:
        """Answers what the triggers want answered."""
        self._take(0)
        while True:
            firings = self._watches.plan(self._waiting)
            if firings.runs:
                self._uncommitted["runs"] += firings.runs
                self._tally.runs += firings.runs
            if not firings.slices:
                break
            place = 0
            for start, stop in firings.slices:
                self._take(start - place)
                self._answer(self._take(stop - start))
                place = stop
            self._commit()
        if self._waiting.bytes > self._most_bytes and self._waiting.pending:
            self._warn_of_many()
            self._answer(self._take(self._waiting.pending))
        if self._finished or self._watches.due:
            self._commit()

    def _end(self, started: float) -> None:
        """Nothing more will come: what waits is answered, whatever the triggers wait for."""
        if self._waiting.pending:
            self._answer(self._take(self._waiting.pending))
            self._commit()
            self._tell(started)
        if self._finished:
            raise DataError(f"{self._of_answers.reason or self._of_source.reason}; no record could be answered")

    def _take(self, count: int) -> list[pa.RecordBatch]:
        """Takes waiting records, oldest first, and with them what was refused between them."""
        parts, finished = self._waiting.take(count)
        self._finished += finished
        for batch in finished:
            if batch.refused:
                self._refused += map(self._letters.of_source, batch.refused) if self._letters else batch.refused
                self._limited(self._of_source, batch.records.num_rows, len(batch.refused), batch.refused[-1].reason)
            else:
                self._of_source.count(batch.records.num_rows)
        return parts

    def _answer(self, parts: list[pa.RecordBatch]) -> None:
        """Answers records together, where their columns can stand together."""
        for records in joined(parts):
            for piece, answers in self._answers(records):
                self._carry = answers.carry
                table = answer_table(piece, answers, self._predictor.version)
                if table.num_rows:
                    for name, sink in self._sinks.items():
                        self._marks[name] = self._retry(partial(sink.write, table))
                self._uncommitted.update(answered=table.num_rows, terms=answers.terms, unknown=answers.unknown)
                self._tally.answered += table.num_rows
                self._tally.terms += answers.terms
                self._tally.unknown += answers.unknown

    def _answers(self, records: pa.RecordBatch) -> list[Piece]:
        letters = self._letters
        if letters is None:
            self._reads = True
            return [(records, self._predictor.answer(records, self._carry))]

        def passed(count: int) -> None:
            self._reads = True
            self._of_answers.count(count)

        def refuse(record: pa.RecordBatch, reason: str) -> None:
            self._refused.append(letters.of_record(record, reason))
            self._limited(self._of_answers, 0, 1, reason)

        return answered(self._predictor.answer, records, self._carry, passed, refuse)

    def _limited(self, limit: Limit, passed: int, refused: int, reason: str) -> None:
        """Counts records that were refused; too many of them end the run, uncommitted."""
        self._tally.refused += refused
        self._uncommitted["refused"] += refused
        try:
            limit.count(passed, refused, reason)
        except DataError:
            self._write_refused()
            raise

    def _write_refused(self) -> None:
        if not self._refused:
            return
        if self._letters is None:
            one = self._refused[0]
            raise DataError(f"{one.stream}, {one.offset}: {one.reason}")
        self._marks[dead_letters.NAME] = self._retry(partial(self._letters.write, self._refused))
        self._refused = []

    def _commit(self) -> None:
        faults.point("answered")
        self._write_refused()
        if self._tally.refused and not self._reads:
            # Perhaps it is the use case that is wrong: once it is corrected, these records are to come again.
            return
        positions = {stream: cursor for batch in self._finished for stream, cursor in batch.position.items()}
        positions |= self._watches.marks()
        answered_in_part = self._waiting.answered()
        if answered_in_part != self._answered:
            positions[ANSWERED] = self._answered = answered_in_part
        carry = None if self._carry is None else (self._predictor.version, to_bytes(self._carry))
        self._retry(partial(self._state.commit, positions, self._marks, self._uncommitted, carry))
        faults.point("committed")
        for batch in self._finished:
            self._source.acknowledge(batch.position)
        self._finished, self._marks = [], {}
        self._uncommitted.clear()

    def _warn_of_many(self) -> None:
        if self._warned:
            self._warned(
                f"trigger: {self._waiting.pending:,} records wait and take more than {self._most_bytes:,} bytes; "
                "whenever there are so many, they are answered before a trigger fires"
            )
            self._warned = None
