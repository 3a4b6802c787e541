"""Messages of a JetStream stream from a place on, pulled in batches; for the source, and for what a sink looks up."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from afield.connectors.sources.nats.server import SECONDS, Connection

_KEPT_SECONDS = 300.0
"""The server forgets a consumer that has asked for nothing for so long."""
_NOTHING_NOW = {"404", "408"}


class Pulled:
    """One message.

    Args:
        sequence: its number in the stream.
        left: messages behind it, when it was sent.
        content: its bytes.
        headers: of the message.
    """

    __slots__ = ("content", "headers", "left", "sequence")

    def __init__(self, sequence: int, left: int, content: bytes, headers: dict[str, str]) -> None:
        self.sequence = sequence
        self.left = left
        self.content = content
        self.headers = headers


class Puller:
    """Asks for the messages after a sequence, in order, none left out.

    Args:
        connection: to the server.
        stream: name.
        subject: only messages of this; None: all.
        after: the sequence.
        headers_only: leaves the content out.
    """

    def __init__(
        self, connection: Connection, stream: str, subject: str | None, after: int, *, headers_only: bool = False
    ) -> None:
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

        self._connection = connection
        self._config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
            ack_policy=AckPolicy.NONE,
            filter_subject=subject,
            headers_only=headers_only or None,
            inactive_threshold=_KEPT_SECONDS,
            mem_storage=True,
            num_replicas=1,
        )
        self._stream = stream
        self._arrived: list[Pulled] = []
        self._delivered = 0
        self._asked = 0
        self._wanted = 0
        self._done: asyncio.Future[str] | None = None
        self.left = connection.call(self._begun())

    def pull(self, most: int, seconds: float) -> list[Pulled]:
        """The next messages, up to a number; where there are none, the next that comes in this time.

        Raises:
            TransientError: the server is gone, or has forgotten who asks; begin anew after the last message.
        """
        found = self._connection.call(self._pulled(most, None))
        return found or (self._connection.call(self._pulled(1, seconds)) if seconds else [])

    async def _begun(self) -> int:
        client = self._connection.client
        self._inbox = client.new_inbox()
        # What is asked for is bounded: nothing is ever to be dropped here.
        await client.subscribe(f"{self._inbox}.*", cb=self._arrive, pending_msgs_limit=0, pending_bytes_limit=0)
        info = await self._connection.streams.add_consumer(self._stream, self._config)
        self._asks = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{info.name}"
        return info.num_pending or 0

    async def _pulled(self, most: int, seconds: float | None) -> list[Pulled]:
        self._asked += 1
        self._wanted = most
        self._done = asyncio.get_running_loop().create_future()
        wish = {"no_wait": True} if seconds is None else {"expires": int(seconds * 1e9)}
        request = orjson.dumps({"batch": most, **wish})
        await self._connection.client.publish(self._asks, request, f"{self._inbox}.{self._asked}")
        ended = asyncio.ensure_future(self._connection.ended.wait())
        await asyncio.wait({self._done, ended}, timeout=SECONDS + (seconds or 0), return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not self._done.done():
            raise self._connection.trouble("it was closed" if ended.done() else f"no answer within {SECONDS:.0f} s")
        if why := self._done.result():
            raise self._connection.trouble(why)
        found, self._arrived = self._arrived, []
        return found

    async def _arrive(self, message: Any) -> None:
        if not message.reply:
            if message.subject == f"{self._inbox}.{self._asked}":
                self._end(message.headers or {})
            return
        words = message.reply.split(".")
        # $JS.ACK.<stream>.<consumer>..., or $JS.ACK.<domain>.<account>.<stream>.<consumer>...
        first = 5 if len(words) == 9 else 7
        self._delivered += 1
        if int(words[first + 1]) != self._delivered:
            self._finish("a message went missing on its way")
        found = Pulled(int(words[first]), int(words[first + 3]), message.data, message.headers or {})
        self._arrived.append(found)
        if len(self._arrived) >= self._wanted:
            self._finish("")

    def _end(self, status: dict[str, str]) -> None:
        """Takes a message of the server itself: an end of what was asked for, or trouble."""
        code = status.get("Status", "")
        if code != "100":
            said = f"{code} {status.get('Description', '')}".strip()
            self._finish("" if code in _NOTHING_NOW else f"the reading was ended with {said}")

    def _finish(self, why: str) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(why)
