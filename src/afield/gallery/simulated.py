"""What a simulator says of the data that it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Simulated:
    """Simulated data of a use case.

    Args:
        note: what the folder holds now, one line for people; shown after the name of the folder.
        best: the best value that any model can reach of the use case's first measure, such as its accuracy, in
            expectation over the data that could be drawn; None where it is not known.
        files: the files that were written.
    """

    note: str
    best: float | None = None
    files: tuple[Path, ...] = ()
