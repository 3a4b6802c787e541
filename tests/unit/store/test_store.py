"""The database of a use case."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from rights import bound_by_modes
from sqlalchemy import select

from afield.errors import StateError, TransientError
from afield.store import store as store_module
from afield.store.schema import audit, positions
from afield.store.store import open_store


def raw(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / ".afield" / "afield.db")


def put(store: store_module.Store, cursor: str, stream: str = "s") -> None:
    with store.writing() as connection:
        connection.execute(positions.insert().values(use_case="u", stream=stream, cursor=cursor))


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, "1")
    store.close()
    store = open_store(tmp_path)
    with store.reading() as connection:
        assert connection.execute(select(positions.c.cursor)).scalars().all() == ["1"]
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    store.close()


def test_a_folder_whose_name_looks_like_a_url(tmp_path: Path) -> None:
    folder = tmp_path / "a?b=c %20#x"
    folder.mkdir()
    open_store(folder).close()
    assert (folder / ".afield" / "afield.db").is_file()


def test_by_url(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/x.db")
    put(store, "1")
    store.close()
    assert (tmp_path / "x.db").is_file()


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    row = positions.insert().values(use_case="u", stream="s", cursor="1")
    with pytest.raises(StateError), store.writing() as connection:
        connection.execute(row, [{"stream": "a"}, {"stream": "b"}, {"stream": "a"}])
    with store.reading() as connection:
        assert connection.execute(select(positions)).all() == []
    store.close()


def test_a_newer_form_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    connection = raw(tmp_path)
    with connection:
        connection.execute("UPDATE form SET version = 7")
    connection.close()
    with pytest.raises(StateError) as error:
        open_store(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}/.afield/afield.db: made by a newer Afield (form 7, this one knows up to 1); upgrade Afield"
    )


def test_the_audit_record_cannot_be_changed(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with store.writing() as connection:
        connection.execute(audit.insert().values(at="2026", actor="a", action="add", detail={}))
    for statement in (audit.update().values(actor="b"), audit.delete()):
        with pytest.raises(StateError) as error, store.writing() as connection:
            connection.execute(statement)
        assert str(error.value) == (
            f"{tmp_path}/.afield/afield.db: the database refused: the audit record is only ever added to"
        )
    store.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / ".afield").mkdir()
    (tmp_path / ".afield" / "afield.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StateError) as error:
        open_store(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}/.afield/afield.db: it is not a database; put a saved copy back, or move it away to start anew"
    )


def test_a_busy_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(tmp_path).close()
    monkeypatch.setattr(store_module, "BUSY_SECONDS", 0)
    store = open_store(tmp_path)
    other = raw(tmp_path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TransientError) as error:
        put(store, "1")
    assert str(error.value) == (
        f"{tmp_path}/.afield/afield.db: another process keeps it busy; run again when that has ended"
    )
    with store.reading() as connection:
        assert connection.execute(select(positions)).all() == []
    other.close()
    store.close()


def test_a_full_disk(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, "kept")
    with store.writing() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(TransientError) as error:
        put(store, "x" * 1_000_000, stream="t")
    assert str(error.value) == f"{tmp_path}/.afield/afield.db: the disk is full; make room and run again"
    with store.reading() as connection:
        assert connection.execute(select(positions.c.cursor)).scalars().all() == ["kept"]
    store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "'nonsense' is no URL of a database; expected one such as 'sqlite:////data/afield.db'"),
        ("nodb://me:secret@host/x", "nodb://me:***@host/x: no such kind of database here: "),
    ],
)
def test_a_wrong_url(url: str, message: str) -> None:
    with pytest.raises(StateError) as error:
        open_store(url)
    assert str(error.value).startswith(message)
    assert "secret" not in str(error.value)


def test_no_permission(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    (tmp_path / ".afield").chmod(0o500)
    (tmp_path / ".afield" / "afield.db").chmod(0o400)
    with bound_by_modes(), pytest.raises(StateError, match="check the owner and the mode"):
        put(open_store(tmp_path), "1")


MAKE = """
import sys
from pathlib import Path
from afield.store.schema import positions
from afield.store.store import open_store
store = open_store(Path(sys.argv[1]))
for index in range(50):
    with store.writing() as connection:
        connection.execute(positions.insert().values(use_case="u", stream=f"{sys.argv[2]}-{index}", cursor=""))
"""


def test_processes_that_make_it_at_once_and_write_together(tmp_path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", MAKE, str(tmp_path), str(number)]) for number in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    connection = raw(tmp_path)
    assert connection.execute("SELECT count(*) FROM positions").fetchone() == (200,)
    connection.close()
