"""A source whose origin cannot be asked again: what it receives is spooled first, and read from there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from afield.connectors.base import Batch, Position
from afield.connectors.report import SourceReport
from afield.connectors.spool.base import Decodes, Receiver, Stored
from afield.connectors.spool.pump import Pump
from afield.connectors.spool.spool import Spool
from afield.errors import StateError

ROWS = 1000
HEARTBEAT_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
FULL_SECONDS = 60.0


class Spooled:
    """Records of what a receiver brings; from the spool on they can be read again.

    The spool is opened, and the receiver started, with `batches`. A record's stream is the name of the spool, its
    offset the number of its message there; a position is the number of the last message that is answered.

    Args:
        folder: of the spool.
        limit: most bytes of the spool.
        receiver: brings messages.
        decoder: makes records of them.
        where: the place in the use case, such as `source.mqtt`.
        idle_end: seconds without a message after which the source ends; None to follow for ever.
        patience: seconds of failing after which that is raised.
    """

    replayable: ClassVar[bool] = True
    splittable: ClassVar[bool] = False

    def __init__(
        self,
        folder: Path,
        limit: int,
        receiver: Receiver,
        decoder: Decodes,
        *,
        where: str,
        idle_end: float | None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.report = SourceReport()
        self._folder = folder
        self._limit = limit
        self._receiver = receiver
        self._decoder = decoder
        self._where = where
        self._idle_end = idle_end
        self._patience = patience
        self._closed = threading.Event()
        self._changing = threading.Lock()
        self._opened: tuple[Spool, Pump] | None = None

    def batches(self, position: Position) -> Iterator[Batch]:
        """Records after the position: of the spool first, then as they arrive.

        What is spooled is given before any trouble of the receiver is raised.

        Raises:
            TransientError: the origin has been out of reach for long.
            UseCaseError: the origin refuses what is declared.
            DataError: what is asked for is not there, or the spool is damaged.
            StateError: another process has the spool open, or it is full and nothing of it is committed.
        """
        with self._changing:
            if self._closed.is_set():
                return
            if self._opened is not None:
                raise StateError(f"{self._where}: this source is being read already; open another one")
            spool = Spool(self._folder, self._limit)
            pump = Pump(self._receiver, spool, self.report, self._patience)
            self._opened = spool, pump
            pump.start()
        after = int(position.get(spool.stream, "0"))
        told = time.monotonic()
        while not self._closed.is_set():
            # Looked at before the spool, so that what came last is not missed.
            last, quiet = pump.ended, pump.quiet
            if stored := self._read(spool, after):
                after = stored[-1].sequence
                yield self._decoder.batch(spool.stream, stored)
                told = time.monotonic()
                continue
            if trouble := pump.trouble:
                raise trouble
            if last or (self._idle_end is not None and quiet > self._idle_end):
                return
            if self._idle_end is not None and pump.full > FULL_SECONDS:
                raise StateError(
                    f"{self._where}: the spool has been full for {pump.full:.0f} s, and all it holds is read; "
                    "raise `spool.limit`, or `afield run` the use case to empty it"
                )
            pump.wait(HEARTBEAT_SECONDS / 4)
            if time.monotonic() - told >= HEARTBEAT_SECONDS:
                yield self._decoder.empty()
                told = time.monotonic()

    def _read(self, spool: Spool, after: int) -> list[Stored]:
        with self._changing:
            return [] if self._closed.is_set() else spool.read(after, ROWS)

    def acknowledge(self, position: Position) -> None:
        """Forgets the messages up to the position."""
        if self._opened is not None:
            spool, _ = self._opened
            spool.forget(int(position.get(spool.stream, "0")))

    def close(self) -> None:
        """Stops the receiver and lets go of the spool; what was received and not spooled is received again."""
        self._closed.set()
        with self._changing:
            if self._opened is not None:
                spool, pump = self._opened
                pump.stop()
                spool.close()
