"""The versions of a use case: each a bundle in its folder and a row in its store."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import Row, select

from afield import faults
from afield.bundle import open_bundle
from afield.errors import AfieldError, StateError
from afield.files import sync_folder, writing
from afield.lock import STATE
from afield.registry.audit import Entry, entries, record
from afield.store.schema import versions
from afield.store.store import FILE, Store, open_store


@dataclass(frozen=True)
class Version:
    """One trained state of a use case.

    Args:
        name: "v1", "v2" and so on.
        created: when it was packed, in UTC.
        bundle: its file.
        sha256: of that file.
        accuracy: on the test part, where the question has one.
        summary: what training says about it, JSON values.
    """

    name: str
    created: datetime
    bundle: Path
    sha256: str
    accuracy: float | None
    summary: dict[str, Any]


def utc_now() -> datetime:
    """The clock where none is passed in."""
    return datetime.now(UTC)


class Registry:
    """The versions of the use case in a folder; nothing is opened or made before it is needed.

    Args:
        folder: the use case.
        url: its store, where that is not the file in its folder.
        clock: what time it is, with a time zone.
    """

    def __init__(self, folder: Path, url: str | None = None, clock: Callable[[], datetime] = utc_now) -> None:
        self.folder = folder
        self._use_case = folder.resolve().name
        self._url = url
        self._clock = clock
        self._bundles = folder / STATE / "versions"
        self._lock = FileLock(folder / STATE / "versions.lock")

    @property
    def incoming(self) -> Path:
        """Where a new bundle is packed before it is added: on the disk where it will stay."""
        with writing(self._bundles):
            self._bundles.mkdir(parents=True, exist_ok=True)
        return self._bundles / "incoming.afield"

    @contextmanager
    def turn(self) -> Generator[None]:
        """Holds the next name from asking for it until the bundle that bears it is added; others wait."""
        state = self.folder / STATE
        with writing(state):
            state.mkdir(exist_ok=True)
            self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    def next_name(self) -> str:
        """The name of the version that is added next; it stays so only inside `turn`."""
        return f"v{max((_number(version.name) for version in self.all()), default=0) + 1}"

    def add(self, bundle: Path, summary: Mapping[str, Any]) -> Version:
        """Moves a bundle into the registry.

        The file comes first and its row second: a crash between them leaves a file without a row, which the next
        `add` replaces.

        Args:
            bundle: packed under the name that `next_name` gave, on the same disk as the use case.
            summary: JSON values; `accuracy` among them is kept apart too.

        Raises:
            BundleError: it does not open.
            StateError: it was packed under another name than the next.
            TransientError: the disk is full, or the store is busy.
        """
        with self.turn():
            manifest = open_bundle(bundle).manifest
            name = self.next_name()
            if manifest.version != name:
                raise StateError(
                    f"{bundle}: packed as {manifest.version}, but the next version of {self._use_case!r} is {name}: "
                    "another training was faster; pack it again under that name"
                )
            target = self._bundles / f"{name}.afield"
            with writing(target):
                with bundle.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                self._bundles.mkdir(exist_ok=True)
                self._remove_orphans(bundle)
                bundle.replace(target)
                sync_folder(self._bundles)
            row = {
                "number": _number(name),
                "name": name,
                "created": manifest.created.astimezone(UTC).isoformat(),
                "bundle": str(target.relative_to(self.folder)),
                "sha256": digest,
                "accuracy": summary.get("accuracy"),
                "summary": dict(summary),
            }
            faults.point("version filed")
            try:
                with self._store.writing() as connection:
                    connection.execute(versions.insert().values(row))
                    record(connection, self._clock(), "add", name, {"sha256": digest})
            except AfieldError:
                # Training may have taken hours: the bundle stays where it was, to be added again.
                target.replace(bundle)
                raise
        return self.get(name)

    def all(self) -> list[Version]:
        """All versions, oldest first; none where nothing was ever added."""
        if self._empty():
            return []
        with self._store.reading() as connection:
            return [self._version(row) for row in connection.execute(select(versions).order_by(versions.c.number))]

    def latest(self) -> Version:
        """The version that was added last.

        Raises:
            StateError: there is none.
        """
        found = self.all()
        if not found:
            raise StateError(f"no version of {self._use_case!r} yet: run `afield train {self.folder}`")
        return found[-1]

    def get(self, name: str) -> Version:
        """The version of that name.

        Raises:
            StateError: there is none of that name.
        """
        latest = self.latest()
        named = {version.name: version for version in self.all()}
        if name not in named:
            nearest = difflib.get_close_matches(name, named, n=1, cutoff=0.0) or [latest.name]
            raise StateError(
                f"{self._use_case!r} has no version {name!r}; did you mean {nearest[0]!r}? "
                f"The latest is {latest.name!r}"
            )
        return named[name]

    def audit(self) -> list[Entry]:
        """All that was done to the versions, oldest first."""
        if self._empty():
            return []
        with self._store.reading() as connection:
            return entries(connection)

    def close(self) -> None:
        """Lets go of the store."""
        if "_store" in self.__dict__:
            self._store.close()

    @cached_property
    def _store(self) -> Store:
        return open_store(self._url or self.folder)

    def _empty(self) -> bool:
        # Asking for versions makes no database: a use case may be looked at where nobody may write.
        return self._url is None and not (self.folder / STATE / FILE).exists()

    def _remove_orphans(self, bundle: Path) -> None:
        known = {version.bundle.name for version in self.all()} | {bundle.name}
        for file in (*self._bundles.glob("*.afield"), *self._bundles.glob(".*.tmp")):
            if file.name not in known:
                file.unlink(missing_ok=True)

    def _version(self, row: Row[Any]) -> Version:
        created = datetime.fromisoformat(row.created)
        return Version(row.name, created, self.folder / row.bundle, row.sha256, row.accuracy, row.summary)


def _number(name: str) -> int:
    return int(name.removeprefix("v"))
