"""Progress: bars on a terminal, plain lines in a pipe."""

from __future__ import annotations

import io

import pytest

from afield.report.model import Epoch
from afield.report.progress import Bars, epoch_line

EPOCH = Epoch(
    epoch=2,
    loss=0.12345,
    validation_loss=0.2,
    metrics={"accuracy": 0.9},
    validation_metrics={"accuracy": 0.85},
    learning_rate=0.001,
    seconds=1.26,
)
LINE = "epoch 2: loss 0.1235, accuracy 0.9000, validation loss 0.2000, validation accuracy 0.8500 (1.3 s)"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO) -> str:
    with Bars(stream) as bars:
        bars.stage("reading")
        bars.advance(10)
        bars.stage("epoch 2/5", 100)
        bars.advance(100)
        bars.epoch(EPOCH)
        bars.stage("judging")
    return stream.getvalue()


def test_an_epoch_in_words() -> None:
    assert epoch_line(EPOCH) == LINE
    alone = EPOCH.model_copy(update={"validation_loss": None, "validation_metrics": {}})
    assert epoch_line(alone) == "epoch 2: loss 0.1235, accuracy 0.9000 (1.3 s)"


def test_a_pipe_gets_a_line_a_stage_and_an_epoch() -> None:
    assert shown(io.StringIO()) == f"reading\n{LINE}\njudging\n"


def test_a_terminal_gets_bars_that_go_and_epochs_that_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = shown(Terminal())
    assert LINE in text
    assert "epoch 2/5" in text
    assert text.rstrip().endswith("\x1b[2K")


def test_it_ends_when_the_work_fails() -> None:
    stream = io.StringIO()

    def work() -> None:
        with Bars(stream) as bars:
            bars.stage("reading")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert stream.getvalue() == "reading\n"
