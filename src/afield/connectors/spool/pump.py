"""Runs a receiver in a thread of its own, again and again, and keeps what it brings in the spool."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from afield.connectors.report import SourceReport
from afield.connectors.spool.base import Message, Receiver
from afield.connectors.spool.spool import Spool
from afield.errors import TransientError

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 15.0


class Pump:
    """The thread of a receiver, and its `Inbox`.

    Args:
        receiver: what it runs.
        spool: where the messages go.
        report: told what is not read.
        patience: seconds of failing after which the trouble is said.
    """

    def __init__(self, receiver: Receiver, spool: Spool, report: SourceReport, patience: float) -> None:
        self.stream = spool.stream
        self.stopped = threading.Event()
        self._receiver = receiver
        self._spool = spool
        self._report = report
        self._patience = patience
        self._arrived = threading.Event()
        self._reached = False
        self._failing_since: float | None = None
        self._active = time.monotonic()
        self._full_since: float | None = None
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"receive {spool.stream}", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, and waits for that; may be called twice."""
        self.stopped.set()
        self._arrived.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return not self._thread.is_alive()

    @property
    def trouble(self) -> BaseException | None:
        """What keeps messages from coming: said at once where waiting does not help, else after a while."""
        if isinstance(self._trouble, TransientError):
            since = self._failing_since
            return self._trouble if since is not None and time.monotonic() - since > self._patience else None
        return self._trouble

    @property
    def quiet(self) -> float:
        """Seconds since the last message, of an origin that is reached; 0 of one that is not."""
        return time.monotonic() - self._active if self._reached else 0.0

    @property
    def full(self) -> float:
        """Seconds for which the spool has been full; 0 where it is not."""
        since = self._full_since
        return 0.0 if since is None else time.monotonic() - since

    def wait(self, seconds: float) -> None:
        """Waits until something has arrived, or everything has, or for so long."""
        self._arrived.wait(seconds)
        self._arrived.clear()

    def offer(self, messages: Sequence[Message]) -> bool:
        """As of `Inbox`."""
        self._active = time.monotonic()
        if self._spool.append(messages) is None:
            if self._full_since is None:
                self._full_since = time.monotonic()
                self.note(self._spool.stream, "the spool is full: nothing is taken until what it holds is answered")
            return False
        self._full_since = None
        self._arrived.set()
        return True

    def connected(self) -> None:
        """As of `Inbox`."""
        self._reached, self._failing_since, self._trouble = True, None, None
        self._active = time.monotonic()

    def note(self, name: str, reason: str) -> None:
        """As of `Inbox`."""
        self._report.damaged[name] = reason

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self.stopped.is_set():
            try:
                self._receiver.receive(self)
                break
            except TransientError as trouble:
                if self._failing_since is None:
                    self._failing_since, pause = time.monotonic(), FIRST_PAUSE
                # Without the frames it passed through, which would keep the broken connection alive.
                trouble.__context__ = None
                self._reached, self._trouble = False, trouble.with_traceback(None)
                self.stopped.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            except BaseException as trouble:  # carried to the thread that reads
                self._trouble = trouble
                break
        self._arrived.set()
