"""What `mask` covers stays out of everything that training stores, and all else of a text is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import afield
from afield.bundle import open_bundle
from afield.report import Report

USE_CASE = """
question: {kind: classify}
source: {files: {path: data, label: file_name}}
preprocess: [{text: {mask: [MASKS]}}]
model: {network: [{dense: {units: 4, activation: relu}}, {dense: {units: classes, activation: softmax}}]}
train: {epochs: 1}
"""
SECRETS = ("1234567", "10.77.66.55", "deadbee77", "jane.roe@example.org")


def trained(folder: Path, masks: str) -> tuple[Path, pa.Table, Report]:
    """A version that cannot be right: the labels are drawn by lot."""
    (folder / "usecase.yaml").write_text(USE_CASE.replace("MASKS", masks))
    (folder / "data").mkdir()
    random = np.random.default_rng(3)
    lines = [f"Word{letter}, {SECRETS[row % 4]}: DONE" for row in range(50) for letter in "xyz"]
    version = afield.load(folder).train(lines, random.choice(["one", "two"], len(lines)).tolist())
    assert version.predict(lines[:2]).num_rows == 2
    return version.bundle, open_bundle(version.bundle).examples, version.report


def test_a_bundle_holds_nothing_that_a_mask_covers(tmp_path: Path) -> None:
    bundle, examples, report = trained(tmp_path, "number, ip, hex, email")
    content = bundle.read_bytes()
    assert [secret for secret in SECRETS if secret.encode() in content] == []
    kinds = {text.split(", ")[1] for text in examples["text"].to_pylist()}
    assert kinds == {"0: DONE", "0.0.0.0: DONE", "0x0: DONE", "a@b.cc: DONE"}
    assert report.mistakes
    for mistake in report.mistakes:
        word, rest = mistake.text.split(", ")
        assert word in {"Wordx", "Wordy", "Wordz"}
        assert rest in {"<number>: DONE", "<ip>: DONE", "<hex>: DONE", "<email>: DONE"}


@pytest.mark.parametrize("masks", ["", "uuid"])
def test_what_no_mask_covers_is_there_as_it_was_read(tmp_path: Path, masks: str) -> None:
    _, examples, report = trained(tmp_path, masks)
    stored = [*examples["text"].to_pylist(), *(mistake.text for mistake in report.mistakes)]
    assert {text.split(", ")[1].removesuffix(": DONE") for text in stored} == set(SECRETS)
