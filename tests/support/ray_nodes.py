"""A real Ray cluster of two nodes on this machine, in a process of its own: Ray forks, and a process with JAX must not.

Run as a program, it takes `add` and `remove` a line: a third node comes, and is lost.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class Nodes:
    """The cluster.

    Args:
        process: that has it.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.address = self._said()

    def add(self) -> None:
        """Another node of one processor."""
        self._ask("add")

    def remove(self) -> None:
        """Kills the node that was added."""
        self._ask("remove")

    def _ask(self, what: str) -> None:
        assert self._process.stdin
        print(what, file=self._process.stdin, flush=True)
        assert self._said() == what

    def _said(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


@contextmanager
def two_nodes() -> Generator[Nodes]:
    """A head and another node, of one processor each."""
    # Paths of Ray's sockets must be short.
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as folder:
        line = [sys.executable, __file__, folder]
        with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield Nodes(process)
            finally:
                assert process.stdin
                process.stdin.close()


def main(folder: str) -> None:
    """Keeps the cluster until standard input ends."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, "temp_dir": folder}
    )
    cluster.add_node(num_cpus=1)
    print(cluster.address, flush=True)
    added = None
    for line in sys.stdin:
        if line.strip() == "add":
            added = cluster.add_node(num_cpus=1)
        elif added is not None:
            cluster.remove_node(added, allow_graceful=False)
        print(line.strip(), flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main(str(Path(sys.argv[1])))
