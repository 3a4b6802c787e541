"""The spool: durable, in order, bounded; a torn end is cut off, damage is said."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from afield.connectors.spool.base import Message
from afield.connectors.spool.spool import FILE, Spool
from afield.errors import DataError, StateError

LIMIT = 10**9


def messages(first: int, count: int, size: int = 0) -> list[Message]:
    return [Message(b"message %d " % number + b"x" * size, "here") for number in range(first, first + count)]


def payloads(spool: Spool, after: int = 0) -> list[bytes]:
    return [stored.payload for stored in spool.read(after, 10**6)]


def test_numbers_grow_over_restarts_whatever_is_forgotten(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", LIMIT)
    assert spool.append(messages(0, 3)) == 3
    assert [stored.sequence for stored in spool.read(1, 10)] == [2, 3]
    assert spool.read(0, 2)[1].origin == "here"
    spool.forget(3)
    spool.close()
    again = Spool(tmp_path / "s", LIMIT)
    assert again.stream == spool.stream
    assert again.stream.startswith("s-")
    assert payloads(again) == []
    assert again.append(messages(3, 1)) == 4
    again.close()


def test_only_one_process_has_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path, LIMIT)
    with pytest.raises(StateError, match=r"another process has this spool open; stop it first"):
        Spool(tmp_path, LIMIT)
    spool.close()
    spool.close()
    Spool(tmp_path, LIMIT).close()


def test_a_message_with_the_same_name_and_payload_is_kept_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, LIMIT)
    one, other = Message(b"a", identity="1"), Message(b"b", identity="1")
    assert spool.append([one, one, other, Message(b"a"), Message(b"a")]) == 4
    spool.forget(4)
    assert spool.append([one, other]) == 4
    spool.close()
    spool = Spool(tmp_path, LIMIT)
    assert spool.append([one, Message(b"a", identity="2")]) == 5
    spool.close()


def test_a_full_spool_takes_nothing_until_something_is_forgotten(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1_000_000)
    count = 0
    while spool.append(messages(count, 10, 1000)) is not None:
        count += 10
    assert 700 < count < 1000
    assert len(payloads(spool)) == count
    spool.forget(count // 2)
    while spool.append(messages(count, 10, 1000)) is not None:
        count += 10
    assert (tmp_path / FILE).stat().st_size < 1_200_000
    spool.forget(count)
    assert spool.append([Message(b"x" * 2_000_000)]) == count + 1
    spool.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from afield.connectors.spool.base import Message
from afield.connectors.spool.spool import Spool
spool = Spool(Path(sys.argv[1]), 10**9)
for number in range(20):
    print(spool.append([Message(b"message %d " % number + b"x" * 100)]), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A spool whose process was killed after 20 appends, so that its log stands beside it."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "s")], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split()[-1] == "20"
    return tmp_path / "s"


def test_what_was_appended_outlives_a_kill(killed: Path) -> None:
    spool = Spool(killed, LIMIT)
    assert len(payloads(spool)) == 20
    spool.close()


def test_a_torn_end_is_cut_off(killed: Path) -> None:
    log = killed / f"{FILE}-wal"
    log.write_bytes(log.read_bytes()[:-700])
    spool = Spool(killed, LIMIT)
    assert len(payloads(spool)) == 19
    assert spool.append(messages(19, 1)) == 20
    spool.close()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_damage_in_the_middle_of_the_log_is_said_at_each_start(share: float, killed: Path) -> None:
    log = killed / f"{FILE}-wal"
    data = bytearray(log.read_bytes())
    data[int(len(data) * share) + 20] ^= 1
    log.write_bytes(data)
    for _ in range(2):
        with pytest.raises(DataError, match=rf"{FILE}-wal: damaged at byte \d+; put back a copy"):
            Spool(killed, LIMIT)


def test_a_damaged_message_is_said_and_not_skipped(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", LIMIT)
    spool.append(messages(0, 100, 100))
    spool.close()
    path = tmp_path / "s" / FILE
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"message 50 x", b"message 50 y"))
    spool = Spool(tmp_path / "s", LIMIT)
    with pytest.raises(DataError, match=r"messages.sqlite: message 51 is not as it was written; put back a copy"):
        payloads(spool)
    spool.close()
    path.write_bytes(b"x" * len(whole))
    with pytest.raises(DataError, match=r"messages.sqlite: file is not a database; put back"):
        Spool(tmp_path / "s", LIMIT)
    shutil.rmtree(tmp_path / "s")
    Spool(tmp_path / "s", LIMIT).close()
