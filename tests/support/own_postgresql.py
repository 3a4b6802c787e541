"""A PostgreSQL of a test's own, with a password, to be stopped and started."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "hunter2"


@dataclass
class Server:
    """A server that only its test knows.

    Args:
        folder: of its data.
        port: of the loopback.
    """

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Of its one database, as a use case writes it."""
        return f"postgresql://app@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        options = f"-p {self.port} -k {self.folder} -c fsync=off"
        self._control("-o", options, "-l", str(self.folder / "log"), "start")

    def stop(self) -> None:
        """Ends its connections and stops it."""
        self._control("-m", "fast", "stop")

    def _control(self, *arguments: str) -> None:
        as_its_user([program("pg_ctl"), "-D", str(self.folder / "data"), "-w", *arguments])


def program(name: str) -> str:
    """The path of a program of PostgreSQL, of the newest version there is."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else shutil.which(name) or name


def as_its_user(command: list[str]) -> None:
    """Runs a program of PostgreSQL, which refuses to be run by root."""
    user = "postgres" if os.geteuid() == 0 else None
    subprocess.run(command, check=True, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


@contextmanager
def own_postgresql() -> Iterator[Server]:
    """A server that runs, with a user `app` and PASSWORD."""
    # The folders of pytest are closed to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="afield-postgresql-") as name, socket.socket() as free:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        login = ["-U", "app", "-A", "scram-sha-256", "--pwfile", str(folder / "password")]
        as_its_user([program("initdb"), "-D", str(folder / "data"), "--no-sync", *login])
        free.bind(("127.0.0.1", 0))
        server = Server(folder, free.getsockname()[1])
        free.close()
        server.start()
        try:
            yield server
        finally:
            server.stop()
