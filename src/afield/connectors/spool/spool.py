"""The spool: a durable queue of messages on the local disk, an SQLite file in WAL mode, synced at each commit."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
import time
import zlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from afield.connectors.spool.base import Message, Stored
from afield.connectors.spool.log import damaged_at
from afield.errors import DataError, StateError, TransientError
from afield.files import writing

REMEMBERED = 100_000
"""Messages whose names are remembered, to drop those that come again."""

READ_BYTES = 8_000_000
FILE = "messages.sqlite"
_AT_ONCE = 500

_TABLES = """
CREATE TABLE IF NOT EXISTS about (stream TEXT NOT NULL, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS message (
    sequence INTEGER PRIMARY KEY, arrived INTEGER NOT NULL, origin TEXT NOT NULL, payload BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS seen (sequence INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE);
"""


class Spool:
    """Messages with growing numbers, kept until they are forgotten.

    One thread appends, another reads, a third may forget.

    Args:
        folder: its own; made where it is not there.
        limit: most bytes on the disk.

    Raises:
        StateError: another process has it open, or the folder cannot be written.
        DataError: the file is damaged.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._path = folder / FILE
        self._limit = limit
        self._forgotten = self._deleted = 0
        self._closing = threading.Lock()
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / "lock", blocking=False)
            try:
                self._lock.acquire()
            except Timeout:
                raise StateError(
                    f"{folder}: another process has this spool open; stop it first, or give `spool.name` another name"
                ) from None
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> None:
        log = self._path.with_name(f"{FILE}-wal")
        if (place := damaged_at(log)) is not None:
            raise self._damage(f"{log}: damaged at byte {place}")
        with self._speaking():
            self._writer = self._connection()
            self._writer.executescript(_TABLES)
            with self._transaction():
                found = self._writer.execute("SELECT stream, last FROM about").fetchone()
                if found is None:
                    found = f"{self._path.parent.name}-{secrets.token_hex(4)}", 0
                    self._writer.execute("INSERT INTO about VALUES (?, ?)", found)
            self.stream: str = found[0]
            """Its name, made once when it was new, so that no two messages ever share stream and number."""
            self._last: int = found[1]
            self._reader = self._connection()

    def _connection(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    @property
    def bytes(self) -> int:
        """Bytes of the disk that are in use; what was forgotten is used again."""
        pages, free, size = (
            self._writer.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def append(self, messages: Sequence[Message]) -> int | None:
        """Keeps messages, and returns when they are on the disk.

        Returns:
            The number of the last one kept; None where the spool is full and none was kept.

        Raises:
            TransientError: the disk is full.
            DataError: the file is damaged.
        """
        with self._speaking():
            if not self._has_room(sum(len(message.payload) for message in messages)):
                return None
            with self._transaction():
                new = self._unseen(messages)
                first, now = self._last + 1, time.time_ns() // 1000
                self._writer.executemany(
                    "INSERT INTO message VALUES (?, ?, ?, ?, ?)",
                    [
                        (number, now, message.origin, message.payload, _checksum(message.origin, message.payload))
                        for number, (message, _) in enumerate(new, first)
                    ],
                )
                self._writer.executemany(
                    "INSERT INTO seen VALUES (?, ?)",
                    [(number, name) for number, (_, name) in enumerate(new, first) if name is not None],
                )
                last = self._last + len(new)
                self._writer.execute("UPDATE about SET last = ?", (last,))
                self._writer.execute("DELETE FROM seen WHERE sequence <= ?", (last - REMEMBERED,))
                self._delete()
            self._last = last
        return last

    def _has_room(self, size: int) -> bool:
        if self.bytes + size > self._limit:
            with self._transaction():
                self._delete()
        # What is larger than the limit alone is taken as soon as there is nothing else.
        return self.bytes + size <= self._limit or self._forgotten == self._last

    def _delete(self) -> None:
        upto = self._forgotten
        if upto > self._deleted:
            self._writer.execute("DELETE FROM message WHERE sequence <= ?", (upto,))
            self._deleted = upto

    def _unseen(self, messages: Sequence[Message]) -> list[tuple[Message, bytes | None]]:
        named = [(message, _name(message)) for message in messages]
        names = [name for _, name in named if name is not None]
        seen: set[bytes] = set()
        for start in range(0, len(names), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            seen.update(
                name for (name,) in self._writer.execute(f"SELECT identity FROM seen WHERE identity IN ({marks})", part)
            )
        new: list[tuple[Message, bytes | None]] = []
        for message, name in named:
            if name is None or name not in seen:
                new.append((message, name))
            if name is not None:
                seen.add(name)
        return new

    def read(self, after: int, most: int) -> list[Stored]:
        """Messages whose number is greater than `after`, in order: at most so many, and no more than fit in memory.

        Raises:
            DataError: a message is not as it was written.
        """
        found: list[Stored] = []
        size = 0
        with self._speaking():
            rows = self._reader.execute(
                "SELECT sequence, arrived, origin, payload, checksum FROM message WHERE sequence > ? "
                "ORDER BY sequence LIMIT ?",
                (after, most),
            )
            for sequence, arrived, origin, payload, checksum in rows:
                if _checksum(origin, payload) != checksum:
                    raise self._damage(f"{self._path}: message {sequence} is not as it was written")
                found.append(Stored(sequence, arrived, origin, payload))
                size += len(payload)
                if size > READ_BYTES:
                    break
            rows.close()
        return found

    def forget(self, upto: int) -> None:
        """Messages up to this number are no longer needed; their room is free with the next `append`."""
        self._forgotten = max(self._forgotten, min(upto, self._last))

    def close(self) -> None:
        """Lets go of the file; may be called twice."""
        with self._closing:
            if not self._lock.is_locked:
                return
            with self._speaking():
                with self._transaction():
                    self._delete()
                self._reader.close()
                self._writer.close()
            self._lock.release()

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._writer.execute("BEGIN IMMEDIATE")
        deleted = self._deleted
        try:
            yield
            self._writer.execute("COMMIT")
        except BaseException:
            self._deleted = deleted
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise

    @contextmanager
    def _speaking(self) -> Generator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            # The C library gives its code; Python's classes do not tell a full disk from a damaged file.
            name = getattr(error, "sqlite_errorname", "")
            if name in {"SQLITE_FULL", "SQLITE_BUSY"}:
                raise TransientError(f"{self._path}: {error}; make room, it is tried again") from error
            if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
                raise self._damage(f"{self._path}: {error}") from error
            raise StateError(f"{self._path}: {error}; check the owner and the mode of {self._path.parent}") from error

    def _damage(self, what: str) -> DataError:
        return DataError(
            f"{what}; put back a copy of {self._path.parent}, or move it away to begin with an empty one: what stands "
            "in it and is not answered yet is then lost"
        )


def _checksum(origin: str, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(origin.encode()))


def _name(message: Message) -> bytes | None:
    if message.identity is None:
        return None
    # The payload belongs to the name: a sender that counts from 1 again after a restart loses nothing.
    digest = hashlib.blake2b(message.identity.encode(), digest_size=16)
    digest.update(b"\0" + message.payload)
    return digest.digest()
