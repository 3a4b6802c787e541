"""Progress of long work: a bar on a terminal, plain lines where the output is piped."""

from __future__ import annotations

import sys
from typing import Self, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from afield.report.model import Epoch


def epoch_line(epoch: Epoch) -> str:
    """One epoch in words."""
    figures = {"loss": epoch.loss} | epoch.metrics
    if epoch.validation_loss is not None:
        held_out = {"loss": epoch.validation_loss} | epoch.validation_metrics
        figures |= {f"validation {name}": value for name, value in held_out.items()}
    said = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in figures.items())
    return f"epoch {epoch.epoch}: {said} ({epoch.seconds:.1f} s)"


class Bars:
    """Shows stages as bars that replace one another, and keeps a line for every epoch. Use as a context.

    Args:
        stream: where; the standard error by default, so that results can be piped.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._console = Console(file=stream or sys.stderr, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def stage(self, name: str, total: int | None = None) -> None:
        """A new piece of work begins."""
        if not self._console.is_terminal:
            if not name.startswith("epoch "):  # an epoch has a line of its own when it is over
                self._console.print(name, soft_wrap=True)
            return
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(name, total=total)

    def advance(self, amount: int) -> None:
        """So much of it is done."""
        if self._task is not None:
            self._progress.advance(self._task, amount)

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is over."""
        self._console.print(epoch_line(epoch), soft_wrap=True)
