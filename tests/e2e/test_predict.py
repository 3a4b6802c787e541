"""`afield predict` in a pipe: each line is answered as it comes, and a reader that has enough ends it quietly."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Afield = Callable[..., subprocess.CompletedProcess[str]]


def test_a_line_is_answered_before_the_pipe_closes(trained_once: Path) -> None:
    command = [sys.executable, "-m", "afield", "predict", str(trained_once), "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as predicting:
        assert predicting.stdin
        assert predicting.stdout
        for number, line in enumerate(["first line\n", "second line\n", "third\n"], 1):
            predicting.stdin.write(line)
            predicting.stdin.flush()
            assert json.loads(predicting.stdout.readline())["position"] == f"-:{number}"
        predicting.stdin.write("last, without its end")
        predicting.stdin.close()
        assert json.loads(predicting.stdout.readline())["position"] == "-:4"
        assert predicting.stdout.read() == ""
    assert predicting.returncode == 0


def test_answers_do_not_depend_on_how_lines_come(trained_once: Path, afield: Afield) -> None:
    file = trained_once / "data" / "wifi.log"
    by_file = [json.loads(line) for line in afield("predict", trained_once, file).stdout.splitlines()]
    by_pipe = [
        json.loads(line) for line in afield("predict", trained_once, "-", input=file.read_text()).stdout.splitlines()
    ]
    assert len(by_file) == len(by_pipe) == 2000
    assert [answer["prediction"] for answer in by_file] == [answer["prediction"] for answer in by_pipe]
    probabilities = [answer["probability"] for answer in by_pipe]
    assert [answer["probability"] for answer in by_file] == pytest.approx(probabilities, rel=1e-4)


@pytest.mark.parametrize("arguments", [["predict", "FOLDER", "FOLDER/data"], ["report", "FOLDER"], ["schema"]])
def test_a_reader_that_has_enough(trained_once: Path, arguments: list[str]) -> None:
    words = [argument.replace("FOLDER", str(trained_once)) for argument in arguments]
    with subprocess.Popen(
        [sys.executable, "-m", "afield", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as writing:
        assert writing.stdout
        assert writing.stderr
        assert writing.stdout.readline()
        writing.stdout.close()
        assert writing.stderr.read() == ""
        assert writing.wait(timeout=60) in (0, 1)


def test_a_bundle_answers_alone(trained: Path, afield: Afield, tmp_path: Path) -> None:
    bundle = Path((trained / ".afield" / "versions" / "v1.afield").rename(tmp_path / "moved.afield"))
    file = trained / "data" / "auth.log"
    assert len(afield("predict", bundle, file).stdout.splitlines()) == 2000
    refused = afield("predict", bundle, file, "--version", "v1", code=2)
    assert refused.stderr == (
        f"afield: error: {bundle}: is a bundle, which holds one version; name a use case's folder with --version\n"
    )


def test_several_files_at_once(trained_once: Path, afield: Afield) -> None:
    data = trained_once / "data"
    by_glob = afield("predict", trained_once, data / "[im]*l.log").stdout.splitlines()
    assert len(by_glob) == 4000
    assert json.loads(by_glob[0])["position"] == f"{data}/install.log:1"
    assert json.loads(by_glob[-1])["position"] == f"{data}/mail.log:2000"
