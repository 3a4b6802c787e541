"""Receives the lines of the standard input; a pipe is not read while the spool is full."""

from __future__ import annotations

import os
import select
import sys

from afield.connectors.spool.base import Inbox, Message

READ_BYTES = 1 << 20
WAIT_SECONDS = 0.25


class StdinReceiver:
    """Lines of one descriptor.

    Args:
        limit: bytes of the longest line; of a longer one so many and one more are kept, so that it is refused.
        descriptor: to read from; the standard input where it is left out.
    """

    def __init__(self, limit: int, descriptor: int | None = None) -> None:
        self._kept = limit + 1
        self._descriptor = descriptor

    def receive(self, inbox: Inbox) -> None:
        """As of `Receiver`."""
        descriptor = sys.stdin.fileno() if self._descriptor is None else self._descriptor
        inbox.connected()
        begun = b""
        while not inbox.stopped.is_set():
            if not select.select([descriptor], [], [], WAIT_SECONDS)[0]:
                continue
            block = os.read(descriptor, READ_BYTES)
            *lines, begun = (begun + block).split(b"\n")
            begun = begun[: self._kept]
            if not block and begun:
                lines.append(begun)
            messages = [Message(line.removesuffix(b"\r")[: self._kept]) for line in lines]
            while messages and not inbox.offer(messages):
                if inbox.stopped.wait(WAIT_SECONDS):
                    return
            if not block:
                return
