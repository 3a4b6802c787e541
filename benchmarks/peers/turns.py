"""A peer's turns: it waits until it is asked, works, and says how long that took."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1]


class LeftOut(Exception):  # noqa: N818, as it is no error
    """Why a peer cannot take part."""


class Turns:
    """The peer's side. An epoch lasts from the end of the one before to its own end, the waiting left out.

    A turn may be several epochs, of which the last one counts: the first one of a peer that has waited finds the caches
    as the others have left them, and perhaps its libraries no longer in memory.

    Args:
        hello: what the peer says of itself: versions, device.
        limit: sets the number of threads.
    """

    def __init__(self, hello: dict[str, Any], limit: Callable[[int], object]) -> None:
        # What a library prints must not stand among the answers.
        self._answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        self._limit = limit
        self._say(hello)

    def begin(self) -> None:
        """Waits for the first turn."""
        self._wait()

    def ended(self, seconds: float | None = None) -> bool:
        """An epoch is over; waits for the next turn when it was the last of this one, and says whether there is one.

        Args:
            seconds: that it took; None for all the time since it began.
        """
        now = time.perf_counter()
        self._left -= 1
        if self._left:
            self._began = now
            return True
        self._say({"seconds": now - self._began if seconds is None else seconds})
        return self._wait()

    def close(self, result: dict[str, Any]) -> None:
        """Says what came out of it."""
        self._say(result)

    def _say(self, answer: dict[str, Any]) -> None:
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()

    def _wait(self) -> bool:
        command = sys.stdin.readline().split()
        if not command:
            raise SystemExit  # whoever asked is gone
        if command[0] == "turn":
            self._limit(int(command[1]))
            self._left = int(command[2])
        self._began = time.perf_counter()
        return command[0] == "turn"


class Peer:
    """The other side: a peer's process.

    Args:
        arguments: of `python -m peers.work`.
        environment: of the process.

    Raises:
        LeftOut: it cannot take part.
    """

    def __init__(self, arguments: list[str], environment: dict[str, str], patience: float = 1800) -> None:
        self._patience = patience
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115, as it lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "peers.work", *arguments],
            cwd=FOLDER,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.hello = self._heard()

    def turn(self, threads: int, epochs: int = 1) -> float:
        """Seconds of the last epoch of its next turn."""
        return self._asked(f"turn {threads} {epochs}")["seconds"]

    def result(self) -> dict[str, Any]:
        """Ends it, and gives what came out."""
        found = self._asked("stop")
        self.kill()
        return found

    def kill(self) -> None:
        """Ends the process, whatever it does."""
        self._process.kill()
        self._process.wait()

    def _asked(self, command: str) -> dict[str, Any]:
        assert self._process.stdin
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed("its process ended") from None
        return self._heard()

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _heard(self) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=self._patience)
        except queue.Empty:
            raise self._failed(f"no answer in {self._patience:.0f} s") from None
        if not line:
            raise self._failed("its process ended")
        answer = json.loads(line)
        if "left_out" in answer:
            self.kill()
            raise LeftOut(answer["left_out"])
        return answer

    def _failed(self, what: str) -> LeftOut:
        self.kill()
        self._log.seek(0)
        last = [line for line in self._log.read().splitlines() if line.strip()][-1:]
        return LeftOut(": ".join([what, *last]))
