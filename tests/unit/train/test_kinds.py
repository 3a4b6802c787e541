"""Every kind of question from records to a version that answers: trained, judged, packed, opened again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import afield
from afield.bundle import open_bundle
from afield.bundle.examples import EXAMPLE, EXPECTED

USE_CASE = """
name: t
source: {files: {path: data}}
question: QUESTION
preprocess: [{table: {exclude: [node, minute]}}WINDOW]
model: {network: [flatten, {dense: {units: 8, activation: relu}}, {dense: LAST}]}
train: {epochs: 2, split: SPLIT}
"""
ROWS = 240
random = np.random.default_rng(0)
TABLE = pa.table(
    {
        "a": random.normal(size=ROWS),
        "b": random.choice(["u", "v", "w"], ROWS),
        "node": [f"n{row % 3}" for row in range(ROWS)],
        "minute": [float(row // 3) for row in range(ROWS)],
    }
)
A = TABLE["a"].to_numpy()


def trained(folder: Path, labels: Any, question: str, last: str, window: str = "", split: str = "{}") -> afield.Version:
    text = USE_CASE.replace("QUESTION", question).replace("LAST", last)
    (folder / "usecase.yaml").write_text(text.replace("WINDOW", window).replace("SPLIT", split))
    (folder / "data").mkdir()
    return afield.load(folder).train(TABLE, labels)


def test_one_class_of_two(tmp_path: Path) -> None:
    labels = np.where(A > 0, "hi", "lo").tolist()
    version = trained(tmp_path, labels, "{positive: hi, cut: best_f1}", "{units: 1, activation: sigmoid}")
    report = version.report
    assert (report.classes, report.binary.positive) == (["lo", "hi"], "hi")
    answers = version.predict(TABLE)
    assert answers.column_names == ["prediction", "probability", "version"]
    cut = report.binary.cut.value
    said = answers["probability"].to_numpy()
    second = np.where(np.array(answers["prediction"].to_pylist()) == "hi", said, 1 - said)
    assert ((second >= cut - 1e-6) >= (np.array(answers["prediction"].to_pylist()) == "hi")).all()


def test_tags(tmp_path: Path) -> None:
    labels = ["; ".join(name for name, has in (("hot", a > 0), ("far", abs(a) > 1)) if has) or ";" for a in A]
    version = trained(tmp_path, labels, "{kind: tag}", "{units: classes, activation: sigmoid}")
    assert version.report.classes == ["far", "hot"]
    assert set(version.predict(TABLE)["prediction"].to_pylist()) <= {"", "far", "hot", "far;hot"}


def test_values(tmp_path: Path) -> None:
    version = trained(tmp_path, (1000 + 20 * A).tolist(), "{kind: regress, unit: kg}", "{units: 1}")
    assert version.report.metric == "R2"
    answers = version.predict(TABLE)
    assert answers.column_names == ["prediction", "version"]
    # A network that has hardly learned lies near the mean, since it learns in standard deviations from it.
    assert np.abs(answers["prediction"].to_numpy() - 1000).max() < 100


@pytest.mark.parametrize("labels", [None, ["fault" if row % 12 == 0 else "ok" for row in range(ROWS)]])
def test_what_is_abnormal(tmp_path: Path, labels: list[str] | None) -> None:
    version = trained(tmp_path, labels, "{kind: abnormal, normal: ok, alarms: 0.05}", "{units: inputs}")
    report = version.report
    assert (report.abnormal.known is None) == (labels is None)
    answers = version.predict(TABLE)
    alarms = np.array(answers["prediction"].to_pylist()) == "abnormal"
    np.testing.assert_array_equal(alarms, answers["score"].to_numpy() > report.abnormal.cut)
    assert len(report.baselines) == (labels is not None)


def test_windows(tmp_path: Path) -> None:
    labels = np.where(A > 0, "hi", "lo").tolist()
    window, split = ", {window: {length: 4, key: node, time: minute}}", "{by: time, time: minute}"
    version = trained(tmp_path, labels, "{}", "{units: classes, activation: softmax}", window, split)
    answers = version.predict(TABLE)
    assert answers.num_rows == ROWS - 3 * 3
    examples = open_bundle(version.bundle).examples
    assert set(examples[EXAMPLE].to_pylist()) == {0, 1, 2, 3}
    assert [row % 4 == 3 for row in range(16)] == [text is not None for text in examples[EXPECTED].to_pylist()]
    # What holds no label and no column of Afield's own is what the steps read, and no more.
    assert examples.column_names[:4] == ["a", "b", "node", "minute"]
