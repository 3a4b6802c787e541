"""NATS JetStream as a source: a consumer that the server forgets, and a position of our own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from threading import Event
from typing import Any, ClassVar

from afield.connectors.base import Batch, Position
from afield.connectors.decoder import Decoder
from afield.connectors.logs import IDLE_SECONDS, LossReport
from afield.connectors.sources.nats.pull import Puller
from afield.connectors.sources.nats.server import Connection
from afield.connectors.sources.nats.spec import Nats
from afield.errors import DataError, StateError

WHERE = "source.nats"


class NatsSource:
    """Messages of one stream.

    STREAM is the name of the stream, OFFSET the sequence of the message there.

    Args:
        spec: what is declared.
        follow: goes on for ever with what is added.
        labelled: adds the column LABEL.
        poll: seconds that one question to the server waits for a message, when following.
    """

    replayable: ClassVar[bool] = True
    splittable: ClassVar[bool] = False

    def __init__(self, spec: Nats, *, follow: bool, labelled: bool, poll: float) -> None:
        self.report = LossReport()
        self._spec = spec
        self._follow = follow
        self._decoder = Decoder(spec, labelled)
        self._poll = poll
        self._closed = Event()

    def batches(self, position: Position) -> Iterator[Batch]:
        """Records after the position.

        Raises:
            DataError: there is no such stream, it was made anew, or messages were removed before they were read.
            StateError: the position belongs to another source.
            TransientError: the server is not there.
            UseCaseError: it refuses the user, the password or the token.
        """
        last, made = _parsed(position.get(self._spec.stream))
        with closing(Connection(self._spec, WHERE)) as connection:
            info = self._info(connection)
            now = _made(info)
            if made not in {None, now}:
                raise DataError(
                    f"{WHERE}: stream {self._spec.stream!r} was made anew at {now} after it was read up to {last}: its "
                    "sequence begins again, and answers would bear ids that were given before; read it under another "
                    "use case, or name another stream"
                )
            last = self._after_a_purge(last, info.state.first_seq)
            end = None if self._follow else info.state.last_seq
            yield from self._read(connection, last, now, end)

    def acknowledge(self, position: Position) -> None:
        """A stream is limited by who owns it."""

    def close(self) -> None:
        """Ends `batches` within `poll` seconds, also from another thread."""
        self._closed.set()

    def _read(self, connection: Connection, last: int, made: str, end: int | None) -> Iterator[Batch]:
        puller = Puller(connection, self._spec.stream, self._spec.subject, last)
        last_batch = time.monotonic()
        while not self._closed.is_set():
            wait = self._poll if end is None else 0.0
            pulled = [one for one in puller.pull(self._spec.batch, wait) if end is None or one.sequence <= end]
            if pulled and not self._closed.is_set():
                sequences = [one.sequence for one in pulled]
                self._look_for_gaps(connection, last, sequences)
                last, last_batch = sequences[-1], time.monotonic()
                contents = [one.content for one in pulled]
                yield self._decoder.batch(self._spec.stream, sequences, contents, f"{last} {made}")
            elif end is not None:
                return
            elif time.monotonic() - last_batch >= IDLE_SECONDS:
                last_batch = time.monotonic()
                yield self._decoder.empty()

    def _after_a_purge(self, last: int, first: int) -> int:
        """How far the stream was read, or up to where it has forgotten what was not."""
        if last and first > last + 1:
            self._lose(last, first - last - 1)
            return first - 1
        return last

    def _look_for_gaps(self, connection: Connection, last: int, sequences: list[int]) -> None:
        """Says which messages were removed before they were read; before the first that was read, nothing is missed."""
        if self._spec.subject is None:
            for before, after in pairwise([last, *sequences] if last else sequences):
                if after > before + 1:
                    self._lose(before, after - before - 1)
        elif last and sequences[0] > last + 1:
            # Messages of other subjects stood between, too: only what the stream has forgotten can be missed.
            self._after_a_purge(last, min(self._info(connection).state.first_seq, sequences[0]))

    def _lose(self, after: int, count: int) -> None:
        some = f"{count} messages" if self._spec.subject is None else f"up to {count} messages, some of other subjects,"
        what = f"{some} were removed before they were read"
        self.report.lose(self._spec, WHERE, f"stream {self._spec.stream!r} after {after}", what)

    def _info(self, connection: Connection) -> Any:
        from nats.js.errors import NotFoundError

        async def asked() -> Any:
            try:
                return await connection.streams.stream_info(self._spec.stream)
            except NotFoundError:
                return None

        info = connection.call(asked())
        if info is None:
            raise DataError(
                f"{WHERE}: expected a stream {self._spec.stream!r}, found none; correct stream:, or create it: "
                f"`nats stream add {self._spec.stream}`"
            )
        return info


def _parsed(cursor: str | None) -> tuple[int, str | None]:
    if cursor is None:
        return 0, None
    try:
        last, made = cursor.split(" ")
        return int(last), made
    except ValueError:
        raise StateError(
            f"{WHERE}: expected a position of a JetStream stream, found {cursor!r} of another source"
        ) from None


def _made(info: Any) -> str:
    """When the stream was created: who it is."""
    return info.created.isoformat()
