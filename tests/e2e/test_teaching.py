"""`afield teach` and `afield adapt`: a new state, and a new network, without training."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Afield = Callable[..., subprocess.CompletedProcess[str]]

COUNTERS = 8
EFFECTS = {
    "normal": np.ones(COUNTERS),
    "down": np.array([0.1, 0.1, 1, 1, 1, 1, 1, 1]),
    "storm": np.array([1, 1, 8, 1, 1, 1, 1, 1]),
    "leak": np.array([1, 1, 1, 1, 1, 1, 0.2, 6]),
}
"""State -> what it makes of each counter; `leak` is never trained on."""

CASE = """
question: {kind: classify}
source:
  files: {path: data/known.parquet, format: parquet, label: label}
preprocess:
  - table: {numbers: robust}
model:
  siamese:
    layers:
      - dense: {units: 32, activation: relu}
      - dense: {units: 4}
      - batch_normalization
    mining: semi_hard
    margin: 1
    virtual_states: 16
    triplets: 3200
train: {batch_size: 32, epochs: 4}
trigger: [on_arrival]
sink: [{jsonl: {path: answers}}]
"""


def counted(states: list[str], rows: int, seed: int, size: float = 1.0) -> pa.Table:
    """Counters of each state; those of a larger network are so many times as large."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(states, rows)
    rates = 100 * size * np.arange(1, COUNTERS + 1) * np.array([EFFECTS[state] for state in labels])
    values = rng.poisson(rates * rng.lognormal(0, 0.05, rates.shape)).astype(np.float32)
    columns = {f"counter{number}": values[:, number] for number in range(COUNTERS)}
    return pa.table(columns | {"label": pa.array(labels)})


@pytest.fixture(scope="module")
def taught_once(afield: Afield, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teaching") / "case"
    (folder / "data").mkdir(parents=True)
    (folder / "usecase.yaml").write_text(CASE)
    pq.write_table(counted(["normal", "down", "storm"], 300, 0), folder / "data" / "known.parquet")
    pq.write_table(counted(["leak"], 5, 1), folder / "leak.parquet")
    pq.write_table(counted(["normal"], 20, 2, size=5), folder / "larger.parquet")
    pq.write_table(counted(["normal"], 20, 3), folder / "own.parquet")
    afield("train", folder)
    return folder


@pytest.fixture
def case(taught_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(taught_once, tmp_path / "case"))


def predicted(afield: Afield, folder: Path, table: pa.Table) -> list[str]:
    file = folder.parent / "asked.parquet"
    pq.write_table(table.drop_columns(["label"]), file)
    return [json.loads(line)["prediction"] for line in afield("predict", folder, file).stdout.splitlines()]


def share(answers: list[str], name: str) -> float:
    return answers.count(name) / len(answers)


def test_a_taught_state_is_answered_and_the_others_stay(case: Path, afield: Afield) -> None:
    assert share(predicted(afield, case, counted(["leak"], 100, 4)), "leak") == 0
    done = afield("teach", case, "--label", "leak", "--from", case / "leak.parquet", "--json")
    assert json.loads(done.stdout) == {"version": "v2", "of": "v1", "label": "leak", "examples": 5}
    assert share(predicted(afield, case, counted(["leak"], 100, 4)), "leak") >= 0.95
    known = counted(["normal", "down", "storm"], 100, 5)
    right = np.array(predicted(afield, case, known)) == np.array(known["label"].to_pylist())
    assert right.mean() >= 0.95
    report = json.loads(afield("report", case, "--json").stdout)
    assert any("'leak' was taught from 5 examples to v1" in warning for warning in report["warnings"])


def test_one_row_teaches_too_and_a_name_is_learned_anew(case: Path, afield: Afield) -> None:
    said = afield("teach", case, "--label", "leak", "--from", f"{case / 'leak.parquet'}:2-2").stdout
    assert said == "v2: v1 with 'leak', taught from 1 example\n"
    said = afield("teach", case, "--label", "leak", "--from", case / "leak.parquet").stdout
    assert said == "v3: v2 with 'leak', taught from 5 examples\n"
    assert share(predicted(afield, case, counted(["leak"], 100, 4)), "leak") >= 0.95


def test_what_cannot_teach(case: Path, afield: Afield) -> None:
    many = case / "many.parquet"
    pq.write_table(counted(["leak"], 11, 6), many)
    empty = case / "empty.parquet"
    pq.write_table(counted(["leak"], 11, 6).slice(0, 0), empty)
    for label, file, message in (
        ("leak", many, "a state is taught from 1 to 10 examples, found 11; name fewer rows as FILE:FIRST-LAST"),
        ("leak", empty, "expected at least one example, found no records"),
        ("unknown", many, "--label: expected the name of a state, found 'unknown'"),
    ):
        assert message in afield("teach", case, "--label", label, "--from", file, code=1).stderr
    assert not (case / ".afield" / "versions" / "v2.afield").exists()


def test_a_version_without_known_states_is_not_taught(trained: Path, afield: Afield) -> None:
    file = trained / "data" / "wifi.log"
    said = afield("teach", trained, "--label", "x", "--from", f"{file}:1-3", code=1).stderr
    assert "v1 does not answer by known states; a model `siamese` does" in said


def test_a_larger_network_is_adapted_to_and_left_again(case: Path, afield: Afield) -> None:
    larger = counted(["normal", "down", "storm"], 100, 7, size=5)
    labels = np.array(larger["label"].to_pylist())
    before = (np.array(predicted(afield, case, larger)) == labels).mean()
    done = afield("adapt", case, "--normal", case / "larger.parquet", "--json")
    assert json.loads(done.stdout)["examples"] == 20
    after = (np.array(predicted(afield, case, larger)) == labels).mean()
    assert before < 0.7
    assert after >= 0.95
    # A taught state is known to the version as any other.
    afield("teach", case, "--label", "leak", "--from", case / "leak.parquet", "--version", "v1")
    afield("adapt", case, "--normal", case / "larger.parquet", "--version", "v3")
    assert share(predicted(afield, case, counted(["leak"], 100, 8, size=5)), "leak") >= 0.95
    afield("adapt", case, "--normal", case / "own.parquet", "--version", "v2")
    own = counted(["normal", "down", "storm"], 100, 9)
    again = (np.array(predicted(afield, case, own)) == np.array(own["label"].to_pylist())).mean()
    assert again >= 0.95


def test_an_unknown_normal_state(case: Path, afield: Afield) -> None:
    said = afield("adapt", case, "--normal", case / "own.parquet", "--state", "calm", code=1).stderr
    assert "--state: v1 knows no state 'calm'; it knows down, normal, storm" in said
