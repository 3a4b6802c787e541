"""Files that are whole or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from afield.errors import StateError, TransientError
from afield.files import refusal, replacing, writing


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_of_half_a_file(tmp_path: Path, error: type[BaseException]) -> None:
    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise error

    with pytest.raises(error), replacing(tmp_path / "a") as file:
        fail(file)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_may_pass(tmp_path: Path, number: int) -> None:
    found = refusal(tmp_path / "a", OSError(number, os.strerror(number)))
    assert type(found) is TransientError
    assert str(found) == f"{tmp_path}/a: the disk is full; make room and run again"
    sized = str(refusal(tmp_path / "no" / "a", OSError(number, ""), 12345))
    assert sized.startswith(f"{tmp_path}/no/a: the disk is full; 12,345 bytes are needed, ")
    assert sized.endswith(" are free; make room and run again")


def test_no_permission_does_not_pass(tmp_path: Path) -> None:
    with pytest.raises(StateError) as error, writing(tmp_path / "a"):
        raise PermissionError(errno.EACCES, "Permission denied")
    assert str(error.value) == (
        f"{tmp_path}/a: no permission to write here; check the owner and the mode of {tmp_path}"
    )


def test_a_file_where_a_folder_must_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(StateError) as error, writing(tmp_path / "a"):
        (tmp_path / "a").mkdir()
    assert str(error.value) == f"{tmp_path}/a: cannot be written: File exists"
