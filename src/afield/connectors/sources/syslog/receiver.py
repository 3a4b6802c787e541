"""Receives from syslog senders: what has come is spooled at once, and nothing is read while the spool is full."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from afield.connectors.sources.syslog.framing import Frames
from afield.connectors.spool.base import Inbox, Message
from afield.connectors.spool.broker import load_certificate
from afield.errors import UseCaseError

if TYPE_CHECKING:
    from afield.connectors.sources.syslog.spec import Syslog

WHERE = "source.syslog"
AT_ONCE = 1000
READ_BYTES = 65536
WAIT_SECONDS = 0.2
BUFFER_BYTES = 8_000_000
# Of Linux, where Python has no names for them: a buffer larger than the system's limit, for those who may; and the
# counts of a socket, the last of which is that of the datagrams that were dropped.
_SO_RCVBUFFORCE, _SO_MEMINFO, _COUNTS = 33, 55, struct.Struct("9I")


class SyslogReceiver:
    """Listens on one port.

    Args:
        declared: the source.
        base: the folder of the use case.

    Raises:
        UseCaseError: the certificate cannot be read.
    """

    def __init__(self, declared: Syslog, base: Path) -> None:
        self._declared = declared
        self._context: ssl.SSLContext | None = None
        if declared.transport == "tls":
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            key = None if declared.key is None else str(base / declared.key)
            load_certificate(self._context, str(base / str(declared.certificate)), key, WHERE)

    def receive(self, inbox: Inbox) -> None:
        """As of `Receiver`."""
        asyncio.run(self._listen(inbox))

    async def _listen(self, inbox: Inbox) -> None:
        with self._bound() as listener:
            inbox.connected()
            if self._declared.transport == "udp":
                await self._datagrams(listener, inbox)
            else:
                await self._connections(listener, inbox)

    def _bound(self) -> socket.socket:
        declared = self._declared
        kind = socket.SOCK_DGRAM if declared.transport == "udp" else socket.SOCK_STREAM
        try:
            family, _, _, _, address = socket.getaddrinfo(declared.address, declared.port, type=kind)[0]
            listener = socket.socket(family, kind)
        except OSError as error:
            raise UseCaseError(f"{WHERE}.address: {declared.address}: {error.strerror}") from None
        try:
            if kind == socket.SOCK_STREAM:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            else:
                _enlarge(listener)
            listener.setblocking(False)
            listener.bind(address)
        except OSError as error:
            listener.close()
            raise UseCaseError(
                f"{WHERE}.port: {declared.transport} port {declared.port} of {declared.address} cannot be listened on: "
                f"{error.strerror}; stop who has it, or choose another port (below 1024 they are the system's)"
            ) from None
        return listener

    async def _datagrams(self, listener: socket.socket, inbox: Inbox) -> None:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(listener, readable.set)
        waiting: list[Message] = []
        dropped = 0
        try:
            while not inbox.stopped.is_set():
                if not waiting:
                    readable.clear()
                    waiting = _arrived(listener)
                if (total := _dropped(listener)) > dropped:
                    dropped = total
                    reason = f"{total} datagrams were dropped; use tcp, or raise `spool.limit`"
                    inbox.note(f"udp port {self._declared.port}", reason)
                if not waiting:
                    await _within(readable, WAIT_SECONDS)
                elif inbox.offer(waiting):
                    waiting = []
                else:
                    await asyncio.sleep(WAIT_SECONDS)
        finally:
            loop.remove_reader(listener)

    async def _connections(self, listener: socket.socket, inbox: Inbox) -> None:
        async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer = writer.get_extra_info("peername")[0]
            frames = Frames(self._declared.max_record_bytes)
            try:
                while data := await reader.read(READ_BYTES):
                    await self._spooled([Message(part, peer) for part in frames.feed(data)], inbox)
                if rest := frames.finish():
                    await self._spooled([Message(rest, peer)], inbox)
            except OSError as error:
                inbox.note(f"connection of {peer}", f"lost: {error.strerror or error}")
            finally:
                writer.close()

        server = await asyncio.start_server(served, sock=listener, limit=READ_BYTES, ssl=self._context)
        async with server:
            while not inbox.stopped.is_set():
                await asyncio.sleep(WAIT_SECONDS)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    async def _spooled(self, messages: list[Message], inbox: Inbox) -> None:
        while messages and not inbox.offer(messages):
            await asyncio.sleep(WAIT_SECONDS)


def _enlarge(listener: socket.socket) -> None:
    """Asks for a buffer that holds what comes while the disk is being written."""
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER_BYTES)
    except OSError:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)


def _arrived(listener: socket.socket) -> list[Message]:
    found: list[Message] = []
    while len(found) < AT_ONCE:
        try:
            payload, sender = listener.recvfrom(READ_BYTES)
        except BlockingIOError:
            break
        found.append(Message(payload, sender[0]))
    return found


def _dropped(listener: socket.socket) -> int:
    """Datagrams that came faster than they were taken, since the socket was bound."""
    counts = listener.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _COUNTS.size)
    return _COUNTS.unpack(counts)[-1]


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
