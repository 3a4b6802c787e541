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
from afield.runtime.state import RunState
from afield.store import store as store_module
from afield.store.schema import audit, form, positions, versions
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
        f"{tmp_path}/.afield/afield.db: made by a newer Afield (form 7, this one knows up to 2); upgrade Afield"
    )


# As the first form of the store made them.
FORM_1 = """
CREATE TABLE form (version INTEGER NOT NULL);
CREATE TABLE versions (number INTEGER NOT NULL, name VARCHAR(32) NOT NULL, created VARCHAR(32) NOT NULL,
    bundle VARCHAR(1024) NOT NULL, sha256 VARCHAR(64) NOT NULL, accuracy FLOAT, summary JSON NOT NULL,
    PRIMARY KEY (number), UNIQUE (name));
CREATE TABLE audit (id INTEGER NOT NULL, at VARCHAR(32) NOT NULL, actor VARCHAR(255) NOT NULL,
    action VARCHAR(64) NOT NULL, version VARCHAR(32), detail JSON NOT NULL, PRIMARY KEY (id));
CREATE TABLE positions (use_case VARCHAR(255) NOT NULL, stream VARCHAR(4096) NOT NULL, cursor VARCHAR NOT NULL,
    PRIMARY KEY (use_case, stream));
CREATE TABLE sinks (use_case VARCHAR(255) NOT NULL, sink VARCHAR(255) NOT NULL, mark VARCHAR NOT NULL,
    PRIMARY KEY (use_case, sink));
CREATE TABLE counters (use_case VARCHAR(255) NOT NULL, name VARCHAR(255) NOT NULL, value BIGINT NOT NULL,
    PRIMARY KEY (use_case, name));
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit record is only ever added to'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit record is only ever added to'); END;
INSERT INTO form VALUES (1);
INSERT INTO versions VALUES (1, 'v1', '2026-01-02T03:04:05Z', 'versions/v1.afield', 'ab', 0.5, '{"rows": 7}');
INSERT INTO audit VALUES (1, '2026-01-02T03:04:05Z', 'ada', 'add', 'v1', '{}');
INSERT INTO positions VALUES ('u', 's', '12');
INSERT INTO sinks VALUES ('u', 'jsonl:answers', 'm3');
INSERT INTO counters VALUES ('u', 'answered', 34);
"""


def test_a_store_of_the_first_form_is_upgraded_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / ".afield").mkdir()
    connection = raw(tmp_path)
    connection.executescript(FORM_1)
    connection.close()
    for _ in range(2):
        store = open_store(tmp_path)
        state = RunState(store, "u")
        assert (state.positions(), state.marks()) == ({"s": "12"}, {"jsonl:answers": "m3"})
        assert state.counters() == {"answered": 34}
        with store.reading() as reading:
            assert reading.execute(select(versions.c.name, versions.c.summary)).all() == [("v1", {"rows": 7})]
            assert reading.execute(select(audit.c.actor)).scalars().all() == ["ada"]
            assert reading.execute(select(form.c.version)).scalars().all() == [2]
        store.close()
    store = open_store(tmp_path)
    state = RunState(store, "u")
    assert state.carry("v1") is None
    state.commit({}, {}, carry=("v1", b"rows"))
    assert state.carry("v1") == b"rows"
    store.close()


def test_an_upgraded_store_has_the_form_of_a_new_one(tmp_path: Path) -> None:
    for name, script in (("old", FORM_1), ("new", "")):
        (tmp_path / name / ".afield").mkdir(parents=True)
        connection = raw(tmp_path / name)
        connection.executescript(script)
        connection.close()
        open_store(tmp_path / name).close()
    found = []
    for name in ("old", "new"):
        connection = raw(tmp_path / name)
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {
            table: connection.execute(f"SELECT * FROM pragma_table_info('{table}')").fetchall() for table in tables
        }
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name").fetchall()
        found.append((columns, triggers))
        connection.close()
    assert found[0] == found[1]


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
