"""One run, and one training, of a use case at a time."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from afield.errors import StateError
from afield.files import writing

STATE = ".afield"
"""The folder inside a use case that holds what Afield keeps about it."""


@contextmanager
def use_case_lock(folder: Path, purpose: str) -> Generator[None]:
    """Holds the use case for one purpose; the system lets go of it when the process ends, however it ends.

    Args:
        folder: the use case.
        purpose: the verb that needs it alone, "run" or "train"; different verbs do not wait for each other.

    Raises:
        StateError: another process holds it for the same purpose, or the folder cannot be written.
    """
    state = folder / STATE
    lock = FileLock(state / f"{purpose}.lock", blocking=False)
    holder = state / f"{purpose}.holder"
    with writing(state):
        state.mkdir(exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise StateError(
                f"{folder}: `afield {purpose}` of this use case runs already, {_described(holder)}; "
                "stop it first, or use a copy of the folder"
            ) from None
    try:
        with writing(holder):
            holder.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _described(holder: Path) -> str:
    # The holder writes its name just after it has the lock, so that a reader may come too early.
    try:
        found = json.loads(holder.read_text())
        return f"as process {found['pid']} on {found['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "as a process that has not named itself yet"
