"""One run of a use case at a time."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from rights import bound_by_modes

from afield.errors import StateError
from afield.lock import use_case_lock

HOLD = """
import sys
from pathlib import Path
from afield.lock import use_case_lock
with use_case_lock(Path(sys.argv[1]), "run"):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_told_who_holds_it(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(StateError) as error, use_case_lock(tmp_path, "run"):
            pass
        assert str(error.value) == (
            f"{tmp_path}: `afield run` of this use case runs already, as process {process.pid} on "
            f"{socket.gethostname()}; stop it first, or use a copy of the folder"
        )
        with use_case_lock(tmp_path, "train"):
            pass
        process.communicate("")
    with use_case_lock(tmp_path, "run"):
        pass


def test_a_killed_holder_blocks_nobody(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.kill()
    with use_case_lock(tmp_path, "run"):
        pass


def test_a_holder_without_a_name_yet(tmp_path: Path) -> None:
    with use_case_lock(tmp_path, "run"):
        (tmp_path / ".afield" / "run.holder").write_text("{")
        with pytest.raises(StateError, match="runs already, as a process that has not named itself yet; stop it first"):
            with use_case_lock(tmp_path, "run"):
                pass


def test_an_error_inside_is_not_touched_and_frees_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="mine"), use_case_lock(tmp_path, "run"):
        raise OSError("mine")
    with use_case_lock(tmp_path, "run"):
        pass


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(StateError) as error, use_case_lock(tmp_path / "no", "run"):
        pass
    assert str(error.value) == f"{tmp_path}/no/.afield: cannot be written: No such file or directory"


def test_no_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with bound_by_modes(), pytest.raises(StateError) as error, use_case_lock(tmp_path, "run"):
        pass
    assert str(error.value) == (
        f"{tmp_path}/.afield: no permission to write here; check the owner and the mode of {tmp_path}"
    )
