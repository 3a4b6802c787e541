"""Where compiled kernels are kept, and when they are compiled anew."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from limited import limited

FOLDER = "from afield.kernels import cache_folder; print(cache_folder())"
SOURCE = """
from numba import types
from afield.kernels import kernel
from part import plus

@kernel(types.int64)
def work(value):
    return plus(value)

print(work(1), sum(work.stats.cache_hits.values()))
"""
PART = """
from afield.kernels import helper

@helper
def plus(value):
    return value + {amount}
"""


def python(*arguments: str, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "XDG_"))}
    found = subprocess.run(
        [sys.executable, *arguments], env=kept | environment, capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


def test_kernels_are_kept_in_the_cache_folder_of_the_user(tmp_path: Path) -> None:
    folder = Path(python("-c", FOLDER, XDG_CACHE_HOME=str(tmp_path)))
    assert folder == tmp_path / "afield" / "numba"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_without_a_cache_folder_they_are_kept_under_the_temporary_folder(tmp_path: Path) -> None:
    found = [Path(python("-c", FOLDER, XDG_CACHE_HOME="/dev/null", TMPDIR=str(tmp_path))) for _ in range(2)]
    assert found == [tmp_path / f"afield-numba-{os.getuid()}"] * 2
    assert found[0].stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path: Path) -> None:
    planted = tmp_path / f"afield-numba-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    found = Path(python("-c", FOLDER, XDG_CACHE_HOME="/dev/null", TMPDIR=str(tmp_path)))
    assert found.parent == tmp_path
    assert found != planted


def test_a_kernel_is_compiled_once_and_again_when_a_part_of_it_changes(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(SOURCE)
    (tmp_path / "part.py").write_text(PART.format(amount=1))
    run = [python(str(tmp_path / "main.py"), XDG_CACHE_HOME=str(tmp_path)) for _ in range(2)]
    assert run == ["2 0", "2 1"]
    (tmp_path / "part.py").write_text(PART.format(amount=2))
    assert python(str(tmp_path / "main.py"), XDG_CACHE_HOME=str(tmp_path)) == "3 0"


def test_a_kernel_that_cannot_be_kept_is_compiled_at_each_start(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(SOURCE)
    (tmp_path / "part.py").write_text(PART.format(amount=1))
    for _ in range(2):
        ran = limited(100, "-B", tmp_path / "main.py", XDG_CACHE_HOME=str(tmp_path))
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "2 0\n", "")
