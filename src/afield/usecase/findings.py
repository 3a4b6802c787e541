"""What is wrong with a use case, and where: one line each, as editors and people read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from afield.errors import UseCaseError
from afield.usecase.base import Path


@dataclass(frozen=True)
class Place:
    """Where a value was written.

    Args:
        origin: the file as the person named it, or the override ("--set train.epochs=ten").
        line: from 1; None for an override or a file that cannot be read.
        column: from 1; None like the line.
    """

    origin: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return self.origin if self.line is None else f"{self.origin}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or doubtful, in a use case.

    Args:
        place: where it was written.
        path: keys and list indices from the root of the use case.
        message: what was expected, what was found, what to do; one line.
        severity: "error" or "warning".
    """

    place: Place
    path: Path
    message: str
    severity: str = "error"

    def __str__(self) -> str:
        parts = [str(self.place), "warning" if self.severity == "warning" else "", dotted(self.path), self.message]
        return ": ".join(part for part in parts if part)

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON values."""
        place = asdict(self.place)
        return {**place, "path": dotted(self.path), "message": self.message, "severity": self.severity}


class InvalidUseCaseError(UseCaseError):
    """A use case with at least one error; its text lists every finding on a line of its own."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        lines = [str(finding) for finding in findings]
        super().__init__(lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} problems:", *lines]))


def dotted(path: Path) -> str:
    """A path as `--set` writes it: `preprocess.0.text.min_df`."""
    return ".".join(str(part) for part in path)
