"""The verdict on a question, and what use cases and targets mean to an exploration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from afield.errors import DataError, UseCaseError
from afield.explore.exploring import explore
from afield.gallery.copying import start
from afield.report.model.exploration import Signal

Rule = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def signal_of(folder: Path, rule: Rule, rows: int = 1500) -> Signal:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(rows, 4))
    answers = rule(numbers, rng)
    lines = [
        ",".join([*(f"{value:.4f}" for value in row), str(answer)])
        for row, answer in zip(numbers, answers, strict=True)
    ]
    path = folder / "t.csv"
    path.write_text("\n".join(["a,b,c,d,y", *lines]) + "\n")
    found = explore(path, "y").document.signal
    assert found is not None
    return found


def named(truth: np.ndarray) -> np.ndarray:
    return np.where(truth, "yes", "no")


@pytest.mark.parametrize(
    ("rule", "answer", "metric"),
    [
        (lambda x, rng: named(rng.random(len(x)) < 0.5), "no signal", "accuracy"),
        (lambda x, rng: named(rng.random(len(x)) < 0.1), "no signal", "AUC"),
        (
            lambda x, rng: named(x[:, 0] + x[:, 1] > 0.5 * rng.normal(size=len(x))),
            "a linear rule does it",
            "accuracy",
        ),
        (lambda x, rng: named(x[:, 0] + x[:, 1] + rng.normal(size=len(x)) > 2.2), "a linear rule does it", "AUC"),
        (lambda x, rng: named(x[:, 0] * x[:, 1] > 0), "worth a network", "accuracy"),
        (lambda x, rng: rng.normal(size=len(x)), "no signal", "R2"),
        (lambda x, rng: 3 * x[:, 0] - x[:, 1] + rng.normal(size=len(x)), "a linear rule does it", "R2"),
        (lambda x, rng: x[:, 0] * x[:, 1] + 0.2 * rng.normal(size=len(x)), "worth a network", "R2"),
    ],
)
def test_answers(tmp_path: Path, rule: Rule, answer: str, metric: str) -> None:
    found = signal_of(tmp_path, rule)
    assert (found.answer, found.metric) == (answer, metric)
    assert found.sentence.lower().startswith(answer)
    assert [point.rows for point in found.curve] == sorted(point.rows for point in found.curve)
    assert len(found.curve) == 3
    for one in found.contenders:
        assert one.interval is None or one.interval[0] <= one.score <= one.interval[1]


def test_more_rows_would_help(tmp_path: Path) -> None:
    found = signal_of(tmp_path, lambda x, rng: named(np.sin(3 * x[:, 0]) * x[:, 1] + x[:, 2] * x[:, 3] > 0))
    assert "More rows would help" in found.sentence
    done = signal_of(tmp_path, lambda x, rng: named(x[:, 0] > 0.5 * rng.normal(size=len(x))), rows=4000)
    assert "More rows like these would hardly help" in done.sentence


def test_text_beside_numbers_is_read(tmp_path: Path) -> None:
    words = ["the disk of the host is full", "the link to the peer went down", "a user logged in from afar"]
    lines = [f"{n % 7},{words[n % 3]} after {n} minutes and {n * 31 % 97} tries,{'abc'[n % 3]}" for n in range(300)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["x,said,y", *lines]) + "\n")
    found = explore(path, "y").document
    assert found.signal is not None
    assert found.signal.columns == ["x", "said"]
    assert found.signal.contenders[1].score == 1.0


def test_a_use_case_brings_its_label_and_split(tmp_path: Path) -> None:
    start("titanic", tmp_path / "case")
    found = explore(tmp_path / "case").document
    assert (found.target, found.kind) == ("survived", "classify")
    assert [one.columns for one in found.findings if one.kind == "leakage"] == [["alive"]]
    assert found.files == ["data/titanic.csv"]


def test_images_are_read_by_the_step_of_the_use_case(tmp_path: Path) -> None:
    start("digits", tmp_path / "case")
    found = explore(tmp_path / "case").document
    assert found.signal is not None
    assert found.signal.columns == ["image"]
    assert found.signal.contenders[1].score > 0.9


def test_windows_have_no_verdict(tmp_path: Path) -> None:
    start("faults", tmp_path / "case")
    assert explore(tmp_path / "case").document.signal is None


def test_targets(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{n % 3},{n / 7:.3f},{n % 2}.0,{'a;b' if n % 2 else 'b'},same,," for n in range(60)]
    path.write_text("\n".join(["few,value,half,tags,one,none,", *rows]) + "\n")
    kinds = {name: explore(path, name).document.kind for name in ("few", "value", "half", "tags")}
    assert kinds == {"few": "classify", "value": "regress", "half": "classify", "tags": "tag"}
    for name, error, message in [
        ("tagz", UseCaseError, "--target tagz: t.csv has no such column; did you mean 'tags'?"),
        (
            "zzz",
            UseCaseError,
            "--target zzz: t.csv has no such column; there are few, value, half, tags, one, none, column_7",
        ),
        (
            "one",
            DataError,
            "one: all 60 rows are of one class, 'same'; expected at least two: name another column with --target, or "
            "add rows of another class",
        ),
        ("none", DataError, "none: no row has an answer; name another column with --target"),
    ]:
        with pytest.raises(error) as refused:
            explore(path, name)
        assert str(refused.value) == message


@pytest.mark.parametrize(
    ("split", "copies"),
    [("{test: 0.25}", True), ("{by: group, group: masked_text}", False), ("{by: file, test_files: 'b.*'}", False)],
)
def test_duplicates_go_by_the_split_of_the_use_case(tmp_path: Path, split: str, copies: bool) -> None:
    start("logs", tmp_path / "case")
    for file in (tmp_path / "case" / "data").iterdir():
        file.unlink()
    for name, word in (("a.log", "disk"), ("b.log", "link"), ("c.log", "user")):
        lines = "".join(f"{word} {'x' * (n % 20 + 1)} number {n}\n" for n in range(200))
        (tmp_path / "case" / "data" / name).write_text(lines)
    found = explore(tmp_path / "case", overrides=[f"train.split={split}"]).document.findings
    assert ("duplicates" in [one.kind for one in found]) is copies
