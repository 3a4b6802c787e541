"""The registry of versions."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import bundles
import pytest
from bundles import packed

from afield.bundle import open_bundle
from afield.errors import BundleError, StateError, TransientError
from afield.registry.versions import Registry

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my-logs").mkdir()
    return tmp_path / "my-logs"


def add(registry: Registry, **summary: object) -> str:
    with registry.turn():
        packed(registry.incoming, version=registry.next_name())
        return registry.add(registry.incoming, summary).name


def test_versions_are_numbered_in_order(folder: Path) -> None:
    registry = Registry(folder, clock=lambda: NOON)
    assert registry.next_name() == "v1"
    assert [add(registry, accuracy=0.5), add(registry, note="no accuracy")] == ["v1", "v2"]
    registry.close()
    registry = Registry(folder)
    first, second = registry.all()
    assert (first.name, first.accuracy, first.summary) == ("v1", 0.5, {"accuracy": 0.5})
    assert (second.name, second.accuracy, second.summary) == ("v2", None, {"note": "no accuracy"})
    assert first.created == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert first.bundle == folder / ".afield" / "versions" / "v1.afield"
    assert first.sha256 == hashlib.sha256(first.bundle.read_bytes()).hexdigest()
    assert open_bundle(second.bundle).manifest.version == "v2"
    assert registry.latest() == second
    assert registry.get("v1") == first
    assert registry.next_name() == "v3"
    assert [(entry.at, entry.action, entry.version) for entry in registry.audit()] == [
        (NOON, "add", "v1"),
        (NOON, "add", "v2"),
    ]
    assert "@" in registry.audit()[0].actor
    registry.close()


def test_many_versions_are_sorted_by_number(folder: Path) -> None:
    registry = Registry(folder)
    names = [add(registry) for _ in range(11)]
    assert [version.name for version in registry.all()] == names
    assert registry.latest().name == "v11"
    registry.close()


def test_asking_makes_nothing(folder: Path) -> None:
    registry = Registry(folder)
    assert registry.all() == []
    assert registry.audit() == []
    with pytest.raises(StateError) as error:
        registry.latest()
    assert str(error.value) == f"no version of 'my-logs' yet: run `afield train {folder}`"
    with pytest.raises(StateError, match="no version of 'my-logs' yet"):
        registry.get("v1")
    assert list(folder.iterdir()) == []


def test_an_unknown_name(folder: Path) -> None:
    registry = Registry(folder)
    for _ in range(3):
        add(registry)
    with pytest.raises(StateError) as error:
        registry.get("2")
    assert str(error.value) == "'my-logs' has no version '2'; did you mean 'v2'? The latest is 'v3'"
    registry.close()


def test_a_renamed_folder_keeps_its_versions(folder: Path) -> None:
    registry = Registry(folder)
    add(registry)
    registry.close()
    moved = folder.rename(folder.with_name("other"))
    registry = Registry(moved)
    assert open_bundle(registry.latest().bundle).manifest.version == "v1"
    registry.close()


def test_a_bundle_packed_under_another_name(folder: Path) -> None:
    registry = Registry(folder)
    packed(registry.incoming, version="v4")
    with pytest.raises(StateError) as error:
        registry.add(registry.incoming, {})
    assert str(error.value) == (
        f"{registry.incoming}: packed as v4, but the next version of 'my-logs' is v1: another training was faster; "
        "pack it again under that name"
    )
    assert registry.incoming.exists()
    registry.close()


def test_a_damaged_bundle_is_not_added(folder: Path) -> None:
    registry = Registry(folder)
    registry.incoming.write_bytes(b"x")
    with pytest.raises(BundleError):
        registry.add(registry.incoming, {})
    assert registry.all() == []
    registry.close()


def test_a_store_that_refuses_leaves_the_bundle_to_add_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(folder)
    add(registry)
    packed(registry.incoming, version="v2")
    database = sqlite3.connect(folder / ".afield" / "afield.db")
    database.execute("CREATE TRIGGER full BEFORE INSERT ON versions BEGIN SELECT RAISE(ABORT, 'no'); END")
    database.commit()
    with pytest.raises((StateError, TransientError)):
        registry.add(registry.incoming, {})
    database.execute("DROP TRIGGER full")
    database.commit()
    database.close()
    assert registry.add(registry.incoming, {}).name == "v2"
    registry.close()


ADD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bundles import packed
from afield.registry.versions import Registry
registry = Registry(Path(sys.argv[2]))
for _ in range(int(sys.argv[3])):
    with registry.turn():
        packed(registry.incoming, version=registry.next_name(), report=str(registry.next_name()))
        registry.add(registry.incoming, {})
"""


def adding(folder: Path, count: int, armed: str = "") -> subprocess.Popen[bytes]:
    helpers = str(Path(bundles.__file__).parent)
    command = [sys.executable, "-c", ADD, helpers, str(folder), str(count)]
    return subprocess.Popen(command, env=os.environ | {"AFIELD_KILL_AT": armed})


def test_a_kill_between_file_and_row(folder: Path) -> None:
    assert adding(folder, 3, "version filed:2").wait() == -signal.SIGKILL
    registry = Registry(folder)
    assert [version.name for version in registry.all()] == ["v1"]
    assert (folder / ".afield" / "versions" / "v2.afield").exists()
    (folder / ".afield" / "versions" / ".incoming.afield.77.tmp").touch()
    assert add(registry) == "v2"
    files = sorted(file.name for file in (folder / ".afield" / "versions").iterdir())
    assert files == ["v1.afield", "v2.afield"]
    assert open_bundle(registry.latest().bundle).report == '{"accuracy": 0.5}'
    registry.close()


def test_trainings_at_once_take_different_numbers(folder: Path) -> None:
    processes = [adding(folder, 4) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    registry = Registry(folder)
    assert [version.name for version in registry.all()] == [f"v{number}" for number in range(1, 13)]
    for version in registry.all():
        assert open_bundle(version.bundle).manifest.version == version.name
    registry.close()


def test_a_store_by_url(folder: Path, tmp_path: Path) -> None:
    registry = Registry(folder, url=f"sqlite:///{tmp_path}/shared.db")
    add(registry)
    assert not (folder / ".afield" / "afield.db").exists()
    assert registry.latest().bundle.exists()
    registry.close()
