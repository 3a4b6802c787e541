"""Named points at which a test has this process killed, to prove that nothing is lost or doubled there.

`AFIELD_KILL_AT="sink rotation:2"` in the environment kills the process, as `kill -9` does, when it passes the point
named "sink rotation" for the second time. Without it a point costs one comparison.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping

from afield.errors import UseCaseError

VARIABLE = "AFIELD_KILL_AT"


def _armed(environment: Mapping[str, str]) -> tuple[str | None, int]:
    text = environment.get(VARIABLE)
    if not text:
        return None, 0
    name, _, count = text.rpartition(":")
    if not name or not count.isdecimal() or int(count) < 1:
        raise UseCaseError(f"{VARIABLE}: expected NAME:COUNT, such as 'committed:3', found {text!r}")
    return name, int(count)


_name, _left = _armed(os.environ)


def point(name: str) -> None:
    """Kills this process if it is armed for this point and this pass."""
    global _left
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def halves(name: str, data: memoryview) -> Iterator[memoryview]:
    """The bytes to write: in one piece, or in two with the point between them where it is armed."""
    if name != _name:
        yield data
        return
    middle = len(data) // 2
    yield data[:middle]
    point(name)
    yield data[middle:]
