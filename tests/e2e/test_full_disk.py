"""Where nothing more can be written: one message, what was stored stays, and the same command works again later."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from limited import limited

from afield.registry.versions import Registry

FEW = ("--set", "model.network.0.dense.units=16", "--set", "train.epochs=1")


@pytest.fixture
def case(trained: Path) -> Path:
    """A trained use case with little data."""
    for file in sorted((trained / "data").iterdir()):
        lines = file.read_text().splitlines(keepends=True)[:60]
        file.write_text("".join(lines))
    return trained


def full(largest: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a command that cannot write files larger than this."""
    return limited(largest, "-m", "afield", *arguments)


def assert_as_before(case: Path, versions: int = 1) -> None:
    registry = Registry(case)
    assert [version.name for version in registry.all()] == [f"v{number}" for number in range(1, versions + 1)]
    registry.close()
    kept = {file.name for file in (case / ".afield" / "versions").iterdir()}
    assert kept == {f"v{number}.afield" for number in range(1, versions + 1)}


def test_a_full_disk_while_the_bundle_is_written(case: Path, afield: Callable[..., object]) -> None:
    room = (case / ".afield" / "versions" / "v1.afield").stat().st_size * 2 // 3
    # The store's files are there and small enough; the new bundle is not.
    ended = full(room, "train", case, *FEW)
    message = ended.stderr.splitlines()[-1]
    assert ended.returncode == 1
    assert message.startswith(f"afield: error: {case}/.afield/versions/incoming.afield: the disk is full; ")
    assert message.endswith("; make room and run again")
    assert "Traceback" not in ended.stderr
    assert_as_before(case)
    again = afield("train", case, *FEW)
    assert "resumed after epoch 1\n" in again.stderr
    assert "epoch 1:" not in again.stderr
    assert_as_before(case, versions=2)


def test_a_full_disk_from_the_start(case: Path) -> None:
    ended = full(0, "train", case, *FEW)
    assert ended.returncode == 1
    assert ended.stderr == f"afield: error: {case}/.afield/train.holder: the disk is full; make room and run again\n"
    assert_as_before(case)


def test_a_full_disk_while_running(case: Path, afield: Callable[..., object]) -> None:
    rows = ("--set", "sink.0.jsonl.rotate.rows=100000")
    ended = full(20_000, "run", case, "--once", *rows)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith(f"afield: error: {case}/")
    assert ended.stderr.endswith("make room and run again\n")
    afield("run", case, "--once", *rows)
    answers = [line for file in (case / "answers").iterdir() for line in file.read_text().splitlines()]
    assert len(answers) == len(set(answers)) == 7 * 60


def without_rights(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a command as a user who may not write where the mode forbids it, which root may."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root may write anywhere, and there is no setpriv here to give that up")
        prefix = ["setpriv", "--bounding-set=-all"]
    command = [*prefix, sys.executable, "-m", "afield", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def protected(case: Path) -> Iterator[Path]:
    """The use case where nobody may write."""
    folders = [case, *(folder for folder in case.rglob("*") if folder.is_dir())]
    for folder in folders:
        folder.chmod(0o500)
    for file in (case / ".afield").glob("*"):
        if file.is_file():
            file.chmod(0o400)
    yield case
    for folder in folders:
        folder.chmod(0o700)


def test_no_permission(protected: Path) -> None:
    for verb in ("train", "run"):
        ended = without_rights(verb, protected)
        assert ended.returncode == 1
        assert ended.stderr.splitlines()[-1] == (
            f"afield: error: {protected}/.afield: no permission to write here;"
            f" check the owner and the mode of {protected}"
        )


def test_a_use_case_that_may_only_be_read_predicts(protected: Path) -> None:
    bundle = protected / ".afield" / "versions" / "v1.afield"
    ended = without_rights("predict", bundle, protected / "data" / "mail.log")
    assert (ended.returncode, ended.stderr, len(ended.stdout.splitlines())) == (0, "", 60)
