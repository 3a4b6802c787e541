"""A process that answers numbered records, of which some cannot be read or answered: a test kills it on its way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from looping import Numbers, Oracle

from afield.connectors.base import OFFSET, Batch, Position, Refused
from afield.connectors.sinks.spec import JsonLines
from afield.errors import DataError
from afield.runtime.dead_letters import DeadLetters
from afield.runtime.loop import Loop
from afield.runtime.predictor import Answers
from afield.runtime.state import RunState
from afield.runtime.triggers.counting import OnCount
from afield.store.store import open_store

COUNT = 60
"""Records of the source; of each ten, it refuses the last."""


class Tens(Numbers):
    """Batches of nine records and one that is refused."""

    def batches(self, position: Position) -> Iterator[Batch]:
        for first in range(int(position.get("numbers", 0)), COUNT, 10):
            refused = Refused("numbers", first + 9, "no number", b"nine")
            made = self._batch(first, 9, {"numbers": str(first + 10)})
            yield Batch(made.records, made.position, [refused])


class Choosy(Oracle):
    """Refuses each record whose number divided by seven leaves three."""

    def answer(self, records: pa.RecordBatch, carry: Any = None) -> Answers:
        if any(offset % 7 == 3 for offset in records.column(OFFSET).to_pylist()):
            raise DataError("three")
        return super().answer(records, carry)


def main(folder: Path) -> None:
    sink = JsonLines().open(folder)
    store = open_store(folder)
    letters = DeadLetters(folder)
    state = RunState(store, "numbers")
    Loop(Tens([]), Choosy(), [OnCount(count=4).open()], {"jsonl": sink}, state, letters=letters).run()
    sink.close()
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
