"""Trials in processes of their own: PyTorch, and what goes wrong in a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from afield.train.base import Unwatched
from afield.tune.alone import KILLED
from afield.tune.workflow import Options, tune
from afield.usecase.load import load

pytest.importorskip("torch")

MODULE = """\
import os
import signal

import torch


class Net(torch.nn.Module):
    def __init__(self, inputs, outputs, width):
        super().__init__()
        if width == 16:
            os.kill(os.getpid(), signal.SIGKILL)
        if width == 24:
            raise MemoryError("too wide")
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(inputs[0], width), torch.nn.ReLU(), torch.nn.Linear(width, outputs)
        )

    def forward(self, x):
        return self.layers(x)
"""

MODEL = """\
model:
  torch: {source: "model.py:Net", arguments: {width: {search: [8, 16, 24]}}}
train: {epochs: 2}
"""


def test_a_process_that_dies_takes_no_other_trial_with_it(case: Callable[[str], Path]) -> None:
    folder = case(MODEL)
    (folder / "model.py").write_text(MODULE)
    tuning = tune(load(folder), Options(trials=3, sampler="grid"), watcher=Unwatched()).tuning
    found = {trial.values["model.torch.arguments.width"]: trial for trial in tuning.trials}
    assert [found[width].state for width in (8, 16, 24)] == ["complete", "failed", "failed"]
    assert found[16].reason == KILLED
    assert "MemoryError: too wide" in found[24].reason
    assert len(found[8].losses) == 2
