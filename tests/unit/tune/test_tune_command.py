"""`afield tune` as a person runs it."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tunings import FOREST, NETWORK

from afield.report.model import Tuning

Case = Callable[[str], Path]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "afield", *arguments]


def test_json_page_and_the_words_of_a_search(case: Case) -> None:
    folder = case(NETWORK)
    done = subprocess.run(
        command("tune", str(folder), "--trials", "3", "--json", "--html"), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    tuning = Tuning.model_validate_json(done.stdout)
    assert json.loads((folder / ".afield" / "tuning.json").read_text()) == json.loads(done.stdout)
    assert (folder / "tuning.html").read_text().startswith("<!doctype html>")
    assert len(tuning.trials) == 3
    assert "trials 1 to 3 of 3" in done.stderr.splitlines()
    assert f"{folder}/tuning.html: written" in done.stderr.splitlines()


def test_an_interrupted_search_says_how_to_go_on_and_does(case: Case) -> None:
    folder = case(NETWORK.replace("epochs: 4", "epochs: 100000"))
    search = command("tune", str(folder), "--trials", "2", "--schedule", "none")
    with subprocess.Popen(search, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("trials "):
                break
        process.send_signal(signal.SIGINT)
        said = process.stderr.read().splitlines()
    assert process.returncode == 130
    assert [line for line in said if line][-2:] == [
        f"trials that had ended are kept; `afield tune {folder}` goes on",
        "afield: interrupted",
    ]


def test_check_counts_what_is_to_be_searched(case: Case) -> None:
    folder = case(NETWORK)
    done = subprocess.run(command("check", str(folder)), capture_output=True, text=True)
    assert done.stdout == f"{folder}/usecase.yaml: no problems found; 2 values to search: afield tune {folder}\n"
    assert done.returncode == 0


def test_training_a_file_with_searches_is_refused(case: Case) -> None:
    folder = case(FOREST)
    done = subprocess.run(command("train", str(folder)), capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        f"afield: error: {folder}/usecase.yaml:10:18: model.sklearn.RandomForestClassifier.max_depth: a search, not yet"
        f" a value; `afield tune {folder}` finds one, or give it:"
        " --set model.sklearn.RandomForestClassifier.max_depth=VALUE\n"
    )


def test_a_database_that_is_out_of_reach(case: Case) -> None:
    folder = case(FOREST)
    missing = f"sqlite:///{folder}/no/such/folder/a.db"
    done = subprocess.run(command("tune", str(folder), "--storage", missing), capture_output=True, text=True)
    assert done.returncode == 1
    assert f"afield: error: {missing}: the database of the search is out of reach (" in done.stderr


def test_a_search_on_the_command_line_ends_with_a_command_that_trains_the_best(case: Case) -> None:
    folder = case(NETWORK)
    settled = ["--set", "train.epochs=2"]
    search = ["--set", "train.batch_size={search: [16, 32]}"]
    done = subprocess.run(
        command("tune", str(folder), "--trials", "2", *settled, *search), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    start, _, said = done.stdout.splitlines()[-1].partition(": ")
    assert start == "Train with the best values"
    words = shlex.split(said)
    assert words[:3] == ["afield", "train", str(folder)]
    given = dict(word.split("=", 1) for word in words[4::2])
    assert given["train.epochs"] == "2"
    assert given["train.batch_size"] in ("16", "32")
    trained = subprocess.run(command(*words[1:]), capture_output=True, text=True)
    assert trained.returncode == 0, trained.stderr
