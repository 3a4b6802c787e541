"""Answers to NATS JetStream: many on their way at once, each confirmed by the server, each once by its id."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import orjson
import pyarrow as pa

from afield.connectors.sinks.jsonl import written
from afield.connectors.sinks.nats.spec import Nats
from afield.connectors.sinks.recent import Recent
from afield.connectors.sources.nats.pull import Puller
from afield.connectors.sources.nats.server import SECONDS, Connection
from afield.errors import DataError, TransientError

WHERE = "sink.nats"
ID = "Nats-Msg-Id"
PAGE = 1000
"""Messages that are on their way at once."""
REMEMBERED = 100_000
"""Ids of answers, of those written last."""


class NatsSink:
    """Messages of one subject.

    The server drops a message whose id it has seen within the duplicate window of the stream. For what is older, ids
    are known: those of this process are remembered, those of one before it are read from the stream, after the mark
    that was committed.

    Args:
        spec: what is declared.
    """

    idempotent: ClassVar[bool] = True

    def __init__(self, spec: Nats) -> None:
        self._spec = spec
        self._connection: Connection | None = None
        self._known = Recent(REMEMBERED)
        self._mark = self._last = 0
        self._writes = 0

    def restore(self, mark: str | None) -> None:
        """Learns which answers are in the stream after the mark, or among the last of it where there is none.

        Raises:
            DataError: no stream takes the subject.
            TransientError: the server is not there.
            UseCaseError: it refuses the user, the password or the token.
        """
        self.close()
        self._known = Recent(REMEMBERED)
        connection = self._connected()
        stream, newest = connection.call(self._stream(connection))
        self._mark = self._last = max(newest - REMEMBERED, 0) if mark is None else int(mark)
        puller = Puller(connection, stream, self._spec.subject, self._mark, headers_only=True)
        while found := puller.pull(PAGE, 0):
            self._known.find([one.headers[ID] for one in found if ID in one.headers])
            self._last = found[-1].sequence

    def write(self, answers: pa.RecordBatch) -> str:
        """Sends the answers that are not there, and waits until the server has stored them.

        Returns:
            The sequence of a message: none of those up to it will be given again.

        Raises:
            DataError: no stream takes the subject, or a message is too long.
            TransientError: the server is not there, or takes nothing now.
            UseCaseError: it refuses the user, the password or the token.
        """
        new = self._known.new(*written(answers))
        for start in range(0, len(new), PAGE):
            page = new[start : start + PAGE]
            connection = self._connected()
            try:
                self._last = max(self._last, connection.call(self._sent(connection, page)))
            except TransientError:
                self.close()
                raise
            self._known.give([name for name, _ in page])
        if self._known.settled:
            self._mark = self._last
        return str(self._mark)

    def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = Connection(self._spec, WHERE)
            self._acks: dict[str, dict[str, Any]] = {}
            self._inbox = self._connection.call(self._listening(self._connection))
        return self._connection

    async def _listening(self, connection: Connection) -> str:
        inbox = connection.client.new_inbox()
        await connection.client.subscribe(f"{inbox}.>", cb=self._confirmed)
        return inbox

    async def _stream(self, connection: Connection) -> tuple[str, int]:
        from nats.js.errors import NotFoundError

        try:
            name = await connection.streams.find_stream_name_by_subject(self._spec.subject)
        except NotFoundError:
            raise self._no_stream() from None
        return name, (await connection.streams.stream_info(name)).state.last_seq

    async def _sent(self, connection: Connection, page: list[tuple[str, bytes]]) -> int:
        """Publishes, and returns the highest sequence of what was stored."""
        self._writes += 1
        self._prefix, self._wanted = f"{self._inbox}.{self._writes}.", len(page)
        self._acks, self._done = {}, asyncio.Event()
        for number, (name, content) in enumerate(page):
            reply = f"{self._prefix}{number}"
            await connection.client.publish(self._spec.subject, content, reply=reply, headers={ID: name})
        waiting = [asyncio.ensure_future(event.wait()) for event in (self._done, connection.ended)]
        await asyncio.wait(waiting, timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if trouble := next((ack["error"] for ack in self._acks.values() if "error" in ack), None):
            if trouble["code"] < 500:
                raise DataError(f"{WHERE}: {self._spec.subject}: the server refuses: {trouble['description']}")
            raise connection.trouble(f"{self._spec.subject}: it takes nothing now: {trouble['description']}")
        if not self._done.is_set():
            raise connection.trouble(f"{len(self._acks)} of {len(page)} messages were confirmed")
        return max(ack["seq"] for ack in self._acks.values())

    async def _confirmed(self, message: Any) -> None:
        if not message.subject.startswith(self._prefix):
            return
        if (message.headers or {}).get("Status") == "503":
            ack = {"error": {"code": 404, "description": "no stream takes this subject"}}
        else:
            ack = orjson.loads(message.data)
        self._acks[message.subject] = ack
        if len(self._acks) == self._wanted:
            self._done.set()

    def _no_stream(self) -> DataError:
        return DataError(
            f"{WHERE}: expected a stream that takes the subject {self._spec.subject!r}, found none; correct subject:, "
            f"or create one: `nats stream add --subjects {self._spec.subject}`"
        )
