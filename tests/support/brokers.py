"""Servers of a test's own, on a free port, that may be killed and started again with what they had stored."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Broker:
    """One server; `start` waits until it listens."""

    def __init__(self, command: list[str], port: int) -> None:
        self.port = port
        self._command = command
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self._process.poll() is None, f"{self._command[0]} ended with {self._process.returncode}"
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"{self._command[0]} does not listen on port {self.port}")

    def stop(self, sent: int = signal.SIGKILL) -> None:
        if self._process:
            self._process.send_signal(sent)
            self._process.wait()
            self._process = None


def redis_server(folder: Path, *options: str) -> Broker:
    """A Redis whose entries are on the disk before they are confirmed."""
    port = free_port()
    kept = ["--dir", str(folder), "--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    return Broker(["redis-server", "--port", str(port), "--bind", "127.0.0.1", *kept, *options], port)


def nats_server(folder: Path, *options: str) -> Broker:
    """A NATS server with JetStream."""
    port = free_port()
    return Broker(["nats-server", "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder), *options], port)
