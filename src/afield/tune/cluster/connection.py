"""Reaches a Ray cluster, and says plainly where it cannot."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from afield.errors import StateError, TransientError, UseCaseError

SECONDS = 5.0
"""To wait for an address to answer."""
LOST = "trials that had ended are kept; when the cluster is back, run the same command to go on"


@dataclass(frozen=True)
class Cluster:
    """What a cluster has.

    Args:
        nodes: machines.
        processors: of all of them.
        smallest: processors of the node that has the fewest.
        accelerators: GPUs of all of them.
    """

    nodes: int
    processors: int
    smallest: int
    accelerators: int

    def __str__(self) -> str:
        gpus = f", {self.accelerators} GPU{'s' * (self.accelerators != 1)}" * bool(self.accelerators)
        nodes = f"{self.nodes} node{'s' * (self.nodes != 1)}"
        return f"Ray: {nodes}, {self.processors} processor{'s' * (self.processors != 1)}{gpus}"


@contextmanager
def connected(where: str) -> Generator[Any]:
    """Gives Ray's module, connected; a connection that this process already has stays open.

    Args:
        where: "ray" takes the cluster of RAY_ADDRESS or the one on this machine; else its address, as Ray reads it.

    Raises:
        StateError: Ray is not installed, or is of another version there.
        UseCaseError: the address is none.
        TransientError: no cluster is within reach.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise StateError(
            "--on: needs Ray, which is not installed: run `pip install 'afield[ray]'`, here and on each node"
        ) from None
    if ray.is_initialized():
        yield ray
        return
    address = os.environ.get("RAY_ADDRESS", "auto") if where == "ray" else where
    if address != "auto":
        _look(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL, configure_logging=True)
    except ConnectionError as failed:
        raise TransientError(_unreachable(address, str(failed))) from None
    except (RuntimeError, ValueError) as failed:
        raise StateError(f"--on: the cluster at {address} refuses: {_line(str(failed))}") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def measured(ray: Any) -> Cluster:
    """What the connected cluster has."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    processors = [int(node.get("CPU", 0)) for node in nodes]
    return Cluster(
        len(nodes),
        sum(processors),
        min((count for count in processors if count), default=0),
        sum(int(node.get("GPU", 0)) for node in nodes),
    )


def _look(address: str) -> None:
    """Ray itself tries an address that does not answer for a long time, and then ends the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise UseCaseError(
            f"--on: expected `ray`, or the address of a cluster such as 10.0.0.5:6379 or ray://10.0.0.5:10001,"
            f" found {address!r}"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), SECONDS).close()
    except (OSError, OverflowError) as failed:
        raise TransientError(_unreachable(address, str(failed))) from None


def _unreachable(address: str, why: str) -> str:
    if address == "auto":
        return (
            "--on ray: no Ray cluster runs on this machine and RAY_ADDRESS names none: start one with"
            " `ray start --head`, give its address in place of `ray`, or leave --on out"
        )
    return f"--on: no Ray cluster answers at {address} ({_line(why)}); see that it runs, or leave --on out"


def _line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
