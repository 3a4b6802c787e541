"""A network that writes, from the lines of a file to its bundle: learned, judged with its state carried, packed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

import afield
from afield.bundle import open_bundle
from afield.bundle.examples import EXPECTED
from afield.case import Version
from afield.cli import afield as command
from afield.runtime.predictor import Predictor
from afield.runtime.writing import Writer
from afield.train.base import Unwatched
from afield.train.dataset import build
from afield.train.judging.texts import foretold
from afield.train.records import labelled
from afield.usecase.load import load

LINE = "over and over."
USE_CASE = """
question: {kind: write, length: 30, temperature: 0.5}
source:
  files: {path: data, format: lines}
preprocess:
  - characters: {window: 20, stride: 5}
model:
  network:
    - embedding: {input_dim: classes, output_dim: 6}
    - lstm: {units: 16, return_sequences: true}
    - dropout: {rate: 0.1}
    - dense: {units: classes, activation: softmax}
train:
  split: {test: 0.1, validation: 0.1}
  batch_size: 16
  epochs: 8
  optimizer: {adam: {learning_rate: 0.02}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A use case of a text that says the same again and again."""
    folder = tmp_path_factory.mktemp("writer") / "refrain"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "text.txt").write_text(f"{LINE}\n" * 300)
    (folder / "usecase.yaml").write_text(USE_CASE)
    return folder


@pytest.fixture(scope="module")
def version(folder: Path) -> Version:
    return afield.load(folder).train()


def test_what_repeats_is_learned(version: Version) -> None:
    report = version.report
    language = report.language
    assert language is not None
    assert (report.kind, report.metric, report.classes) == ("write", "bits a character", [])
    assert report.score == language.test.bits == pytest.approx(language.test.nats / math.log(2))
    assert language.test.nats < 0.1
    assert language.test.perplexity == pytest.approx(math.exp(language.test.nats))
    assert language.test.accuracy is not None
    assert language.test.accuracy > 0.97
    assert language.validation is not None
    assert language.alphabet == len(set(LINE)) + 1
    assert report.parts.test.rows - 1 == language.test.characters
    assert [baseline.name for baseline in report.baselines] == ["character frequencies", "n-grams"]
    assert all(epoch.validation_loss is not None for epoch in report.history)
    assert report.history[-1].loss < report.history[0].loss


def test_samples_of_what_it_writes(version: Version) -> None:
    language = version.report.language
    assert language is not None
    assert [sample.temperature for sample in language.samples] == [0.5, 0.8, 1.0]
    for sample in language.samples:
        assert len(sample.start) == 20
        assert sample.text
    assert f"{LINE}\n{LINE}\n" in language.samples[0].text


def test_the_bundle_carries_starts_and_what_follows_them(version: Version) -> None:
    bundle = open_bundle(version.bundle)
    assert bundle.manifest.kind == "write"
    assert [one.form for one in bundle.manifest.inputs] == ["dense", "state", "state"]
    rows = bundle.examples.to_pylist()
    assert 1 <= len(rows) <= 8
    assert all(LINE in row["text"] + row[EXPECTED] for row in rows)


def test_what_is_foretold_is_the_probability_of_each_character(folder: Path, version: Version) -> None:
    loaded = load(folder)
    predictor = Predictor(version.bundle)
    table = pa.table({"text": [LINE] * 40})
    data = build(labelled(table, None, loaded.model.question), loaded.model, Unwatched())
    assert data.text is not None
    ids = data.text.test[:50]
    carried = foretold(predictor.session, ids)
    answers, _ = predictor.session.carried(ids[None, :-1])
    np.testing.assert_allclose(carried[:, 0], -np.log(answers[0, np.arange(len(ids) - 1), ids[1:]]), rtol=1e-4)
    assert carried[:, 1].mean() > 0.9


def test_records_are_continued(version: Version) -> None:
    answers = version.predict(["over and", "ov"])
    assert answers.column_names == ["prediction", "nats", "version"]
    first, second = answers["prediction"].to_pylist()
    assert (len(first), len(second)) == (30, 30)
    assert first.startswith(" over.\nover")
    assert second.startswith("er and over.\n")


def test_written_on_the_command_line(folder: Path, version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ["write", str(folder), "--start", "over and", "--length", "12"]
    shown = CliRunner().invoke(command, asked)
    assert (shown.exit_code, shown.output) == (0, "over and over.\nover \n")
    told = json.loads(CliRunner().invoke(command, [*asked, "--json", "--seed", "3", "--temperature", "0"]).output)
    assert told == {
        "start": "over and",
        "text": " over.\nover ",
        "temperature": 0.0,
        "seed": 3,
        "version": version.name,
    }
    lengths: list[int] = []
    monkeypatch.setattr(
        Writer, "characters", lambda _, start, length, temperature, seed: lengths.append(length) or iter("x")
    )
    CliRunner().invoke(command, ["write", str(version.bundle)])
    assert lengths == [30]
